//! A real server and real node-clients, each behind a proxy that can fail.

use std::{
    fs, io,
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};

use metric_flow_bench::{
    api::{ApiClient, ApiError},
    process::{ProcessError, ServerProcess},
};
use tempfile::TempDir;
use thiserror::Error;
use tokio::process::{Child, Command};

use crate::{fault_proxy::FaultProxy, programs::program};

/// Distance of two samples: the shortest that a node-client takes, so that a short run has many.
const INTERVAL_MS: &str = "100";

/// Why the cluster failed; any of these fails the test.
#[derive(Debug, Error)]
pub enum ClusterError {
    /// A program is missing.
    #[error("{0}")]
    Program(String),
    /// A file or process cannot be used.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// The server cannot be started.
    #[error(transparent)]
    Process(#[from] ProcessError),
    /// The server cannot be set up.
    #[error(transparent)]
    Api(#[from] ApiError),
}

/// A store with an account and a key in it, made once and copied for each run: hashing a password is slow.
pub struct Template {
    folder: TempDir,
    api_key: String,
}

impl Template {
    /// Sets a server up and stops it.
    ///
    /// # Errors
    /// When a program is missing or the server fails.
    pub async fn make() -> Result<Self, ClusterError> {
        let folder = TempDir::new()?;
        let server_program = program("socket-server").map_err(ClusterError::Program)?;
        let server = ServerProcess::start(&server_program, folder.path(), "127.0.0.1:0", true).await?;
        let token = server.setup_token.clone().unwrap_or_default();
        let authority = server.address.to_string();
        let api = ApiClient::set_up(&authority, &token, "ada", "correct horse battery").await?;
        let api_key = api.create_key("cluster").await?;
        server.kill().await;
        Ok(Self { folder, api_key })
    }
}

/// One node-client with a spool, an identity and a network of its own.
pub struct Host {
    /// Its network.
    pub proxy: FaultProxy,
    /// Its spool's folder.
    pub spool: PathBuf,
    name: String,
    process: Option<Child>,
}

/// The running programs of one run.
pub struct Cluster {
    /// The hosts.
    pub hosts: Vec<Host>,
    server: Option<ServerProcess>,
    programs: (PathBuf, PathBuf),
    folder: TempDir,
}

impl Cluster {
    /// Starts a server on a copy of the template, and hosts that send to it.
    ///
    /// # Errors
    /// When a program cannot be started.
    pub async fn start(template: &Template, hosts: usize) -> Result<Self, ClusterError> {
        let folder = TempDir::new()?;
        copy_folder(template.folder.path(), &folder.path().join("store"))?;
        fs::write(folder.path().join("key"), &template.api_key)?;
        let programs = (
            program("socket-server").map_err(ClusterError::Program)?,
            program("node-client").map_err(ClusterError::Program)?,
        );
        let mut cluster = Self {
            hosts: Vec::new(),
            server: None,
            programs,
            folder,
        };
        cluster.start_server().await?;
        let address = cluster.server_address();
        for index in 0..hosts {
            let proxy = FaultProxy::start(address).await?;
            let spool = cluster.folder.path().join(format!("spool-{index}"));
            fs::create_dir(&spool)?;
            let mut host = Host {
                proxy,
                spool,
                name: format!("host-{index}"),
                process: None,
            };
            host.process = Some(cluster.spawn_client(&host)?);
            cluster.hosts.push(host);
        }
        Ok(cluster)
    }

    /// Folder of the server's store.
    pub fn store(&self) -> PathBuf {
        self.folder.path().join("store")
    }

    /// Whether the server was started and not killed since.
    pub fn serves(&self) -> bool {
        self.server.is_some()
    }

    /// Kills the server as a power cut would kill its process.
    pub async fn kill_server(&mut self) {
        if let Some(server) = self.server.take() {
            server.kill().await;
        }
    }

    /// Starts the server again on the same store, on any port; the proxies lead to it.
    ///
    /// # Errors
    /// When it cannot be started.
    pub async fn start_server(&mut self) -> Result<(), ClusterError> {
        self.kill_server().await;
        let server = ServerProcess::start(&self.programs.0, &self.store(), "127.0.0.1:0", false).await?;
        for host in &self.hosts {
            host.proxy.lead_to(server.address);
        }
        self.server = Some(server);
        Ok(())
    }

    /// Kills a node-client with no chance to write anything.
    ///
    /// # Errors
    /// When the process cannot be waited for.
    pub async fn kill_client(&mut self, index: usize) -> Result<(), ClusterError> {
        if let Some(mut process) = self.hosts[index].process.take() {
            process.kill().await?;
        }
        Ok(())
    }

    /// Starts a node-client again on its spool; nothing happens while it runs.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn start_client(&mut self, index: usize) -> Result<(), ClusterError> {
        if self.hosts[index].process.is_none() {
            let process = self.spawn_client(&self.hosts[index])?;
            self.hosts[index].process = Some(process);
        }
        Ok(())
    }

    /// Asks a node-client to end: it sends what it holds first.
    ///
    /// # Errors
    /// When the process cannot be waited for.
    pub async fn end_client(&mut self, index: usize) -> Result<(), ClusterError> {
        if let Some(mut process) = self.hosts[index].process.take() {
            let pid = process.id().unwrap_or_default().to_string();
            Command::new("kill").args(["-TERM", &pid]).status().await?;
            process.wait().await?;
        }
        Ok(())
    }

    fn server_address(&self) -> std::net::SocketAddr {
        let nowhere = std::net::SocketAddr::from(([127, 0, 0, 1], 9));
        self.server.as_ref().map_or(nowhere, |server| server.address)
    }

    fn spawn_client(&self, host: &Host) -> Result<Child, ClusterError> {
        let log = fs::File::options()
            .create(true)
            .append(true)
            .open(host.spool.with_extension("log"))?;
        let child = Command::new(&self.programs.1)
            .args(["connect", "--interval-ms", INTERVAL_MS, "--host-name", &host.name])
            .args(["--server", &format!("http://{}", host.proxy.address)])
            .arg("--api-key-file")
            .arg(self.folder.path().join("key"))
            .arg("--spool-dir")
            .arg(&host.spool)
            .arg("--identity-file")
            .arg(host.spool.with_extension("identity"))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .kill_on_drop(true)
            .spawn()?;
        Ok(child)
    }
}

impl Host {
    /// What its client says of itself: the state file that `node-client healthcheck` reads.
    ///
    /// # Errors
    /// When it has not written any yet.
    pub fn state(&self) -> Result<node_client::health::ClientState, String> {
        node_client::health::read_state(&self.spool).map_err(|error| error.to_string())
    }

    /// The end of its client's log, for a failure's message.
    pub fn log_tail(&self) -> String {
        let log = fs::read_to_string(self.spool.with_extension("log")).unwrap_or_default();
        let lines: Vec<&str> = log.lines().collect();
        lines[lines.len().saturating_sub(12)..].join("\n")
    }
}

/// Longest wait for a condition in these tests: far beyond what a busy machine needs.
pub const PATIENCE: Duration = Duration::from_secs(90);

fn copy_folder(from: &Path, to: &Path) -> io::Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy_folder(&entry.path(), &target)?;
        } else {
            fs::copy(entry.path(), target)?;
        }
    }
    Ok(())
}
