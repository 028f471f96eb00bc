//! The programs under test, and what the kernel says of their cost.

use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};

use thiserror::Error;
use tokio::{
    io::{AsyncBufReadExt, BufReader, Lines},
    process::{Child, ChildStdout, Command},
};

/// Clock ticks a second in `/proc/PID/stat`: fixed at 100 on Linux for user space (`getconf CLK_TCK`).
const TICKS_PER_SECOND: f64 = 100.0;
/// How long a server may take to say where it listens.
const START_DEADLINE: Duration = Duration::from_secs(60);

/// Why a program under test could not be used.
#[derive(Debug, Error)]
pub enum ProcessError {
    /// It cannot be started.
    #[error("cannot start {}: {source}; build it with `cargo build --release`", program.display())]
    Start {
        /// The program.
        program: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// It ended or did not say what it should.
    #[error("{program} did not say where it listens")]
    Silent {
        /// The program.
        program: String,
    },
    /// The kernel's numbers cannot be read.
    #[error("cannot read the cost of process {pid}: {source}")]
    Cost {
        /// The process.
        pid: u32,
        /// Why.
        source: std::io::Error,
    },
}

/// Processor time and memory of a process.
#[derive(Debug, Clone, Copy, Default)]
pub struct Cost {
    /// User and system time since its start.
    pub cpu_seconds: f64,
    /// Resident memory.
    pub resident_bytes: u64,
}

/// A running server.
pub struct ServerProcess {
    child: Child,
    _stdout: Lines<BufReader<ChildStdout>>,
    /// Where it listens.
    pub address: SocketAddr,
    /// The token of the set-up link, when it has no account yet.
    pub setup_token: Option<String>,
}

impl ServerProcess {
    /// Starts `socket-server serve` with the embedded store in `data` and waits until it listens.
    ///
    /// # Errors
    /// When it cannot be started or does not listen in time.
    pub async fn start(program: &Path, data: &Path, listen: &str, fresh: bool) -> Result<Self, ProcessError> {
        let mut child = Command::new(program)
            .args(["serve", "--listen", listen, "--store"])
            .arg(format!("embedded:{}", data.display()))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .map_err(|source| ProcessError::Start {
                program: program.to_owned(),
                source,
            })?;
        let silent = || ProcessError::Silent {
            program: program.display().to_string(),
        };
        let mut lines = BufReader::new(child.stdout.take().ok_or_else(silent)?).lines();
        let (mut address, mut setup_token) = (None, None);
        let reading = async {
            while address.is_none() || (fresh && setup_token.is_none()) {
                let Ok(Some(line)) = lines.next_line().await else {
                    return;
                };
                if let Some((_, rest)) = line.split_once("listening on http://") {
                    address = rest.trim().parse().ok();
                }
                if let Some((_, token)) = line.split_once("/setup#") {
                    setup_token = Some(token.trim().to_owned());
                }
            }
        };
        tokio::time::timeout(START_DEADLINE, reading)
            .await
            .map_err(|_elapsed| silent())?;
        let address = address.ok_or_else(silent)?;
        Ok(Self {
            child,
            _stdout: lines,
            address,
            setup_token,
        })
    }

    /// Its cost so far.
    ///
    /// # Errors
    /// When it has ended.
    pub fn cost(&self) -> Result<Cost, ProcessError> {
        cost_of(self.child.id().unwrap_or(0))
    }

    /// Ends it at once, as a crash would, and waits until it is gone.
    pub async fn kill(mut self) {
        // An error means that it is gone already.
        let _ = self.child.kill().await;
    }
}

/// The cost of any process of this machine (`proc_pid_stat(5)`, `proc_pid_status(5)`).
///
/// # Errors
/// When there is no such process.
pub fn cost_of(pid: u32) -> Result<Cost, ProcessError> {
    let read = |name: &str| {
        std::fs::read_to_string(format!("/proc/{pid}/{name}"))
            .map_err(|source| ProcessError::Cost { pid, source })
    };
    let (stat, status) = (read("stat")?, read("status")?);
    let resident_kib = status
        .lines()
        .find_map(|line| line.strip_prefix("VmRSS:"))
        .and_then(|rest| rest.split_whitespace().next()?.parse::<u64>().ok());
    Ok(Cost {
        cpu_seconds: cpu_seconds(&stat),
        resident_bytes: resident_kib.unwrap_or(0) * 1024,
    })
}

/// User and system time of the calling thread, in steps of a clock tick.
///
/// # Errors
/// When the kernel's numbers cannot be read.
pub fn thread_cpu_seconds() -> std::io::Result<f64> {
    Ok(cpu_seconds(&std::fs::read_to_string("/proc/thread-self/stat")?))
}

/// User and system time from the text of a `stat` file.
fn cpu_seconds(stat: &str) -> f64 {
    // The command's name may hold spaces: fields are counted after its closing parenthesis.
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap_or("").split_whitespace().collect();
    let ticks = |index: usize| {
        fields
            .get(index)
            .and_then(|text| text.parse::<f64>().ok())
            .unwrap_or(0.0)
    };
    (ticks(11) + ticks(12)) / TICKS_PER_SECOND
}
