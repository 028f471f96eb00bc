//! What is wrong with a hosts.toml: every problem at once, each with its line.

use std::path::PathBuf;

use crate::error::Failure;

/// One mistake.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Problem {
    /// The line it stands on, from 1; 0 where no line can be named.
    pub line: usize,
    /// What is wrong and what would be right.
    pub message: String,
}

/// Why a hosts.toml cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum InventoryError {
    /// The file cannot be read.
    #[error("cannot read {path}")]
    Read {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: std::io::Error,
    },
    /// The file can be read but not used.
    #[error("{} problem(s) in {path}", problems.len())]
    Invalid {
        /// The file.
        path: PathBuf,
        /// All of them, in the order of their lines.
        problems: Vec<Problem>,
    },
}

impl From<InventoryError> for Failure {
    fn from(error: InventoryError) -> Self {
        match &error {
            InventoryError::Read { source, .. } => Self::usage(error.to_string())
                .caused_by(source)
                .hint("`deployer init` writes one to start from"),
            InventoryError::Invalid { path, problems } => {
                let mut failure = Self::usage(error.to_string());
                failure.causes = problems
                    .iter()
                    .map(|problem| format!("{}:{}: {}", path.display(), problem.line, problem.message))
                    .collect();
                failure
            }
        }
    }
}

/// The known word that is nearest to a mistyped one, when it is near at all.
pub(crate) fn nearest<'a>(word: &str, known: &[&'a str]) -> Option<&'a str> {
    known
        .iter()
        .map(|candidate| (strsim::damerau_levenshtein(word, candidate), *candidate))
        // A third of the letters wrong is a typing mistake; more is another word.
        .filter(|(distance, candidate)| *distance <= candidate.len().div_ceil(3))
        .min()
        .map(|(_, candidate)| candidate)
}
