//! A lab on which release "one" runs, and what can be seen of it from outside.

use std::{
    fs,
    io::{Read as _, Write as _},
    net::TcpStream,
    process::{Child, Command, ExitStatus, Output},
    thread::sleep,
    time::{Duration, Instant},
};

use toml::Value;

use crate::support::{
    stage::{Stage, said},
    wait::{PATIENCE, eventually},
};

/// One service on every host. `MORE` has further keys of it, `REST` whatever comes after.
const COMPOSE: &str = r#"
name: NAME
services:
  web:
    image: localhost/NAME:1
    build: .
    command: ["/bin/busybox", "sh", "-c", "trap 'exit 0' TERM; /bin/busybox httpd -f -p 9090 -h / & wait"]
    network_mode: host
    expose: ["9090"]
    restart: always
    stop_grace_period: 1s
    configs: [{source: page, target: /page.txt}]
    deploy:
      mode: global
      update_config: {parallelism: 0, monitor: 1s}
MORE
configs:
  page: {content: "CONTENT"}
REST
"#;

/// Keys of the service that keep it from being well until `/go` is there.
pub(crate) const WAITS: &str = r#"
    healthcheck: {test: ["CMD", "/bin/busybox", "test", "-e", "/go"], interval: 1s, retries: 100000}
"#;

/// Deadlines at which a bad day is over soon, and a busy machine is still fast enough.
const LIMITS: &str = "\n[lab]\nconnect_timeout_seconds = 10\nhealth_timeout_seconds = 120\n";

/// A lab in which "one" is in place.
pub(crate) struct Day {
    pub(crate) stage: Stage,
    pub(crate) hosts: Vec<String>,
}

impl Day {
    /// Brings up so many hosts and rolls out "one".
    pub(crate) fn begin(purpose: &str, hosts: usize) -> Self {
        let day = Self::empty(purpose, hosts);
        day.wants("one", "", "");
        day.stage.ends("build", &[], 0);
        day.ends("rollout", &[], 0);
        day.runs("one");
        day
    }

    /// Brings up so many hosts.
    pub(crate) fn empty(purpose: &str, hosts: usize) -> Self {
        let stage = Stage::with_busybox(purpose);
        stage.up(hosts);
        let text = fs::read_to_string(stage.hosts_file()).expect("hosts.toml");
        fs::write(stage.hosts_file(), text + LIMITS).expect("hosts.toml");
        let hosts = (1..=hosts).map(|number| format!("node{number}")).collect();
        Self { stage, hosts }
    }

    /// Writes the Compose file of a release.
    pub(crate) fn wants(&self, content: &str, more: &str, rest: &str) {
        let text = COMPOSE
            .replace("MORE", more)
            .replace("REST", rest)
            .replace("NAME", &self.stage.name)
            .replace("CONTENT", content);
        self.stage.write("compose.yaml", text);
    }

    /// Writes another hosts.toml, made from the lab's own, and gives its path.
    pub(crate) fn other_hosts(&self, change: impl Fn(&mut toml::Table)) -> String {
        let text = fs::read_to_string(self.stage.hosts_file()).expect("hosts.toml");
        let mut table: toml::Table = text.parse().expect("TOML");
        change(&mut table);
        let path = self.stage.lab_folder().join("other.toml");
        fs::write(&path, table.to_string()).expect("a file");
        path.display().to_string()
    }

    /// The lab's hosts.toml with another way to a host, as a file of its own.
    pub(crate) fn hosts_by_wire(&self, host: &str, port: u16) -> String {
        self.other_hosts(|hosts| {
            let hosts = hosts
                .get_mut("hosts")
                .expect("hosts")
                .as_array_mut()
                .expect("a list");
            let found = hosts
                .iter_mut()
                .find(|entry| entry["name"].as_str() == Some(host));
            let found = found.expect("the host").as_table_mut().expect("a table");
            found.insert("address".to_owned(), Value::from("127.0.0.1"));
            found.insert("port".to_owned(), Value::from(i64::from(port)));
        })
    }

    /// Builds an image of so many bytes that no compression makes smaller, tagged like this.
    pub(crate) fn builds_ballast(&self, tag: &str, bytes: u64) {
        let mut source = fs::File::open("/dev/urandom").expect("random bytes").take(bytes);
        let mut ballast = Vec::new();
        source.read_to_end(&mut ballast).expect("random bytes");
        self.stage.write("ballast", ballast);
        let small = fs::read_to_string(self.stage.path().join("Containerfile")).expect("the Containerfile");
        self.stage
            .write("Containerfile", format!("{small}COPY ballast /ballast\n"));
        self.wants_tag(tag);
        self.stage.ends("build", &[], 0);
        self.stage.write("Containerfile", small);
    }

    /// Has the Compose file name another tag of the project's image.
    pub(crate) fn wants_tag(&self, tag: &str) {
        let text = fs::read_to_string(self.stage.path().join("compose.yaml")).expect("the Compose file");
        let name = &self.stage.name;
        self.stage.write(
            "compose.yaml",
            text.replace(&format!("{name}:1"), &format!("{name}:{tag}")),
        );
    }

    /// Whether a host has the lock of a rollout.
    pub(crate) fn is_locked(&self, host: &str) -> bool {
        let folder = "/home/deploy/.local/state/metric-flow-deployer";
        let lock = format!("test -e {folder}/{}/lock.json", self.stage.name);
        self.inside(host, &lock).status.success()
    }

    /// Runs a verb to its end, which comes in time, and holds it to its exit status.
    pub(crate) fn ends(&self, verb: &str, arguments: &[&str], status: i32) -> String {
        self.starts(verb, arguments).ends(status)
    }

    /// Starts a verb.
    pub(crate) fn starts(&self, verb: &str, arguments: &[&str]) -> Running {
        let log = tempfile::NamedTempFile::new().expect("a file");
        let mut command = self.stage.command(verb, arguments);
        // One file for both, each appending: they must not write over each other.
        let append = || {
            let file = fs::OpenOptions::new().append(true).open(log.path());
            file.expect("a log")
        };
        command.stdout(append()).stderr(append());
        Running {
            what: format!("{verb} {arguments:?}"),
            child: command.spawn().expect("the deployer runs"),
            log,
        }
    }

    /// What a command of root says on a host, also when the host is off the network.
    pub(crate) fn inside(&self, host: &str, script: &str) -> Output {
        let container = format!("metric-flow-lab-{}.{host}", self.stage.name);
        Command::new("podman")
            .args(["exec", &container, "sh", "-c", script])
            .output()
            .expect("podman runs")
    }

    /// The same for a command that succeeds.
    pub(crate) fn must(&self, host: &str, script: &str) -> String {
        let output = self.inside(host, script);
        assert!(output.status.success(), "{host}: {script}: {}", said(&output));
        said(&output).trim().to_owned()
    }

    /// Runs a verb of the lab that succeeds.
    pub(crate) fn lab(&self, verb: &str, arguments: &[&str]) {
        let output = self.stage.lab(verb, arguments);
        assert!(
            output.status.success(),
            "lab {verb} {arguments:?}: {}",
            said(&output)
        );
    }

    /// Every host serves this release, through its firewall.
    pub(crate) fn serves(&self, content: &str) {
        for host in &self.hosts {
            let address = self.stage.address_of(host);
            eventually(&format!("{host} serves {content}"), || {
                (page(&address)? == content).then_some(())
            });
        }
    }

    /// Every host serves this release, from one container and with nothing left of another.
    pub(crate) fn runs(&self, content: &str) {
        self.serves(content);
        for host in &self.hosts {
            let names = "podman ps --all --format '{{.Names}}'; podman ps --format '{{.Names}} runs'";
            let name = format!("{}-web-1", self.stage.name);
            assert_eq!(self.must(host, names), format!("{name}\n{name} runs"), "{host}");
        }
    }

    /// Waits until the new container of a host has been started.
    pub(crate) fn starts_on(&self, host: &str) {
        let script = format!(
            "podman exec {}-web-1 /bin/busybox grep -q two /page.txt",
            self.stage.name
        );
        eventually(&format!("the new container runs on {host}"), || {
            self.inside(host, &script).status.success().then_some(())
        });
    }

    /// Lets the new containers become well.
    pub(crate) fn go(&self) {
        for host in &self.hosts {
            let script = format!("podman exec {}-web-1 /bin/busybox touch /go", self.stage.name);
            self.must(host, &script);
        }
    }
}

fn page(address: &str) -> Option<String> {
    let address = format!("{address}:9090").parse().expect("an address");
    let mut stream = TcpStream::connect_timeout(&address, Duration::from_secs(5)).ok()?;
    stream.set_read_timeout(Some(Duration::from_secs(5))).ok()?;
    stream.write_all(b"GET /page.txt HTTP/1.0\r\n\r\n").ok()?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).ok()?;
    answer
        .split_once("\r\n\r\n")
        .map(|(_, body)| body.trim().to_owned())
}

/// A deployer that runs; killed at the end of the test however that ends.
pub(crate) struct Running {
    what: String,
    child: Child,
    log: tempfile::NamedTempFile,
}

impl Running {
    /// All that it has said so far.
    pub(crate) fn said(&self) -> String {
        fs::read_to_string(self.log.path()).expect("its log")
    }

    /// Waits until it has said something.
    pub(crate) fn says(&mut self, words: &str) {
        let deadline = Instant::now() + PATIENCE;
        while !self.said().contains(words) {
            let ended = self.child.try_wait().expect("its status");
            let late = Instant::now() >= deadline;
            assert!(
                ended.is_none() && !late,
                "{} never said `{words}`: {}",
                self.what,
                self.said()
            );
            sleep(Duration::from_millis(100));
        }
    }

    /// Waits until it has written such a line; not so when it has ended meanwhile.
    pub(crate) fn says_while_it_runs(&mut self, such: impl Fn(&str) -> bool) -> bool {
        let deadline = Instant::now() + PATIENCE;
        loop {
            if self.child.try_wait().expect("its status").is_some() {
                return false;
            }
            if self.said().lines().any(&such) {
                return true;
            }
            assert!(
                Instant::now() < deadline,
                "{} is silent: {}",
                self.what,
                self.said()
            );
            sleep(Duration::from_millis(20));
        }
    }

    /// Sends it a signal. One that has just ended does not mind: its number is nobody else's until it is asked for its end.
    pub(crate) fn signal(&self, name: &str) {
        let id = self.child.id().to_string();
        let sent = Command::new("kill").args(["-s", name, &id]).output();
        sent.expect("kill runs");
    }

    /// Waits for its end, whatever that is.
    pub(crate) fn end(&mut self) -> ExitStatus {
        let deadline = Instant::now() + PATIENCE;
        loop {
            if let Some(status) = self.child.try_wait().expect("its status") {
                return status;
            }
            assert!(
                Instant::now() < deadline,
                "{} does not end: {}",
                self.what,
                self.said()
            );
            sleep(Duration::from_millis(50));
        }
    }

    /// Holds it to its exit status; gives back all that it said.
    pub(crate) fn ends(mut self, status: i32) -> String {
        let ended = self.end();
        assert_eq!(ended.code(), Some(status), "{}: {}", self.what, self.said());
        self.said()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Checks that a text has all of these words.
pub(crate) fn has(text: &str, all: &[&str]) {
    for words in all {
        assert!(text.contains(words), "`{words}` is not in: {text}");
    }
}
