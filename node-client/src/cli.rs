//! What can be typed: clap types only.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};
use clap_complete::Shell;

use crate::host_root::HostRoot;

/// Most disk space that the spool takes, in megabytes: about three days of samples at 250 bytes each.
pub const SPOOL_MEGABYTES_DEFAULT: u64 = 64;

/// Reads this machine's metrics once a second and sends them to a Metric Flow server.
#[derive(Debug, Parser)]
#[command(
    name = "node-client",
    version,
    arg_required_else_help = true,
    max_term_width = 100
)]
pub struct Arguments {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Send this machine's metrics to a server until stopped.
    #[command(after_help = CONNECT_HELP)]
    Connect(ConnectArguments),
    /// Show one reading of this machine, taken over one second.
    Print(PrintArguments),
    /// Say whether the node-client of this machine is well: exit status 0 if so, 1 if not.
    Healthcheck(HealthArguments),
    /// Write a completion script for a shell to standard output.
    Completions {
        /// The shell.
        shell: Shell,
    },
}

const CONNECT_HELP: &str = "\
The API key comes from --api-key-file or from the variable METRIC_FLOW_API_KEY, never from an argument: arguments \
are visible to every user of the machine. Make a key in the dashboard under Keys.

Examples:
  METRIC_FLOW_API_KEY=mf_… node-client connect --server https://metrics.example.org:8000
  node-client connect --server https://10.0.0.5:8000 --api-key-file key --ca-file ca.pem --label role=db

Logs go to standard error; METRIC_FLOW_LOG=debug says more.";

/// Arguments of `connect`.
#[derive(Debug, Clone, Args)]
pub struct ConnectArguments {
    /// Address of the server, as in the browser.
    #[arg(long, value_name = "URL", env = "METRIC_FLOW_SERVER")]
    pub server: String,
    /// File that holds the API key.
    #[arg(long, value_name = "FILE", env = "METRIC_FLOW_API_KEY_FILE")]
    pub api_key_file: Option<PathBuf>,
    /// PEM certificates to trust besides the system's.
    #[arg(long, value_name = "FILE", env = "METRIC_FLOW_CA_FILE")]
    pub ca_file: Option<PathBuf>,
    /// A label of this host; may be given several times.
    #[arg(
        long = "label",
        value_name = "NAME=VALUE",
        env = "METRIC_FLOW_LABELS",
        value_delimiter = ','
    )]
    pub labels: Vec<String>,
    /// Folder that keeps samples until the server has them [default: /var/lib/metric-flow/node-client for root,
    /// else ~/.local/state/metric-flow/node-client].
    #[arg(long, value_name = "DIR", env = "METRIC_FLOW_SPOOL_DIR")]
    pub spool_dir: Option<PathBuf>,
    /// Most disk space for samples that wait; the oldest are dropped, and counted, beyond it.
    #[arg(
        long,
        value_name = "MB",
        env = "METRIC_FLOW_SPOOL_MEGABYTES",
        default_value_t = SPOOL_MEGABYTES_DEFAULT,
        value_parser = clap::value_parser!(u64).range(1..=1_000_000)
    )]
    pub spool_megabytes: u64,
    /// Distance of two samples in milliseconds.
    #[arg(
        long,
        value_name = "MS",
        env = "METRIC_FLOW_INTERVAL_MS",
        default_value_t = 1000
    )]
    pub interval_ms: u64,
    /// Divides the shortest interval and the times of reconnecting, so that the benchmark `endurance` lives through
    /// hours of them in minutes.
    #[arg(long, hide = true, value_name = "TIMES", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=10))]
    pub hurry: u32,
    /// File that holds this host's identity instead of its machine-id; made when absent. For several simulated
    /// hosts on one machine.
    #[arg(long, value_name = "FILE", env = "METRIC_FLOW_IDENTITY_FILE")]
    pub identity_file: Option<PathBuf>,
    /// Name to report instead of the host's own.
    #[arg(long, value_name = "NAME", env = "METRIC_FLOW_HOST_NAME")]
    pub host_name: Option<String>,
    /// Where the host is.
    #[command(flatten)]
    pub host: HostArguments,
}

/// Where the host is.
#[derive(Debug, Clone, Default, Args)]
pub struct HostArguments {
    /// Where the host's file system is mounted, when this runs inside a container.
    #[arg(long, value_name = "DIR", env = "METRIC_FLOW_HOST_ROOT")]
    pub host_root: Option<PathBuf>,
}

impl HostArguments {
    /// The root that was given, else this process's own.
    pub fn root(&self) -> HostRoot {
        self.host_root
            .clone()
            .map_or_else(HostRoot::default, HostRoot::new)
    }
}

/// Arguments of `print`.
#[derive(Debug, Clone, Args)]
pub struct PrintArguments {
    /// As JSON: facts and sample, in the words of the protocol.
    #[arg(long)]
    pub json: bool,
    /// Where the host is.
    #[command(flatten)]
    pub host: HostArguments,
}

/// Arguments of `healthcheck`.
#[derive(Debug, Clone, Args)]
pub struct HealthArguments {
    /// The spool folder of the client that is asked.
    #[arg(long, value_name = "DIR", env = "METRIC_FLOW_SPOOL_DIR")]
    pub spool_dir: Option<PathBuf>,
    /// Also ask that it is connected to its server.
    #[arg(long)]
    pub connected: bool,
}
