//! What can be typed: the clap types, and nothing else.

use std::path::PathBuf;

use clap::{Parser, Subcommand};

/// Printed under `--help`; docs/deployment.md repeats it.
const EXIT_CODES: &str = "\
Exit status:
  0    done, or nothing to do
  1    failed; what was changed is said
  2    `plan` and `status` found something to change
  3    a rollout failed and every host was put back
  4    another rollout holds the lock
  64   the command line, hosts.toml or compose.yaml is wrong
  130  stopped by Ctrl-C; `rollout --resume` goes on";

/// Brings the services of a Compose file onto the hosts of a lab, and back.
#[derive(Debug, Parser)]
#[command(name = "deployer", version, about, after_help = EXIT_CODES, disable_help_subcommand = true)]
pub struct Cli {
    /// Say nothing but errors and the data asked for.
    #[arg(long, short, global = true)]
    pub quiet: bool,

    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// The verbs.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Make hosts as containers on this machine, and everything around them.
    Lab {
        /// What to do.
        #[command(subcommand)]
        command: crate::lab::Command,
    },

    /// Print the completion script of a shell.
    Completions {
        /// The shell to complete for.
        shell: clap_complete::Shell,
    },

    /// Print the manual page, or write one page per command into a folder.
    Man {
        /// Where to write `deployer.1`, `deployer-rollout.1` and so on.
        #[arg(long)]
        directory: Option<PathBuf>,
    },
}
