//! What can be typed: the clap types, and nothing else.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

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

/// Which hosts.
#[derive(Debug, Clone, Args)]
pub struct HostsArgs {
    /// The file with the machines of the lab.
    #[arg(
        long,
        default_value = "hosts.toml",
        env = "DEPLOYER_HOSTS",
        value_name = "FILE"
    )]
    pub hosts: PathBuf,

    /// Only these hosts of the file; may be repeated or separated by commas.
    #[arg(long = "host", short = 'H', value_delimiter = ',', value_name = "NAME")]
    pub only: Vec<String>,
}

/// Which hosts and which services.
#[derive(Debug, Clone, Args)]
pub struct ProjectArgs {
    /// Which hosts.
    #[command(flatten)]
    pub hosts: HostsArgs,

    /// The Compose file.
    #[arg(
        long,
        short,
        default_value = "compose.yaml",
        env = "COMPOSE_FILE",
        value_name = "FILE"
    )]
    pub file: PathBuf,
}

/// How to roll out.
#[derive(Debug, Clone, Args)]
pub struct RolloutArgs {
    /// Which hosts and which services.
    #[command(flatten)]
    pub project: ProjectArgs,

    /// Go on with a rollout that was cut off: only what is left is done.
    #[arg(long)]
    pub resume: bool,

    /// A host that fails does not stop the others, and nothing is put back.
    #[arg(long)]
    pub keep_going: bool,

    /// Leave the firewalls of the hosts alone.
    #[arg(long)]
    pub no_firewall: bool,

    /// Build the images that the Compose file says how to build, first.
    #[arg(long)]
    pub build: bool,

    /// One JSON object per event on stdout.
    #[arg(long)]
    pub json: bool,
}

/// What can be done with firewalls.
#[derive(Debug, Subcommand)]
pub enum FirewallCommand {
    /// Show the open ports of each host, and which of them this project has opened.
    Show {
        /// Which hosts and which services.
        #[command(flatten)]
        project: ProjectArgs,
        /// The table as JSON.
        #[arg(long)]
        json: bool,
    },
    /// Open the ports that the Compose file asks for, and close those that nothing asks for any more.
    Open(ProjectArgs),
    /// Close what this project has opened, and nothing else.
    Close(ProjectArgs),
}

/// What can be done with keys.
#[derive(Debug, Subcommand)]
pub enum KeysCommand {
    /// List the keys of the account.
    List {
        /// Which hosts and which services.
        #[command(flatten)]
        project: ProjectArgs,
        /// The table as JSON.
        #[arg(long)]
        json: bool,
    },
    /// Give each host a new key, and revoke the old one once the server has seen a fresh sample of it.
    Rotate(ProjectArgs),
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

    /// Write a hosts.toml to start from.
    Init {
        /// Where.
        #[arg(long, default_value = "hosts.toml", value_name = "FILE")]
        hosts: PathBuf,
    },

    /// Look at every host before a rollout: what would go wrong, why, and the cure.
    Check(HostsArgs),

    /// Show what a rollout would do. Exits with 2 when there is something to do.
    Plan {
        /// Which hosts and which services.
        #[command(flatten)]
        project: ProjectArgs,
        /// Leave the firewalls of the hosts alone.
        #[arg(long)]
        no_firewall: bool,
        /// The plan as JSON.
        #[arg(long)]
        json: bool,
    },

    /// Build the images of the Compose file on this machine's engine.
    Build {
        /// Which services.
        #[arg(
            long,
            short,
            default_value = "compose.yaml",
            env = "COMPOSE_FILE",
            value_name = "FILE"
        )]
        file: PathBuf,
        /// Build from scratch.
        #[arg(long)]
        no_cache: bool,
        /// Only these services.
        services: Vec<String>,
    },

    /// Push images of this machine's engine to the registry of hosts.toml, from where the hosts pull them.
    Push {
        /// Which hosts and which services.
        #[command(flatten)]
        project: ProjectArgs,
        /// Only these services.
        services: Vec<String>,
    },

    /// Make the hosts what compose.yaml and hosts.toml say.
    Rollout(RolloutArgs),

    /// Show every service on every host: state, health, release. Exits with 2 when one does not run.
    Status {
        /// Which hosts and which services.
        #[command(flatten)]
        project: ProjectArgs,
        /// The table as JSON.
        #[arg(long)]
        json: bool,
    },

    /// Show the output of a service on its hosts.
    Logs {
        /// Which hosts and which services.
        #[command(flatten)]
        project: ProjectArgs,
        /// Go on as it comes.
        #[arg(long, short = 'F')]
        follow: bool,
        /// The last lines of each container.
        #[arg(long, short = 'n', default_value_t = 50)]
        tail: u32,
        /// Only these services.
        services: Vec<String>,
    },

    /// Run a command in the containers of a service.
    Exec {
        /// Which hosts and which services.
        #[command(flatten)]
        project: ProjectArgs,
        /// In which service.
        service: String,
        /// What.
        #[arg(trailing_var_arg = true, required = true, allow_hyphen_values = true)]
        words: Vec<String>,
    },

    /// Restart the containers of services, host after host.
    Restart {
        /// Which hosts and which services.
        #[command(flatten)]
        project: ProjectArgs,
        /// Only these services.
        services: Vec<String>,
    },

    /// Bring back the release before this one, or a named one; after a rollout that was cut off, what was there before.
    Rollback {
        /// Which hosts and which services.
        #[command(flatten)]
        project: ProjectArgs,
        /// Its id, as `history` prints it.
        release: Option<String>,
    },

    /// List the releases that can come back.
    History {
        /// Which hosts and which services.
        #[command(flatten)]
        project: ProjectArgs,
    },

    /// Show the host keys of hosts that are not known yet, and record them after a yes.
    Trust {
        /// Which hosts.
        #[command(flatten)]
        hosts: HostsArgs,
        /// Do not ask: the fingerprints have been compared.
        #[arg(long)]
        yes: bool,
        /// Where to record them; ~/.ssh/known_hosts otherwise.
        #[arg(long, value_name = "FILE")]
        known_hosts: Option<PathBuf>,
    },

    /// Show and change what the firewalls of the hosts let in.
    Firewall {
        /// What to do.
        #[command(subcommand)]
        command: FirewallCommand,
    },

    /// Show and change the API keys that the server has minted for the hosts.
    Keys {
        /// What to do.
        #[command(subcommand)]
        command: KeysCommand,
    },

    /// Remove the lock that a rollout has left behind.
    Unlock(ProjectArgs),

    /// Remove all that rollouts have put on the hosts: containers, networks, shipped images, opened ports.
    Down {
        /// Which hosts and which services.
        #[command(flatten)]
        project: ProjectArgs,
        /// The volumes and their data too.
        #[arg(long)]
        volumes: bool,
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
