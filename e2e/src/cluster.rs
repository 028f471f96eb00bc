//! A real server and real node-clients, each behind a proxy that can fail, on disks that can be full.

use std::{
    fs,
    io::{self, Write as _},
    net::{IpAddr, Ipv4Addr, SocketAddr},
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use metric_flow_bench::api::ApiError;
use socket_server::store::{EmbeddedStore, MongoStore, TransferStore, retention::Retention};
use tempfile::TempDir;
use thiserror::Error;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    time::{Instant, sleep},
};

use crate::{
    fault_proxy::FaultProxy,
    host::{Equipment, Host},
    plan::Ground,
    programs::program,
    secantus::Secantus,
    server::Server,
    small_disk::SmallDisk,
    template::{Templates, copy},
};

/// Megabytes of a small disk for the server's store: room for all that a run writes, several times.
const STORE_DISK_MEGABYTES: usize = 32;
/// Megabytes of a small disk for all spools of a run.
const SPOOL_DISK_MEGABYTES: usize = 4;

/// Where a proxy leads while there is no server: port 1 is nobody's, while the port of a dead server may be given to the
/// server of another run, whose account this run's keys open too.
const NOWHERE: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 1);

/// Longest wait for the server to say what is so: far beyond what a busy machine needs.
const READY_DEADLINE: Duration = Duration::from_secs(240);
/// How often it is asked.
const READY_LOOK: Duration = Duration::from_millis(50);

/// Why the cluster failed; any of these fails the test.
#[derive(Debug, Error)]
pub enum ClusterError {
    /// A program is missing.
    #[error("{0}")]
    Program(String),
    /// A file, disk or process cannot be used.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// The server cannot be set up.
    #[error(transparent)]
    Api(#[from] ApiError),
    /// The server does not say of itself what is so.
    #[error("/readyz should answer {expected}, and answers: {answer}")]
    Readiness {
        /// The status that was waited for.
        expected: &'static str,
        /// What came instead.
        answer: String,
    },
}

/// The running programs of one run.
#[derive(Debug)]
pub struct Cluster {
    /// The hosts.
    pub hosts: Vec<Host>,
    /// The disk that can be filled: the store's, or that of all spools.
    pub small_disk: Option<SmallDisk>,
    database: Option<Secantus>,
    server: Option<Server>,
    server_program: PathBuf,
    ground: Ground,
    folder: TempDir,
}

impl Cluster {
    /// Starts a server on a copy of a template, and hosts that send to it.
    ///
    /// # Errors
    /// When a program cannot be started or a disk cannot be mounted.
    pub async fn start(templates: &Templates, ground: Ground) -> Result<Self, ClusterError> {
        let folder = TempDir::new()?;
        let template = match ground {
            Ground::MongoDb => templates.mongodb().await?,
            _ => templates.embedded().await?,
        };
        write_secret(&folder.path().join("key"), &template.api_key)?;
        let small_disk = match ground {
            Ground::SmallStore => Some(SmallDisk::mount(&store_of(&folder), STORE_DISK_MEGABYTES)?),
            Ground::SmallSpools => Some(SmallDisk::mount(
                &folder.path().join("spools"),
                SPOOL_DISK_MEGABYTES,
            )?),
            Ground::Embedded | Ground::MongoDb => None,
        };
        template.copy_to(&store_of(&folder)).await?;
        let database = match ground {
            Ground::MongoDb => Some(Secantus::start(&store_of(&folder)).await?),
            _ => None,
        };
        let mut cluster = Self {
            hosts: Vec::new(),
            small_disk,
            database,
            server: None,
            server_program: program("socket-server").map_err(ClusterError::Program)?,
            ground,
            folder,
        };
        let equipment = Equipment {
            program: program("node-client").map_err(ClusterError::Program)?,
            files: cluster.folder.path().to_owned(),
            spools: cluster.folder.path().join("spools"),
            interval_ms: ground.interval_ms(),
        };
        let address = cluster.start_server().await?;
        for index in 0..ground.hosts() {
            let proxy = FaultProxy::start(address).await?;
            let mut host = Host::new(format!("host-{index}"), proxy, &equipment)?;
            host.start()?;
            cluster.hosts.push(host);
        }
        Ok(cluster)
    }

    /// Kills the server as a power cut would kill its process.
    pub async fn kill_server(&mut self) {
        if let Some(server) = self.server.take() {
            for host in &self.hosts {
                host.proxy.lead_to(NOWHERE);
            }
            server.kill().await;
        }
    }

    /// Starts the server again on the same store, on any port; the proxies lead to it. Nothing happens while it runs.
    ///
    /// # Errors
    /// When it cannot be started.
    pub async fn start_server(&mut self) -> Result<SocketAddr, ClusterError> {
        if let Some(server) = &self.server {
            return Ok(server.address);
        }
        let store = match &self.database {
            Some(database) => database.address(),
            None => format!("embedded:{}", store_of(&self.folder).display()),
        };
        let server = Server::start(&self.server_program, &store, &self.server_log(), false).await?;
        for host in &self.hosts {
            host.proxy.lead_to(server.address);
        }
        let address = server.address;
        self.server = Some(server);
        Ok(address)
    }

    /// Kills the database as a power cut would kill its process; nothing happens without one.
    ///
    /// # Errors
    /// When it cannot be waited for.
    pub async fn kill_database(&mut self) -> Result<(), ClusterError> {
        if let Some(database) = &mut self.database {
            database.kill().await?;
        }
        Ok(())
    }

    /// Starts the database again on its data.
    ///
    /// # Errors
    /// When it does not listen in time.
    pub async fn start_database(&mut self) -> Result<(), ClusterError> {
        if let Some(database) = &mut self.database {
            database.start_again().await?;
        }
        Ok(())
    }

    /// Opens the store to look into it, once the server is dead.
    ///
    /// # Errors
    /// When it cannot be opened.
    pub async fn open_store(&self) -> Result<Arc<dyn TransferStore>, String> {
        let retention = Retention::default();
        let words = |error: &dyn std::error::Error| error.to_string();
        Ok(match &self.database {
            Some(database) => {
                let store = MongoStore::connect(&database.address(), None, retention).await;
                Arc::new(store.map_err(|error| words(&error))?)
            }
            None => {
                let store = EmbeddedStore::open(store_of(&self.folder), retention).await;
                Arc::new(store.map_err(|error| words(&error))?)
            }
        })
    }

    /// Waits until `/readyz` says that the server can serve, or that it cannot.
    ///
    /// # Errors
    /// When it does not say so in time.
    pub async fn until_ready(&self, ready: bool) -> Result<(), ClusterError> {
        let expected = if ready { "200" } else { "503" };
        let deadline = Instant::now() + READY_DEADLINE;
        loop {
            let answer = self.readiness().await.unwrap_or_else(|error| error.to_string());
            if answer.split_whitespace().nth(1) == Some(expected) {
                return Ok(());
            }
            if Instant::now() > deadline {
                return Err(ClusterError::Readiness { expected, answer });
            }
            sleep(READY_LOOK).await;
        }
    }

    async fn readiness(&self) -> io::Result<String> {
        let server = self
            .server
            .as_ref()
            .ok_or_else(|| io::Error::other("the server is dead"))?;
        let mut stream = TcpStream::connect(server.address).await?;
        let host = server.address;
        let request = format!("GET /readyz HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).await?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await?;
        Ok(answer)
    }

    /// What must not be in any log: a panic, wherever it was caught.
    pub fn panics(&self) -> Vec<String> {
        let log = fs::read_to_string(self.server_log()).unwrap_or_default();
        log.lines()
            .filter(|line| line.contains("panicked"))
            .map(ToOwned::to_owned)
            .collect()
    }

    /// Copies all files of the run to a folder that stays.
    ///
    /// # Errors
    /// When it cannot be written.
    pub async fn keep_evidence(&self, to: &Path) -> io::Result<()> {
        copy(self.folder.path(), to).await
    }

    /// On what it runs.
    pub fn ground(&self) -> Ground {
        self.ground
    }

    fn server_log(&self) -> PathBuf {
        self.folder.path().join("server.log")
    }
}

fn store_of(folder: &TempDir) -> PathBuf {
    folder.path().join("store")
}

/// Writes a file that only its owner may read.
fn write_secret(path: &Path, text: &str) -> io::Result<()> {
    let mut file = fs::File::options()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)?;
    file.write_all(text.as_bytes())
}
