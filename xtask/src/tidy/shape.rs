//! The shape of a file: its head, its size, its name, its lint attributes.

use std::path::Path;

/// A file above this holds more than one thing.
const MOST_LINES: usize = 400;
/// Names that say nothing, and so gather everything.
const EMPTY_NAMES: &[&str] = &["common", "helper", "helpers", "misc", "util", "utils"];

/// Names of files and folders say what is inside.
pub(super) fn check_name(path: &Path) -> Option<String> {
    let empty = path.components().find_map(|component| {
        let name = component.as_os_str().to_str()?;
        let stem = name.split('.').next()?;
        EMPTY_NAMES.contains(&stem).then(|| name.to_owned())
    })?;
    Some(format!(
        "{}: \"{empty}\" says nothing about what is inside; name it after that",
        path.display()
    ))
}

/// Head, size and lint attributes.
pub(super) fn check_text(path: &Path, text: &str) -> Vec<String> {
    let mut found = Vec::new();
    let shown = path.display();
    let lines = text.lines().count();
    if lines > MOST_LINES {
        found.push(format!(
            "{shown}: {lines} lines; split it, {MOST_LINES} is the most"
        ));
    }
    if path.extension().is_some_and(|ending| ending == "rs") {
        if !text.starts_with("//!") {
            found.push(format!(
                "{shown}: begins without `//!`; say in a line what the file is for"
            ));
        }
        let allow = ["#[", "#!["].map(|open| format!("{open}allow("));
        for (index, line) in text.lines().enumerate() {
            if allow
                .iter()
                .any(|attribute| line.trim_start().starts_with(attribute))
            {
                found.push(format!(
                    "{shown}:{}: use #[expect(…, reason = …)], which tells when it is not needed",
                    index + 1
                ));
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_without_a_head_is_found() {
        assert_eq!(check_text(Path::new("a/src/b.rs"), "fn main() {}\n").len(), 1);
        assert_eq!(
            check_text(Path::new("a/src/b.rs"), "//! What it is for.\n"),
            Vec::<String>::new()
        );
    }

    #[test]
    fn a_long_file_is_found() {
        let text = format!("//! Head.\n{}", "\n".repeat(MOST_LINES));
        assert_eq!(check_text(Path::new("a/src/b.rs"), &text).len(), 1);
        assert_eq!(check_text(Path::new("web/src/b.tsx"), &text).len(), 1);
    }

    #[test]
    fn a_name_that_says_nothing_is_found() {
        assert!(check_name(Path::new("web/src/utils.ts")).is_some());
        assert!(check_name(Path::new("a/src/common/mod.rs")).is_some());
        assert!(check_name(Path::new("a/src/utilisation.rs")).is_none());
    }

    #[test]
    fn a_silenced_lint_is_found() {
        let text = ["//! Head.\n#", "[allow(dead_code)]\nfn unused() {}\n"].concat();
        assert_eq!(check_text(Path::new("a/src/b.rs"), &text).len(), 1);
    }
}
