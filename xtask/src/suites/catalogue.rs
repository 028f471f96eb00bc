//! The list of suites in the order in which they run: what is cheap and often wrong comes first.

use anyhow::Result;

use super::{Session, browser, containers, lab, python, rust, shell, web};
use crate::{codegen, test_counts::Counts, tidy};

/// One suite.
pub(crate) struct Suite {
    /// What `--only` and `--without` call it.
    pub(crate) name: &'static str,
    /// What it shows, in a few words.
    pub(crate) about: &'static str,
    /// Groups of system packages that it needs, as `provision/dev-setup.sh` names them.
    pub(crate) groups: &'static [&'static str],
    /// Runs it. An error counts as one failure.
    pub(crate) run: fn(&mut Session<'_>) -> Result<Counts>,
}

/// All suites.
pub(crate) const SUITES: &[Suite] = &[
    Suite {
        name: "format",
        about: "Rust sources are formatted",
        groups: &[],
        run: rust::format,
    },
    Suite {
        name: "tidy",
        about: "layers, owners, heads, sizes and names hold",
        groups: &[],
        run: tidy::suite,
    },
    Suite {
        name: "shell",
        about: "shell scripts are sound",
        groups: &["base"],
        run: shell::run,
    },
    Suite {
        name: "web",
        about: "the dashboard's types, style, tests and build",
        groups: &["base"],
        run: web::run,
    },
    Suite {
        name: "clippy",
        about: "no warning in any crate",
        groups: &["rust"],
        run: rust::clippy,
    },
    Suite {
        name: "rust",
        about: "unit and integration tests of every crate",
        groups: &["base", "rust"],
        run: rust::tests,
    },
    Suite {
        name: "generated",
        about: "generated files are up to date",
        groups: &["rust"],
        run: codegen::suite,
    },
    Suite {
        name: "python-client",
        about: "a client written from docs/protocol.md alone",
        groups: &["base", "rust"],
        run: python::run,
    },
    Suite {
        name: "browser",
        about: "the dashboard in Chromium against a real server and a real host",
        groups: &["base", "rust", "browser"],
        run: browser::run,
    },
    Suite {
        name: "containers",
        about: "the images and compose.yaml, with Podman",
        groups: &["base", "rust", "containers"],
        run: containers::run,
    },
    Suite {
        name: "lab",
        about: "a rollout to hosts made as containers",
        groups: &["base", "rust", "containers", "lab"],
        run: lab::run,
    },
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_suite_has_a_name_of_its_own() {
        let mut names: Vec<&str> = SUITES.iter().map(|suite| suite.name).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), SUITES.len());
    }
}
