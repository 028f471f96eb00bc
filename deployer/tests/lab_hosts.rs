//! Labs on this machine's engine, by the program itself: hosts that come up, fail on command, and go without a trace.
//!
//! Needs root, Podman and packages; `cargo xtask test` runs it with the feature `lab-tests`.

#![expect(clippy::expect_used, reason = "a test fails by panicking")]

use std::{
    fs,
    io::Write as _,
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
    thread::sleep,
    time::{Duration, Instant},
};

/// How long something may take to become true on a machine that is busy with other tests.
const PATIENCE: Duration = Duration::from_secs(300);

const BOOTSTRAP: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../provision/bootstrap.sh");

/// A lab with a name of its own, taken down at the end of the test however that ends.
struct Lab {
    name: String,
    place: tempfile::TempDir,
}

impl Lab {
    fn new(purpose: &str) -> Self {
        Self {
            name: format!("t{}-{purpose}", std::process::id()),
            place: tempfile::tempdir().expect("a folder"),
        }
    }

    fn folder(&self) -> PathBuf {
        self.place.path().join("lab")
    }

    fn command(&self, verb: &str, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_deployer"));
        command.args(["lab", verb, "--name", &self.name, "--folder"]);
        command.arg(self.folder()).args(arguments).stdin(Stdio::null());
        command
    }

    fn run(&self, verb: &str, arguments: &[&str]) -> Output {
        self.command(verb, arguments).output().expect("the deployer runs")
    }

    /// What a verb that must succeed prints.
    fn must(&self, verb: &str, arguments: &[&str]) -> String {
        let output = self.run(verb, arguments);
        assert!(
            output.status.success(),
            "lab {verb} {arguments:?}: {}",
            said(&output)
        );
        said(&output)
    }

    /// Up from packages: what happens where no image can be pulled, and the same everywhere.
    fn up(&self, arguments: &[&str]) -> String {
        self.must("up", &[&["--base", "debian"], arguments].concat())
    }

    fn state_of(&self, host: &str) -> String {
        let status = self.must("status", &[]);
        let line = status
            .lines()
            .find(|line| line.starts_with(host))
            .unwrap_or_default();
        line.split_whitespace().skip(2).collect::<Vec<_>>().join(" ")
    }

    fn address_of(&self, host: &str) -> String {
        let status = self.must("status", &[]);
        let line = status
            .lines()
            .find(|line| line.starts_with(host))
            .expect("the host");
        line.split_whitespace().nth(1).expect("its address").to_owned()
    }

    /// A command on a host as root, with something to read.
    fn as_root(&self, host: &str, command: &str, input: &[u8]) -> Output {
        let mut ssh = Command::new("ssh")
            .arg("-i")
            .arg(self.folder().join("id_ed25519"))
            .args([
                "-o",
                "IdentitiesOnly=yes",
                "-o",
                "StrictHostKeyChecking=yes",
                "-o",
                "ConnectTimeout=60",
            ])
            .arg("-o")
            .arg(format!(
                "UserKnownHostsFile={}",
                self.folder().join("known_hosts").display()
            ))
            .arg(format!("root@{}", self.address_of(host)))
            .arg(command)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("ssh runs");
        let mut stdin = ssh.stdin.take().expect("its input");
        // A command that does not read ends first; what it says tells more than a broken pipe.
        let _ = stdin.write_all(input);
        drop(stdin);
        ssh.wait_with_output().expect("ssh ends")
    }

    /// What the engine still has of this lab.
    fn leftovers(&self) -> String {
        let filter = format!("label=metric-flow.lab={}", self.name);
        let list = |arguments: &[&str]| {
            let listed = Command::new("podman")
                .args(arguments)
                .args(["--filter", &filter])
                .output();
            String::from_utf8_lossy(&listed.expect("podman runs").stdout)
                .trim()
                .to_owned()
        };
        [
            list(&["ps", "--all", "--quiet"]),
            list(&["network", "ls", "--quiet"]),
            list(&["volume", "ls", "--quiet"]),
        ]
        .concat()
    }
}

impl Drop for Lab {
    fn drop(&mut self) {
        // The test may have failed anywhere; what it made must not stay.
        let _ = self.run("down", &[]);
    }
}

fn said(output: &Output) -> String {
    format!(
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    )
}

fn eventually(what: &str, mut holds: impl FnMut() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !holds() {
        assert!(Instant::now() < deadline, "not within {PATIENCE:?}: {what}");
        sleep(Duration::from_millis(300));
    }
}

#[test]
fn a_lab_comes_up_once_answers_by_name_and_goes_without_a_trace() {
    let lab = Lab::new("trace");
    let inventory = lab.up(&["--hosts", "2"]);
    assert!(inventory.contains("hosts.toml"), "{inventory}");
    let text = fs::read_to_string(lab.folder().join("hosts.toml")).expect("hosts.toml");
    assert_eq!(text.matches("ssh-ed25519 ").count(), 2, "{text}");
    for host in ["node1", "node2"] {
        assert_eq!(lab.must("ssh", &[host, "hostname"]).trim(), host);
    }
    assert!(lab.up(&["--hosts", "2"]).contains("nothing to do"));
    assert!(!lab.run("ssh", &["node1", "false"]).status.success());
    assert_eq!(lab.run("ssh", &["node7", "true"]).status.code(), Some(64));

    lab.must("down", &[]);
    assert_eq!(lab.leftovers(), "");
    assert!(!lab.folder().exists());
    assert!(lab.must("down", &[]).contains("nothing to do"));
}

#[test]
fn a_host_is_cut_off_frozen_healed_and_rebooted() {
    let lab = Lab::new("faults");
    lab.up(&["--hosts", "1"]);
    lab.must("cut", &["node1"]);
    assert_eq!(lab.state_of("node1"), "cut silent");
    let up = lab.up(&["--hosts", "1"]);
    assert!(up.contains("heal"), "{up}");
    // Somebody tidies up networks that look unused.
    let removed = Command::new("podman")
        .args(["network", "rm", &format!("metric-flow-lab-{}", lab.name)])
        .output();
    assert!(removed.is_ok_and(|output| output.status.success()));
    let heal = said(&lab.run("heal", &["node1"]));
    for words in [
        "is gone, somebody has removed it",
        "lab up --name",
        "lab heal --name",
    ] {
        assert!(heal.contains(words), "{heal}");
    }
    lab.up(&["--hosts", "1"]);
    lab.must("heal", &["node1"]);
    eventually("it answers", || lab.state_of("node1") == "running answers");
    lab.must("cut", &["node1", "--freeze"]);
    assert_eq!(lab.state_of("node1"), "paused silent");
    lab.must("heal", &["node1"]);
    eventually("it answers", || lab.state_of("node1") == "running answers");

    lab.must("ssh", &["node1", "touch", "kept"]);
    assert!(lab.as_root("node1", "touch /run/lost", b"").status.success());
    lab.must("reboot", &["node1"]);
    let found = lab.must(
        "ssh",
        &["node1", "ls kept; ls /run/lost 2>/dev/null || echo rebooted"],
    );
    assert!(found.contains("kept") && found.contains("rebooted"), "{found}");
}

#[test]
fn a_firewall_blocks_a_port_from_a_neighbour_until_it_is_opened() {
    let lab = Lab::new("firewall");
    lab.up(&["--hosts", "2"]);
    let serve = "systemd-run --quiet --unit=greeter systemd-socket-activate --listen=7777 --accept --inetd echo hello";
    let served = lab.as_root("node1", serve, b"");
    assert!(served.status.success(), "{}", said(&served));
    let ask = |from: &str, address: &str| {
        let script = format!("timeout 10 bash -c 'cat </dev/tcp/{address}/7777'");
        said(&lab.run("ssh", &[from, &script]))
    };
    let address = lab.address_of("node1");
    eventually("the host hears itself", || {
        ask("node1", "127.0.0.1").contains("hello")
    });
    assert!(!ask("node2", &address).contains("hello"), "the port is closed");
    lab.must(
        "ssh",
        &["node1", "sudo", "-n", "firewall-cmd", "--add-port=7777/tcp"],
    );
    eventually("the neighbour is heard", || {
        ask("node2", &address).contains("hello")
    });
}

#[test]
fn bootstrap_makes_a_host_of_a_bare_machine_and_then_finds_nothing_to_change() {
    let lab = Lab::new("bare");
    lab.up(&["--hosts", "1", "--bare"]);
    let script = fs::read(BOOTSTRAP).expect("bootstrap.sh");
    let key = fs::read_to_string(lab.folder().join("id_ed25519.pub")).expect("the public key");
    let run = |arguments: &str| {
        let command = format!("bash -s -- --key '{}' {arguments}", key.trim());
        lab.as_root("node1", &command, &script)
    };
    let before = run("--check");
    assert_eq!(before.status.code(), Some(2), "{}", said(&before));
    assert!(
        said(&before).contains("not so: packages: podman"),
        "{}",
        said(&before)
    );

    let first = run("");
    assert!(first.status.success(), "{}", said(&first));
    let check = run("--check");
    assert_eq!(
        (check.status.code(), said(&check).contains("as wanted")),
        (Some(0), true),
        "{}",
        said(&check)
    );
    let second = run("");
    assert!(said(&second).contains("nothing to change"), "{}", said(&second));

    // The deploy user may do what the deployer needs, and nothing else.
    let may = lab.as_root("node1", "runuser -u deploy -- sudo -n firewall-cmd --state", b"");
    assert!(said(&may).contains("running"), "{}", said(&may));
    for verb in ["disable", "enable", "is-enabled"] {
        let command = format!("runuser -u deploy -- sudo -n systemctl {verb} podman-restart.service");
        let kept_over_boots = lab.as_root("node1", &command, b"");
        assert!(
            kept_over_boots.status.success(),
            "{verb}: {}",
            said(&kept_over_boots)
        );
    }
    let may_not = lab.as_root("node1", "runuser -u deploy -- sudo -n id", b"");
    assert!(!may_not.status.success(), "{}", said(&may_not));
}

#[test]
fn two_labs_stand_side_by_side_and_one_goes_without_the_other() {
    let (first, second) = (Lab::new("left"), Lab::new("right"));
    first.up(&["--hosts", "1"]);
    second.up(&["--hosts", "1"]);
    assert_ne!(first.address_of("node1"), second.address_of("node1"));
    first.must("down", &[]);
    assert_eq!(second.must("ssh", &["node1", "hostname"]).trim(), "node1");
    assert_eq!(first.leftovers(), "");
    assert_ne!(second.leftovers(), "");
}

#[test]
fn what_a_killed_up_left_is_completed_by_the_next_and_removed_by_down() {
    // The images are there from here on, so that it is the making of hosts that is interrupted.
    Lab::new("before").up(&["--hosts", "1"]);
    let lab = Lab::new("halfway");
    let mut command = lab.command("up", &["--base", "debian", "--hosts", "3"]);
    let mut up = command
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("the deployer runs");
    eventually("a network and a volume are made", || {
        lab.leftovers().contains(&lab.name) || up.try_wait().is_ok_and(|ended| ended.is_some())
    });
    // SIGKILL: it cannot tidy up after itself.
    up.kill().expect("it is killed");
    up.wait().expect("it ends");
    lab.up(&["--hosts", "3"]);
    assert_eq!(lab.must("ssh", &["node3", "hostname"]).trim(), "node3");
    lab.must("down", &[]);
    assert_eq!(lab.leftovers(), "");
    assert!(!lab.folder().exists());
    let socket = format!("/run/metric-flow-lab-{}-0", up.id());
    assert!(!Path::new(&socket).exists(), "{socket}");
}
