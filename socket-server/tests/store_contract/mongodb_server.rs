//! A server that speaks MongoDB's protocol: the one in `MONGODB_URI`, else SecantusDB from PyPI.

use std::{
    net::{SocketAddr, TcpListener},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use mongodb::{
    Client,
    bson::{Document, doc},
    options::ClientOptions,
};
use rcgen::{CertifiedKey, generate_simple_self_signed};
use socket_server::store::{StoreError, mongodb::MongoStore, retention::Retention};

use crate::door::Door;

/// The release that reference runs were made with.
const SECANTUSDB: &str = "secantusdb==0.7.0b3";

/// How long the server may take to answer on a busy machine.
const START_DEADLINE: Duration = Duration::from_secs(120);

/// The user of a server with log-ins.
const USER: &str = "metric_flow";
/// The password of that user: with letters that an address would have to escape.
pub(crate) const PASSWORD: &str = "p@ss:w/rd%";

/// Ends with the test.
pub(crate) struct MongoServer {
    address: String,
    engine: Option<Engine>,
}

/// A SecantusDB behind a door, so that its address stays when it is started again.
struct Engine {
    door: Door,
    child: Option<Child>,
    /// Log-ins, TLS and fail points are on.
    guarded: bool,
    folder: tempfile::TempDir,
}

impl MongoServer {
    /// The server that tests are given, or one without log-ins.
    pub(crate) async fn start() -> Self {
        if let Ok(address) = std::env::var("MONGODB_URI") {
            return Self {
                address,
                engine: None,
            };
        }
        let mut engine = Engine::new().await;
        engine.serve(&[]).await;
        let address = format!("mongodb://{}/?directConnection=true", engine.door.address);
        Self {
            address,
            engine: Some(engine),
        }
    }

    /// A server of the test's own with log-ins, TLS and fail points.
    pub(crate) async fn guarded() -> Self {
        let mut engine = Engine::new().await;
        engine.serve(&[]).await;
        let open = format!("mongodb://{}/?directConnection=true", engine.door.address);
        let create = doc! { "createUser": USER, "pwd": PASSWORD, "roles": ["root"] };
        let client = Client::with_uri_str(&open).await.expect("a client");
        client
            .database("admin")
            .run_command(create)
            .await
            .expect("makes the user");
        engine.kill();
        let key = generate_simple_self_signed(vec!["127.0.0.1".to_owned()]).expect("a certificate");
        let CertifiedKey { cert, signing_key } = key;
        std::fs::write(engine.file("certificate.pem"), cert.pem()).expect("written");
        std::fs::write(engine.file("key.pem"), signing_key.serialize_pem()).expect("written");
        engine.guarded = true;
        let address = format!(
            "mongodb://{USER}@{}/?directConnection=true&authSource=admin&tls=true&tlsCAFile={}",
            engine.door.address,
            engine
                .file("certificate.pem")
                .display()
                .to_string()
                .replace('/', "%2F"),
        );
        let mut server = Self {
            address,
            engine: Some(engine),
        };
        server.start_again().await;
        server
    }

    /// A store in a database of its own. On a busy machine the driver may find the server too slow more than once.
    pub(crate) async fn store(&self, database: &str) -> MongoStore {
        let began = Instant::now();
        loop {
            match self.connect(database).await {
                Err(StoreError::Unavailable { .. }) if began.elapsed() < START_DEADLINE => {}
                connected => return connected.expect("connects"),
            }
        }
    }

    /// The same, while that may fail.
    pub(crate) async fn connect(&self, database: &str) -> Result<MongoStore, StoreError> {
        let password = self.is_guarded().then(|| PASSWORD.to_owned().into());
        MongoStore::connect(&self.address_of(database), password, Retention::default()).await
    }

    /// A client of the tests' own, for what no store does.
    pub(crate) async fn client(&self) -> Client {
        let mut options = ClientOptions::parse(&self.address).await.expect("an address");
        if let Some(credential) = options.credential.as_mut() {
            credential.password = Some(PASSWORD.to_owned());
        }
        Client::with_options(options).expect("a client")
    }

    /// Ends the process as a power cut does.
    pub(crate) fn kill(&mut self) {
        self.engine().kill();
    }

    /// Starts it again with the data that it had.
    pub(crate) async fn start_again(&mut self) {
        let engine = self.engine();
        let arguments = engine.guards();
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        engine.serve(&arguments).await;
    }

    /// Ends every connection, as a broken network does.
    pub(crate) fn drop_connections(&mut self) {
        self.engine().door.drop_connections();
    }

    /// Makes the next command of a kind fail.
    pub(crate) async fn fail_next(&self, command: &str, how: Document) {
        let mut data = doc! { "failCommands": [command] };
        data.extend(how);
        let order = doc! { "configureFailPoint": "failCommand", "mode": { "times": 1 }, "data": data };
        let client = self.client().await;
        client
            .database("admin")
            .run_command(order)
            .await
            .expect("takes the fail point");
    }

    pub(crate) fn address_of(&self, database: &str) -> String {
        let (base, options) = self.address.split_once('?').unwrap_or((&self.address, ""));
        let scheme = base.find("://").map_or(0, |at| at + 3);
        let end = base[scheme..].find('/').map_or(base.len(), |at| scheme + at);
        format!("{}/{database}?{options}", &base[..end])
    }

    fn engine(&mut self) -> &mut Engine {
        self.engine.as_mut().expect("a server of the test's own")
    }

    fn is_guarded(&self) -> bool {
        self.engine.as_ref().is_some_and(|engine| engine.guarded)
    }
}

impl Engine {
    async fn new() -> Self {
        Self {
            door: Door::new().await,
            child: None,
            guarded: false,
            folder: tempfile::tempdir().expect("makes a folder"),
        }
    }

    fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn guards(&self) -> Vec<String> {
        let file = |name| self.file(name).display().to_string();
        [
            "--auth",
            "--enable-test-commands",
            "--tls-cert-file",
            &file("certificate.pem"),
            "--tls-key-file",
            &file("key.pem"),
        ]
        .map(ToOwned::to_owned)
        .to_vec()
    }

    fn kill(&mut self) {
        self.door.lead_to(None);
        if let Some(mut child) = self.child.take() {
            // It may have ended by itself.
            drop(child.kill());
            drop(child.wait());
        }
    }

    /// Starts the process and waits until it listens; on another port when somebody took the free one first.
    async fn serve(&mut self, arguments: &[&str]) {
        let began = Instant::now();
        let program = secantusd();
        loop {
            let place = TcpListener::bind("127.0.0.1:0")
                .and_then(|listener| listener.local_addr())
                .expect("finds a free port");
            let mut child = self.spawn(&program, place, arguments);
            loop {
                if tokio::net::TcpStream::connect(place).await.is_ok() {
                    self.child = Some(child);
                    self.door.lead_to(Some(place));
                    return;
                }
                assert!(
                    began.elapsed() < START_DEADLINE,
                    "SecantusDB does not listen: {}",
                    std::fs::read_to_string(self.file("log")).unwrap_or_default()
                );
                if child.try_wait().expect("asks the system").is_some() {
                    break;
                }
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
            tokio::time::sleep(Duration::from_millis(500)).await;
        }
    }

    fn spawn(&self, program: &Path, place: SocketAddr, arguments: &[&str]) -> Child {
        let log = std::fs::File::create(self.file("log")).expect("makes the log");
        Command::new(program)
            .args(["--host", "127.0.0.1", "--standalone", "--sync-on-commit"])
            .args(["--port", &place.port().to_string()])
            .arg("--storage-path")
            .arg(self.file("data"))
            .args(arguments)
            .current_dir(self.folder.path())
            .stdin(Stdio::null())
            .stdout(log.try_clone().expect("shares the log"))
            .stderr(log)
            .spawn()
            .expect("starts SecantusDB")
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        self.kill();
    }
}

/// The program, installed once into the build folder.
fn secantusd() -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(SECANTUSDB.replace("==", "-"));
    let (program, complete) = (folder.join("bin/secantusd-py"), folder.join("complete"));
    // Tests of this program run side by side, and one of them installs it.
    let lock = std::fs::File::create(folder.with_extension("lock")).expect("makes the lock");
    lock.lock().expect("locks");
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
