//! One node-client with a spool, an identity and a network of its own.

use std::{fs, io, path::PathBuf, process::Stdio, time::Duration};

use node_client::health::{ClientState, read_state};
use tokio::{
    process::{Child, Command},
    time::{Instant, sleep},
};

use crate::fault_proxy::FaultProxy;

/// How often a host's state is looked at.
const LOOK: Duration = Duration::from_millis(20);

/// Longest wait for a connection before the client is ended all the same, to be started again.
const CONNECT_PATIENCE: Duration = Duration::from_secs(5);

/// First and longest time that a connected client is left alone before it is ended again: a slow store needs some.
const LINGER: (Duration, Duration) = (Duration::from_millis(50), Duration::from_secs(10));

/// How a host's client ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct End {
    /// The numbering of its spool.
    pub epoch: String,
    /// The highest number that it gave away; the server holds all up to it, says the client.
    pub last_seq: u64,
}

/// One host.
#[derive(Debug)]
pub struct Host {
    /// Its network.
    pub proxy: FaultProxy,
    /// Its name.
    pub name: String,
    spool: PathBuf,
    files: PathBuf,
    program: PathBuf,
    key: PathBuf,
    interval_ms: u32,
    process: Option<Child>,
}

/// What hosts of a cluster have in common.
#[derive(Debug, Clone)]
pub struct Equipment {
    /// The node-client.
    pub program: PathBuf,
    /// Where logs and identities go, and where the key is.
    pub files: PathBuf,
    /// Where the spools are: on a disk of their own, perhaps.
    pub spools: PathBuf,
    /// Distance of two samples.
    pub interval_ms: u32,
}

impl Host {
    /// A host that is switched off.
    ///
    /// # Errors
    /// When its folder cannot be made.
    pub fn new(name: String, proxy: FaultProxy, equipment: &Equipment) -> io::Result<Self> {
        let spool = equipment.spools.join(&name);
        fs::create_dir_all(&spool)?;
        Ok(Self {
            proxy,
            spool,
            files: equipment.files.join(&name),
            program: equipment.program.clone(),
            key: equipment.files.join("key"),
            interval_ms: equipment.interval_ms,
            name,
            process: None,
        })
    }

    /// Starts its client on its spool; nothing happens while it runs.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn start(&mut self) -> io::Result<()> {
        if self.process.is_some() {
            return Ok(());
        }
        let log = fs::File::options().create(true).append(true).open(self.log())?;
        let child = Command::new(&self.program)
            .args(["connect", "--host-name", &self.name])
            .args(["--interval-ms", &self.interval_ms.to_string()])
            .args(["--server", &format!("http://{}", self.proxy.address)])
            .arg("--api-key-file")
            .arg(&self.key)
            .arg("--spool-dir")
            .arg(&self.spool)
            .arg("--identity-file")
            .arg(self.files.with_extension("identity"))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .kill_on_drop(true)
            .spawn()?;
        self.process = Some(child);
        Ok(())
    }

    /// Kills its client with no chance to write anything.
    ///
    /// # Errors
    /// When the process cannot be waited for.
    pub async fn kill(&mut self) -> io::Result<()> {
        match self.process.take() {
            Some(mut process) => process.kill().await,
            None => Ok(()),
        }
    }

    /// Ends its client in an orderly manner, again and again, until nothing waits in its spool.
    ///
    /// # Errors
    /// When that does not come about within `patience`.
    pub async fn hand_over(&mut self, patience: Duration) -> Result<End, String> {
        let words = |error: io::Error| error.to_string();
        let deadline = Instant::now() + patience;
        let (mut linger, linger_max) = LINGER;
        loop {
            // A client that waits for its next try is faster when it is started anew.
            let ended = self.end().await.map_err(words)?;
            let state = read_state(&self.spool).map_err(|error| error.to_string());
            // One that was told to end before it listened to that has left the state of the one before it.
            let is_last_word = |state: &ClientState| ended == Some(state.pid);
            match &state {
                // One that had no connection may have numbers to report as lost, and the server more than it knows of.
                Ok(state)
                    if is_last_word(state)
                        && state.waiting_samples == 0
                        && state.unreported_samples == 0
                        && state.acknowledged_seq > 0 =>
                {
                    return Ok(End {
                        // Not what the spool's folder says: a client that could not open it has one of its own.
                        epoch: self.proxy.account.passed().last_epoch,
                        last_seq: state.acknowledged_seq,
                    });
                }
                _ if Instant::now() > deadline => {
                    let name = &self.name;
                    return Err(format!(
                        "{name} could not hand over its samples: {state:?}\n{}",
                        self.log_tail()
                    ));
                }
                _ => {}
            }
            self.start().map_err(words)?;
            self.connected().await;
            sleep(linger).await;
            linger = (linger * 2).min(linger_max);
        }
    }

    /// Asks the client to end; returns its process id if it did so in an orderly manner.
    async fn end(&mut self) -> io::Result<Option<u32>> {
        let Some(mut process) = self.process.take() else {
            return Ok(None);
        };
        let Some(pid) = process.id() else {
            return Ok(None);
        };
        Command::new("kill")
            .args(["-TERM", &pid.to_string()])
            .status()
            .await?;
        let status = process.wait().await?;
        Ok(status.success().then_some(pid))
    }

    /// Waits until this process of the client has a connection, and not for ever.
    async fn connected(&self) {
        let pid = self.process.as_ref().and_then(Child::id);
        let began = Instant::now();
        let is_connected = |state: ClientState| state.connected && Some(state.pid) == pid;
        while !read_state(&self.spool).is_ok_and(is_connected) && began.elapsed() < CONNECT_PATIENCE {
            sleep(LOOK).await;
        }
    }

    fn log(&self) -> PathBuf {
        self.files.with_extension("log")
    }

    fn log_tail(&self) -> String {
        let log = fs::read_to_string(self.log()).unwrap_or_default();
        let lines: Vec<&str> = log.lines().collect();
        lines[lines.len().saturating_sub(12)..].join("\n")
    }
}
