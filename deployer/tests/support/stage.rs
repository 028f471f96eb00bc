//! A lab and a folder with a project, both gone at the end of the test however that ends.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
};

/// An image of 1 MB that can do most things: all of it is busybox.
const CONTAINERFILE: &str = "FROM scratch\nCOPY busybox /bin/busybox\nCOPY busybox /bin/sh\n";

/// Puts a busybox that needs no libraries into the folder: this machine's, else the one of Debian's package. It is there
/// for all tests from then on, so that none of them depends on the network again.
const STATIC_BUSYBOX: &str = r#"
exec 9>busybox.lock && flock 9 || exit 1
[ ! -x busybox ] || exit 0
for installed in /usr/bin/busybox /bin/busybox; do
  if [ -x $installed ] && ! ldd $installed >/dev/null 2>&1; then cp $installed busybox.new && mv busybox.new busybox; exit; fi
done
rm -rf package && mkdir package && cd package || exit 1
for try in 1 2 3; do
  apt-get -o Acquire::Retries=5 download busybox-static && break
  sleep $((try * 5)); apt-get -o DPkg::Lock::Timeout=300 update
done
dpkg-deb -x *.deb . || exit 1
for unpacked in usr/bin/busybox bin/busybox; do [ -e $unpacked ] && mv $unpacked ../busybox; done
cd .. && rm -rf package && [ -x busybox ]
"#;

/// Verbs that know nothing of hosts.
const WITHOUT_HOSTS: [&str; 4] = ["build", "completions", "man", "lab"];

/// Verbs that are followed by another.
const OF_TWO_WORDS: [&str; 2] = ["firewall", "keys"];

/// A lab on this machine and a folder beside it, in which the deployer runs.
pub(crate) struct Stage {
    /// Of the lab; a good name for the project too, and for the image `localhost/NAME`, which is removed at the end.
    pub(crate) name: String,
    place: tempfile::TempDir,
    environment: Vec<(String, String)>,
}

impl Stage {
    /// An empty folder, and no host yet. No two stages have the same name.
    pub(crate) fn new(purpose: &str) -> Self {
        Self {
            name: format!("s{}-{purpose}", std::process::id()),
            place: tempfile::tempdir().expect("a folder"),
            environment: Vec::new(),
        }
    }

    /// A stage with what it takes to build an image of busybox alone.
    pub(crate) fn with_busybox(purpose: &str) -> Self {
        let stage = Self::new(purpose);
        let place = Path::new(env!("CARGO_TARGET_TMPDIR"));
        let got = Command::new("sh")
            .args(["-c", STATIC_BUSYBOX])
            .current_dir(place)
            .output();
        let got = got.expect("a shell");
        assert!(got.status.success(), "no static busybox: {}", said(&got));
        fs::copy(place.join("busybox"), stage.path().join("busybox")).expect("a copy");
        stage.write("Containerfile", CONTAINERFILE);
        stage.write(".containerignore", "lab\n.deployer\n*.yaml\n");
        stage
    }

    /// The folder in which the deployer runs.
    pub(crate) fn path(&self) -> &Path {
        self.place.path()
    }

    /// Writes a file into it.
    pub(crate) fn write(&self, name: &str, content: impl AsRef<[u8]>) {
        fs::write(self.path().join(name), content).expect("a file");
    }

    /// The folder of the lab: hosts.toml, keys, known_hosts.
    pub(crate) fn lab_folder(&self) -> PathBuf {
        self.path().join("lab")
    }

    /// Its hosts.toml.
    pub(crate) fn hosts_file(&self) -> PathBuf {
        self.lab_folder().join("hosts.toml")
    }

    /// Gives every later deployer a variable.
    pub(crate) fn set(&mut self, name: &str, value: &str) {
        self.environment.push((name.to_owned(), value.to_owned()));
    }

    /// Brings up so many hosts: node1, node2 and so on.
    pub(crate) fn up(&self, hosts: usize) {
        let up = self.lab("up", &["--hosts", &hosts.to_string(), "--base", "debian"]);
        assert!(up.status.success(), "{}", said(&up));
    }

    /// Runs `deployer lab VERB`.
    pub(crate) fn lab(&self, verb: &str, arguments: &[&str]) -> Output {
        let mut command = self.command("lab", &[verb, "--name", &self.name, "--folder"]);
        command.arg(self.lab_folder()).args(arguments);
        command.output().expect("the deployer runs")
    }

    /// What a host says to a command of the user that the deployer logs in as.
    pub(crate) fn on(&self, host: &str, command: &str) -> Output {
        self.lab("ssh", &[host, command])
    }

    /// What a host says to a command of root.
    pub(crate) fn as_root(&self, host: &str, command: &str) -> Output {
        let known = format!(
            "UserKnownHostsFile={}",
            self.lab_folder().join("known_hosts").display()
        );
        Command::new("ssh")
            .arg("-i")
            .arg(self.lab_folder().join("id_ed25519"))
            .args(["-o", "IdentitiesOnly=yes", "-o", "StrictHostKeyChecking=yes"])
            .args(["-o", "ConnectTimeout=60", "-o", &known])
            .args([&format!("root@{}", self.address_of(host)), command])
            .stdin(Stdio::null())
            .output()
            .expect("ssh runs")
    }

    /// The address of a host.
    pub(crate) fn address_of(&self, host: &str) -> String {
        let hosts = fs::read_to_string(self.hosts_file()).expect("hosts.toml");
        let hosts: toml::Table = hosts.parse().expect("TOML");
        let hosts = hosts["hosts"].as_array().expect("a list of hosts");
        let named = hosts.iter().find(|entry| entry["name"].as_str() == Some(host));
        let address = named.expect("the host")["address"].as_str();
        address.expect("an address").to_owned()
    }

    /// `deployer VERB …` on the lab's hosts, not started yet, with nothing to read from its input.
    pub(crate) fn command(&self, verb: &str, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_deployer"));
        // A verb of two words takes its options after the second.
        let words = usize::from(OF_TWO_WORDS.contains(&verb)).min(arguments.len());
        let (word, arguments) = arguments.split_at(words);
        command
            .arg(verb)
            .args(word)
            .current_dir(self.path())
            .envs(
                self.environment
                    .iter()
                    .map(|(name, value)| (name.as_str(), value.as_str())),
            )
            .stdin(Stdio::null());
        if !WITHOUT_HOSTS.contains(&verb) && !arguments.contains(&"--hosts") {
            command.arg("--hosts").arg(self.hosts_file());
        }
        command.args(arguments);
        command
    }

    /// Runs it to its end.
    pub(crate) fn deployer(&self, verb: &str, arguments: &[&str]) -> Output {
        self.command(verb, arguments).output().expect("the deployer runs")
    }

    /// Runs it and holds it to its exit status; gives back all that it said.
    pub(crate) fn ends(&self, verb: &str, arguments: &[&str], status: i32) -> String {
        let output = self.deployer(verb, arguments);
        assert_eq!(
            output.status.code(),
            Some(status),
            "{verb} {arguments:?}: {}",
            said(&output)
        );
        said(&output)
    }

    /// What a command says in each container of a service, without the names of the hosts.
    pub(crate) fn in_containers(&self, service: &str, words: &[&str]) -> Vec<String> {
        let output = self.deployer("exec", &[&[service], words].concat());
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        text.lines()
            .map(|line| line.split_once(" | ").map_or(line, |(_, text)| text).to_owned())
            .collect()
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        // The test may have failed anywhere; what it made must not stay.
        if self.lab_folder().exists() {
            self.lab("down", &[]);
        }
        // By name: an image of the same content may have the name of another stage too.
        let images = format!(
            "podman images --format '{{{{.Repository}}}}:{{{{.Tag}}}}' --filter reference='localhost/{}' | xargs -r podman rmi",
            self.name
        );
        let _ = Command::new("sh").args(["-c", &images]).output();
    }
}

/// Both outputs of a command.
pub(crate) fn said(output: &Output) -> String {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    format!("{}{}", text(&output.stdout), text(&output.stderr))
}
