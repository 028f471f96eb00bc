//! Running one command: stdout and stderr apart, the exit status, a deadline.

use std::time::Duration;

use russh::{Channel, ChannelMsg, client::Msg};
use tokio::time::timeout;

/// What a command wrote, and how it ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Output {
    /// Its exit status; none when a signal ended it.
    pub status: Option<u32>,
    /// Standard output.
    pub stdout: Vec<u8>,
    /// Standard error.
    pub stderr: Vec<u8>,
}

impl Output {
    /// Whether the exit status is 0.
    #[must_use]
    pub fn success(&self) -> bool {
        self.status == Some(0)
    }

    /// Standard output as text.
    #[must_use]
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.stdout).into_owned()
    }

    /// Standard error as one trimmed text.
    #[must_use]
    pub fn error_text(&self) -> String {
        String::from_utf8_lossy(&self.stderr).trim().to_owned()
    }
}

/// Why a command did not run to its end.
#[derive(Debug, thiserror::Error)]
pub enum ExecError {
    /// The deadline passed.
    #[error("`{command}` gave no result within {} s", deadline.as_secs())]
    Deadline {
        /// What was run.
        command: String,
        /// How long it was waited for.
        deadline: Duration,
    },
    /// sshd opens no further session.
    #[error("`{command}` could not be run: sshd there opens no further session (MaxSessions)")]
    Busy {
        /// What was to be run.
        command: String,
    },
    /// The connection is gone.
    #[error("`{command}` could not be run: {source}")]
    Connection {
        /// What was to be run.
        command: String,
        /// Why not.
        source: russh::Error,
    },
    /// The connection ended before the command did.
    #[error("the connection ended before `{command}` did")]
    Cut {
        /// What was run.
        command: String,
    },
    /// The command ran and failed.
    #[error("`{command}` ended with status {}: {stderr}", status.map_or_else(|| "unknown".to_owned(), |status| status.to_string()))]
    Failed {
        /// What was run.
        command: String,
        /// Its exit status.
        status: Option<u32>,
        /// What it wrote to stderr.
        stderr: String,
    },
}

/// A command as messages show it: scripts are long, their first line says enough.
pub(super) fn shown(command: &str) -> String {
    let first = command
        .lines()
        .find(|line| !line.trim().is_empty())
        .unwrap_or_default()
        .trim();
    first.chars().take(80).collect()
}

/// Runs a command in an open channel.
pub(super) async fn run(
    mut channel: Channel<Msg>,
    command: &str,
    stdin: &[u8],
    deadline: Duration,
) -> Result<Output, ExecError> {
    let broken = |source| ExecError::Connection {
        command: shown(command),
        source,
    };
    let work = async {
        channel.exec(true, command).await.map_err(broken)?;
        if !stdin.is_empty() {
            channel.data(stdin).await.map_err(broken)?;
        }
        channel.eof().await.map_err(broken)?;
        let mut output = Output {
            status: None,
            stdout: Vec::new(),
            stderr: Vec::new(),
        };
        let mut ended = false;
        while let Some(message) = channel.wait().await {
            match message {
                ChannelMsg::Data { data } => output.stdout.extend_from_slice(&data),
                ChannelMsg::ExtendedData { data, .. } => output.stderr.extend_from_slice(&data),
                ChannelMsg::ExitStatus { exit_status } => {
                    output.status = Some(exit_status);
                    ended = true;
                }
                ChannelMsg::ExitSignal { .. } => ended = true,
                _ => {}
            }
        }
        if ended {
            Ok(output)
        } else {
            Err(ExecError::Cut {
                command: shown(command),
            })
        }
    };
    let late = |_| ExecError::Deadline {
        command: shown(command),
        deadline,
    };
    timeout(deadline, work).await.map_err(late)?
}
