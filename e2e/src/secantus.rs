//! SecantusDB, which speaks MongoDB's protocol, as a process that can be killed and started again on its data.

use std::{
    fs::{self, File, TryLockError},
    io,
    net::TcpListener,
    ops::Range,
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};

use rand::RngExt as _;
use tokio::{
    net::TcpStream,
    process::{Child, Command},
    time::{Instant, sleep},
};

/// The release that the store's contract suite runs against.
const RELEASE: &str = "secantusdb==0.7.0b3";

/// How long it may take to listen on a busy machine.
const START_DEADLINE: Duration = Duration::from_secs(120);

/// How often that is looked at.
const LOOK: Duration = Duration::from_millis(50);

/// Where its port is from: below those that the system gives to outgoing connections and to port 0, so that nobody takes
/// it before the database listens, or while it is dead.
const PORTS: Range<u16> = 10_000..20_000;

/// One database server.
#[derive(Debug)]
pub struct Secantus {
    folder: PathBuf,
    port: u16,
    child: Option<Child>,
}

impl Secantus {
    /// Starts it on a folder.
    ///
    /// # Errors
    /// When it cannot be installed or does not listen in time.
    pub async fn start(folder: &Path) -> io::Result<Self> {
        fs::create_dir_all(folder)?;
        let mut started = Self {
            folder: folder.to_owned(),
            port: free_port()?,
            child: None,
        };
        started.start_again().await?;
        Ok(started)
    }

    /// The address for `--store`.
    pub fn address(&self) -> String {
        format!(
            "mongodb://127.0.0.1:{}/metric_flow?directConnection=true",
            self.port
        )
    }

    /// Kills it as a power cut would kill its process.
    ///
    /// # Errors
    /// When it cannot be waited for.
    pub async fn kill(&mut self) -> io::Result<()> {
        match self.child.take() {
            Some(mut child) => child.kill().await,
            None => Ok(()),
        }
    }

    /// Starts it again where it was; nothing happens while it runs.
    ///
    /// # Errors
    /// When it does not listen in time.
    pub async fn start_again(&mut self) -> io::Result<()> {
        if self.child.is_some() {
            return Ok(());
        }
        let program = install().await?;
        let log = File::options()
            .create(true)
            .append(true)
            .open(self.folder.join("log"))?;
        let child = Command::new(program)
            .args(["--host", "127.0.0.1", "--standalone", "--sync-on-commit"])
            .args(["--port", &self.port.to_string()])
            .arg("--storage-path")
            .arg(self.folder.join("data"))
            .current_dir(&self.folder)
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            .kill_on_drop(true)
            .spawn()?;
        self.child = Some(child);
        let deadline = Instant::now() + START_DEADLINE;
        while TcpStream::connect(("127.0.0.1", self.port)).await.is_err() {
            let ended = self.child.as_mut().map(Child::try_wait).transpose()?.flatten();
            if ended.is_some() || Instant::now() > deadline {
                let log = self.folder.join("log");
                return Err(io::Error::other(format!(
                    "SecantusDB does not listen; {}",
                    log.display()
                )));
            }
            sleep(LOOK).await;
        }
        Ok(())
    }
}

/// One of [`PORTS`] on which nobody listens.
fn free_port() -> io::Result<u16> {
    for _ in PORTS {
        let port = rand::rng().random_range(PORTS);
        match TcpListener::bind(("127.0.0.1", port)) {
            Ok(_) => return Ok(port),
            Err(error) if error.kind() == io::ErrorKind::AddrInUse => {}
            Err(error) => return Err(error),
        }
    }
    Err(io::Error::other("no port is free for SecantusDB"))
}

/// Its program, installed once beside the programs under test.
async fn install() -> io::Result<PathBuf> {
    let own = std::env::current_exe()?;
    let target = own
        .ancestors()
        .find(|folder| folder.ends_with("debug") || folder.ends_with("release"))
        .and_then(Path::parent)
        .ok_or_else(|| io::Error::other("this program is not in a build folder"))?;
    // The folder that cargo gives to integration tests: the store's contract suite installs it there too.
    let tools = target.join("tmp");
    let folder = tools.join(RELEASE.replace("==", "-"));
    let (program, complete) = (folder.join("bin/secantusd-py"), folder.join("complete"));
    if complete.exists() {
        return Ok(program);
    }
    fs::create_dir_all(&tools)?;
    let lock = File::create(tools.join("secantusdb.lock"))?;
    while let Err(error) = lock.try_lock() {
        match error {
            TryLockError::WouldBlock => sleep(LOOK).await,
            TryLockError::Error(error) => return Err(error),
        }
    }
    if !complete.exists() {
        run(Command::new("python3")
            .args(["-m", "venv", "--clear"])
            .arg(&folder))
        .await?;
        let mut pip = Command::new(folder.join("bin/pip"));
        run(pip.args(["install", "--quiet", "--retries", "10", RELEASE])).await?;
        fs::write(complete, "")?;
    }
    Ok(program)
}

async fn run(command: &mut Command) -> io::Result<()> {
    let done = command.stdin(Stdio::null()).output().await?;
    if done.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&done.stderr);
    Err(io::Error::other(format!(
        "SecantusDB cannot be installed: {}; install python3 with venv and let pip reach PyPI, or leave MongoDB out",
        said.trim()
    )))
}
