//! Results of scenarios, kept in a file so that one scenario can be measured again by itself.

use std::{collections::BTreeMap, io, path::Path};

use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::{Figure, Machine};

/// Why results could not be kept.
#[derive(Debug, Error)]
pub enum ResultsError {
    /// The file cannot be read or written.
    #[error("cannot use {path}: {source}")]
    File {
        /// The file.
        path: String,
        /// Why.
        source: io::Error,
    },
    /// The file holds something else.
    #[error("{path} holds no results ({source}): remove it and measure again")]
    Content {
        /// The file.
        path: String,
        /// Why.
        source: serde_json::Error,
    },
}

/// The newest figures of each scenario, all of one machine.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Results {
    /// Where they were measured.
    pub machine: Machine,
    /// Figures by the scenario's name.
    pub scenarios: BTreeMap<String, Vec<Figure>>,
}

impl Results {
    /// None yet, on this machine.
    pub fn fresh() -> Self {
        Self {
            machine: Machine::here(),
            scenarios: BTreeMap::new(),
        }
    }

    /// Those of a file; none where there is no file, or where it is of another machine: figures of two machines
    /// in one table would be compared.
    ///
    /// # Errors
    /// When the file cannot be read, or holds something else.
    pub fn load(path: &Path) -> Result<Self, ResultsError> {
        let name = path.display().to_string();
        let text = match std::fs::read_to_string(path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Self::fresh()),
            Err(source) => return Err(ResultsError::File { path: name, source }),
        };
        let known: Self =
            serde_json::from_str(&text).map_err(|source| ResultsError::Content { path: name, source })?;
        let fresh = Self::fresh();
        Ok(if known.machine == fresh.machine {
            known
        } else {
            fresh
        })
    }

    /// Writes them for the next time.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn save(&self, path: &Path) -> Result<(), ResultsError> {
        let name = path.display().to_string();
        let text = serde_json::to_string_pretty(self).map_err(|source| ResultsError::Content {
            path: name.clone(),
            source,
        })?;
        std::fs::write(path, text + "\n").map_err(|source| ResultsError::File { path: name, source })
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::expect_used, reason = "a test fails by panicking")]

    use super::*;

    #[test]
    fn results_of_another_machine_are_left_behind() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("results.json");
        let mut results = Results::fresh();
        results
            .scenarios
            .insert("live".to_owned(), vec![Figure::plain("a", "b")]);
        results.save(&path).expect("written");
        assert_eq!(Results::load(&path).expect("read"), results);

        results.machine.cores += 1;
        results.save(&path).expect("written");
        assert!(Results::load(&path).expect("read").scenarios.is_empty());
    }
}
