//! `$NAME` and `${NAME…}` in the values of a Compose file, as the specification has them.

use std::{collections::BTreeMap, path::Path};

use serde_yaml::Value;

/// Variables by name.
pub type Variables = BTreeMap<String, String>;

/// Why a value cannot be filled in.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InterpolateError {
    /// `${NAME:?message}`.
    #[error("`{name}` is required: {message}")]
    Required {
        /// The variable.
        name: String,
        /// What the file says about it.
        message: String,
    },
    /// No end, or no name.
    #[error("`{text}` is no variable: write ${{NAME}}, or $$ for a dollar sign")]
    Malformed {
        /// From the dollar sign on.
        text: String,
    },
}

/// Fills in every string value of `value`; keys stay as they are. Problems are gathered, each with its path.
pub(super) fn fill(value: &mut Value, path: &str, variables: &Variables, problems: &mut Vec<String>) {
    match value {
        Value::String(text) => match expand(text, variables) {
            // A value that was nothing but a variable may be a number or a bool, as `ports: ["${PORT}:80"]` may not.
            Ok(expanded) if expanded != *text => *value = Value::String(expanded),
            Ok(_) => {}
            Err(error) => problems.push(format!("{path}: {error}")),
        },
        Value::Sequence(items) => {
            for (index, item) in items.iter_mut().enumerate() {
                fill(item, &format!("{path}[{index}]"), variables, problems);
            }
        }
        Value::Mapping(map) => {
            for (key, item) in map.iter_mut() {
                let key = key.as_str().unwrap_or("?");
                let path = if path.is_empty() {
                    key.to_owned()
                } else {
                    format!("{path}.{key}")
                };
                fill(item, &path, variables, problems);
            }
        }
        _ => {}
    }
}

/// One string with its variables filled in.
pub(super) fn expand(text: &str, variables: &Variables) -> Result<String, InterpolateError> {
    let mut out = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('$') {
        out.push_str(before);
        let malformed = || InterpolateError::Malformed {
            text: format!("${after}"),
        };
        if let Some(after) = after.strip_prefix('$') {
            out.push('$');
            rest = after;
        } else if let Some(inside) = after.strip_prefix('{') {
            let end = closing(inside).ok_or_else(malformed)?;
            let (inner, after) = inside.split_at(end);
            out.push_str(&braced(inner, variables)?);
            rest = after.strip_prefix('}').unwrap_or(after);
        } else {
            let end = name_length(after);
            if end == 0 {
                return Err(malformed());
            }
            let (name, after) = after.split_at(end);
            out.push_str(variables.get(name).map_or("", String::as_str));
            rest = after;
        }
    }
    out.push_str(rest);
    Ok(out)
}

/// The brace that closes; those of nested variables do not count.
fn closing(text: &str) -> Option<usize> {
    let mut depth = 0usize;
    for (index, c) in text.char_indices() {
        match c {
            '{' => depth += 1,
            '}' if depth == 0 => return Some(index),
            '}' => depth -= 1,
            _ => {}
        }
    }
    None
}

fn name_length(text: &str) -> usize {
    let first = text
        .chars()
        .next()
        .is_some_and(|c| c.is_ascii_alphabetic() || c == '_');
    if !first {
        return 0;
    }
    text.find(|c: char| !c.is_ascii_alphanumeric() && c != '_')
        .unwrap_or(text.len())
}

fn braced(inner: &str, variables: &Variables) -> Result<String, InterpolateError> {
    let (name, operator) = inner.split_at(name_length(inner));
    let malformed = || InterpolateError::Malformed {
        text: format!("${{{inner}}}"),
    };
    if name.is_empty() {
        return Err(malformed());
    }
    let value = variables.get(name);
    let filled = value.filter(|value| !value.is_empty());
    let (value, operator) = match operator.strip_prefix(':') {
        Some(operator) => (filled, operator),
        None => (value, operator),
    };
    let mut letters = operator.chars();
    match letters.next() {
        None => Ok(value.cloned().unwrap_or_default()),
        Some('-') => value.map_or_else(|| expand(letters.as_str(), variables), |value| Ok(value.clone())),
        Some('+') => value.map_or_else(|| Ok(String::new()), |_| expand(letters.as_str(), variables)),
        Some('?') => value.cloned().ok_or_else(|| InterpolateError::Required {
            name: name.to_owned(),
            message: if letters.as_str().is_empty() {
                "it is not set".to_owned()
            } else {
                letters.as_str().to_owned()
            },
        }),
        Some(_) => Err(malformed()),
    }
}

/// `NAME=value` lines, as of `.env` and `env_file`: comments, `export` and quotes are known.
pub(super) fn env_file(path: &Path) -> std::io::Result<Variables> {
    let text = std::fs::read_to_string(path)?;
    let pairs = text.lines().filter_map(|line| {
        let line = line.trim();
        let line = line.strip_prefix("export ").unwrap_or(line);
        if line.starts_with('#') {
            return None;
        }
        let (name, value) = line.split_once('=')?;
        let value = value.trim();
        let unquoted = ['"', '\'']
            .iter()
            .find_map(|quote| value.strip_prefix(*quote)?.strip_suffix(*quote));
        let value = unquoted.unwrap_or_else(|| {
            value
                .split_once(" #")
                .map_or(value, |(value, _)| value.trim_end())
        });
        Some((name.trim().to_owned(), value.to_owned()))
    });
    Ok(pairs.collect())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn variables() -> Variables {
        [("TAG", "1.2"), ("EMPTY", "")]
            .map(|(k, v)| (k.to_owned(), v.to_owned()))
            .into()
    }

    #[test]
    fn variables_are_filled_in_as_the_specification_says() {
        let cases = [
            ("app:$TAG", "app:1.2"),
            ("app:${TAG}-x", "app:1.2-x"),
            ("${NONE:-a}${NONE-b}", "ab"),
            ("${EMPTY:-a}|${EMPTY-b}", "a|"),
            ("${TAG:+set}|${NONE:+set}", "set|"),
            ("${NONE:-${TAG}}", "1.2"),
            ("$$TAG costs 5$$", "$TAG costs 5$"),
            ("${NONE}", ""),
        ];
        for (text, wanted) in cases {
            assert_eq!(expand(text, &variables()).as_deref(), Ok(wanted), "{text}");
        }
    }

    #[test]
    fn a_required_variable_says_what_the_file_says_about_it() {
        let error = expand("${NONE:?the tag to run}", &variables()).map_err(|error| error.to_string());
        assert_eq!(error, Err("`NONE` is required: the tag to run".to_owned()));
    }

    #[test]
    fn an_open_brace_and_a_bare_dollar_are_mistakes() {
        for text in ["${TAG", "5 $ more", "${-x}", "${TAG*}"] {
            assert!(
                matches!(
                    expand(text, &variables()),
                    Err(InterpolateError::Malformed { .. })
                ),
                "{text}"
            );
        }
    }

    proptest! {
        #[test]
        fn a_text_with_its_dollars_doubled_comes_out_as_it_was(text in ".{0,60}") {
            prop_assert_eq!(expand(&text.replace('$', "$$"), &variables()), Ok(text));
        }
    }
}
