//! The list of suites in the order in which they run: what is cheap and often wrong comes first, what waits for machines
//! last.

use anyhow::Result;

use super::{Session, browser, containers, lab, python, rust, shell, web};
use crate::{codegen, test_counts::Counts, tidy, torture};

/// One suite.
pub(crate) struct Suite {
    /// What `--only` and `--without` call it.
    pub(crate) name: &'static str,
    /// What it shows, in a few words.
    pub(crate) about: &'static str,
    /// When it runs.
    pub(crate) turn: Turn,
    /// Groups of system packages that it needs, as `provision/dev-setup.sh` names them.
    pub(crate) groups: &'static [&'static str],
    /// Runs it. An error counts as one failure.
    pub(crate) run: fn(&mut Session<'_>) -> Result<Counts>,
}

/// When a suite runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Turn {
    /// By itself, in the order of the list.
    Alone,
    /// After all of those, beside the suites of the other lane: what waits for containers leaves half of two cores idle.
    Lane(Lane),
}

/// Suites that run at the end, those of one lane one after the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Lane {
    /// What only the programs are needed for.
    Programs,
    /// What runs in containers; the lab needs the images that come before it.
    Containers,
}

/// All suites.
pub(crate) const SUITES: &[Suite] = &[
    Suite {
        name: "format",
        about: "Rust sources are formatted",
        turn: Turn::Alone,
        groups: &[],
        run: rust::format,
    },
    Suite {
        name: "tidy",
        about: "layers, owners, heads, sizes and names hold",
        turn: Turn::Alone,
        groups: &[],
        run: tidy::suite,
    },
    Suite {
        name: "shell",
        about: "shell scripts are sound",
        turn: Turn::Alone,
        groups: &["base"],
        run: shell::run,
    },
    Suite {
        name: "web",
        about: "the dashboard's types, style, tests and build",
        turn: Turn::Alone,
        groups: &["base"],
        run: web::run,
    },
    Suite {
        name: "clippy",
        about: "no warning in any crate",
        turn: Turn::Alone,
        groups: &["rust"],
        run: rust::clippy,
    },
    Suite {
        name: "generated",
        about: "generated files are up to date",
        turn: Turn::Alone,
        groups: &["rust"],
        run: codegen::suite,
    },
    Suite {
        name: "rust",
        about: "unit and integration tests of every crate",
        turn: Turn::Lane(Lane::Programs),
        groups: &["base", "rust"],
        run: rust::tests,
    },
    Suite {
        name: "faults",
        about: "200 seeded runs of kills, cuts, full disks and a database that goes: no sample is lost or doubled",
        turn: Turn::Lane(Lane::Programs),
        groups: &["base", "rust"],
        run: torture::suite,
    },
    Suite {
        name: "python-client",
        about: "a client written from docs/protocol.md alone",
        turn: Turn::Lane(Lane::Programs),
        groups: &["base", "rust"],
        run: python::run,
    },
    Suite {
        name: "browser",
        about: "the dashboard in Chromium against a real server and a real host",
        turn: Turn::Lane(Lane::Programs),
        groups: &["base", "rust", "browser"],
        run: browser::run,
    },
    Suite {
        name: "containers",
        about: "the images and compose.yaml, with Podman",
        turn: Turn::Lane(Lane::Containers),
        groups: &["base", "rust", "containers"],
        run: containers::run,
    },
    Suite {
        name: "lab",
        about: "a rollout to hosts made as containers",
        turn: Turn::Lane(Lane::Containers),
        groups: &["base", "rust", "browser", "containers", "lab"],
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
