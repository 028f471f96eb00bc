//! Settings as they were written: flags before the environment before the file.

use std::{collections::BTreeMap, path::Path};

use super::{ConfigProblem, SETTINGS, Setting};

/// How near a name must be to be suggested (Jaro-Winkler, 0 to 1).
const SUGGESTION_LIKENESS_MIN: f64 = 0.75;

/// The environment, as something that a test can make up.
pub trait Environment {
    /// The value of a variable that is set and not empty.
    fn variable(&self, name: &str) -> Option<String>;
}

/// The environment of this process.
#[derive(Debug, Clone, Copy, Default)]
pub struct ProcessEnvironment;

impl Environment for ProcessEnvironment {
    fn variable(&self, name: &str) -> Option<String> {
        std::env::var(name).ok().filter(|value| !value.is_empty())
    }
}

impl Environment for BTreeMap<String, String> {
    fn variable(&self, name: &str) -> Option<String> {
        self.get(name).filter(|value| !value.is_empty()).cloned()
    }
}

/// Values as text, with the place where each was written.
#[derive(Debug, Clone, Default)]
pub struct RawConfig {
    values: BTreeMap<&'static str, (Vec<String>, String)>,
    problems: Vec<ConfigProblem>,
}

impl RawConfig {
    /// Gathers settings. `flags` gives the values of a flag, empty when it was not used.
    pub fn gather(
        flags: impl Fn(&Setting) -> Vec<String>,
        environment: &dyn Environment,
        file: Option<&Path>,
    ) -> Self {
        let mut raw = Self::default();
        if let Some(path) = file {
            match std::fs::read_to_string(path) {
                Ok(text) => raw.read_file(&text, &path.display().to_string()),
                Err(error) => raw.problems.push(ConfigProblem {
                    at: path.display().to_string(),
                    message: format!("cannot be read: {error}"),
                    hint: "give the right path with --config, or leave it out".to_owned(),
                }),
            }
        }
        for setting in SETTINGS {
            if let Some(value) = environment.variable(&setting.variable()) {
                let values = if setting.repeats {
                    value.split(',').map(|part| part.trim().to_owned()).collect()
                } else {
                    vec![value]
                };
                raw.values.insert(setting.name, (values, setting.variable()));
            }
            let given = flags(setting);
            if !given.is_empty() {
                raw.values
                    .insert(setting.name, (given, format!("--{}", setting.name)));
            }
        }
        raw
    }

    fn read_file(&mut self, text: &str, at: &str) {
        let table = match text.parse::<toml::Table>() {
            Ok(table) => table,
            Err(error) => {
                self.problems.push(ConfigProblem {
                    at: at.to_owned(),
                    message: error.to_string().trim_end().to_owned(),
                    hint: "write it as in docs/configuration.md".to_owned(),
                });
                return;
            }
        };
        for (key, value) in table {
            let place = format!("{at}: {key}");
            let Some(setting) = SETTINGS.iter().find(|setting| setting.key() == key) else {
                self.problems.push(ConfigProblem {
                    at: place,
                    message: "there is no such setting".to_owned(),
                    hint: suggest(&key),
                });
                continue;
            };
            match texts(setting, value) {
                Some(values) => {
                    self.values.insert(setting.name, (values, place));
                }
                None => self.problems.push(ConfigProblem {
                    at: place,
                    message: format!("has the wrong type; it looks like {}", setting.value),
                    hint: "write it as in docs/configuration.md".to_owned(),
                }),
            }
        }
    }

    /// Takes the values of a setting and the place where they were written.
    pub(super) fn values(&self, name: &str) -> Option<(&[String], &str)> {
        self.values
            .get(name)
            .map(|(values, at)| (values.as_slice(), at.as_str()))
    }

    pub(super) fn problems(&self) -> &[ConfigProblem] {
        &self.problems
    }
}

fn texts(setting: &Setting, value: toml::Value) -> Option<Vec<String>> {
    let text = |value: toml::Value| match value {
        toml::Value::String(text) => Some(text),
        toml::Value::Integer(number) => Some(number.to_string()),
        _ => None,
    };
    match value {
        toml::Value::Array(values) if setting.repeats => values.into_iter().map(text).collect(),
        value => text(value).map(|text| vec![text]),
    }
}

fn suggest(key: &str) -> String {
    let nearest = SETTINGS
        .iter()
        .map(|setting| (strsim::jaro_winkler(key, &setting.key()), setting.key()))
        .max_by(|left, right| left.0.total_cmp(&right.0));
    match nearest {
        Some((likeness, name)) if likeness >= SUGGESTION_LIKENESS_MIN => format!("did you mean {name}?"),
        _ => "docs/configuration.md lists every setting".to_owned(),
    }
}
