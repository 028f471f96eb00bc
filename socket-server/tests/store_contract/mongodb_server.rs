//! A server that speaks MongoDB's protocol: the one in `MONGODB_URI`, else SecantusDB from PyPI.

use std::{
    net::TcpListener,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use socket_server::store::{Store, mongodb::MongoStore, retention::Retention};

/// The release that reference runs were made with.
const SECANTUSDB: &str = "secantusdb==0.7.0b3";

/// How long the server may take to answer on a busy machine.
const START_DEADLINE: Duration = Duration::from_secs(120);

/// Ends with the test.
pub(crate) struct MongoServer {
    address: String,
    child: Option<Child>,
    _folder: Option<tempfile::TempDir>,
}

impl MongoServer {
    pub(crate) async fn start() -> Self {
        if let Ok(address) = std::env::var("MONGODB_URI") {
            return Self {
                address,
                child: None,
                _folder: None,
            };
        }
        let program = secantusd();
        let folder = tempfile::tempdir().expect("makes a folder");
        let port = TcpListener::bind("127.0.0.1:0")
            .and_then(|listener| listener.local_addr())
            .expect("finds a free port")
            .port();
        let log = std::fs::File::create(folder.path().join("log")).expect("makes the log");
        let child = Command::new(program)
            .args([
                "--host",
                "127.0.0.1",
                "--standalone",
                "--sync-on-commit",
                "--port",
                &port.to_string(),
            ])
            .arg("--storage-path")
            .arg(folder.path().join("data"))
            .current_dir(folder.path())
            .stdin(Stdio::null())
            .stdout(log.try_clone().expect("shares the log"))
            .stderr(log)
            .spawn()
            .expect("starts SecantusDB");
        let mut server = Self {
            address: format!("mongodb://127.0.0.1:{port}/?directConnection=true"),
            child: Some(child),
            _folder: Some(folder),
        };
        server.wait_until_it_answers().await;
        server
    }

    /// A store in a database of its own.
    pub(crate) async fn store(&self, database: &str) -> MongoStore {
        let opened = MongoStore::connect(&self.address_of(database), None, Retention::default()).await;
        opened.expect("connects")
    }

    fn address_of(&self, database: &str) -> String {
        let (base, options) = self.address.split_once('?').unwrap_or((&self.address, ""));
        let scheme = base.find("://").map_or(0, |at| at + 3);
        let end = base[scheme..].find('/').map_or(base.len(), |at| scheme + at);
        format!("{}/{database}?{options}", &base[..end])
    }

    async fn wait_until_it_answers(&mut self) {
        let began = Instant::now();
        loop {
            if let Ok(store) =
                MongoStore::connect(&self.address_of("warm_up"), None, Retention::default()).await
                && store.check().await.is_ok()
            {
                return;
            }
            let ended = self
                .child
                .as_mut()
                .and_then(|child| child.try_wait().expect("asks the system"));
            assert!(ended.is_none(), "SecantusDB ended early: {ended:?}");
            assert!(
                began.elapsed() < START_DEADLINE,
                "SecantusDB does not answer at {}",
                self.address
            );
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }
}

impl Drop for MongoServer {
    fn drop(&mut self) {
        if let Some(mut child) = self.child.take() {
            // It may have ended by itself.
            drop(child.kill());
            drop(child.wait());
        }
    }
}

/// The program, installed once into the build folder.
fn secantusd() -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(SECANTUSDB.replace("==", "-"));
    let (program, complete) = (folder.join("bin/secantusd-py"), folder.join("complete"));
    if complete.exists() {
        return program;
    }
    run(Command::new("python3")
        .args(["-m", "venv", "--clear"])
        .arg(&folder));
    run(Command::new(folder.join("bin/pip")).args(["install", "--quiet", "--retries", "10", SECANTUSDB]));
    std::fs::write(complete, "").expect("notes that it is complete");
    program
}

fn run(command: &mut Command) {
    let done = command.status();
    assert!(
        done.as_ref().is_ok_and(std::process::ExitStatus::success),
        "{command:?} failed ({done:?}): install python3 with venv and let pip reach PyPI, \
         or give a MongoDB 6 to 8 by MONGODB_URI=mongodb://…"
    );
}
