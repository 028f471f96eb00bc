//! The smaller commands and switches, on lab hosts: what they print, where, and how they end.
//!
//! Needs root, Podman and Debian's packages; `cargo xtask test` runs it with the feature `lab-tests`.

#![expect(clippy::expect_used, reason = "a test fails by panicking")]

#[expect(dead_code, reason = "other tests need the rest")]
mod support;

use std::{fs, net::TcpStream, time::Duration};

use serde_json::Value;
use support::stage::{Stage, said};

const COMPOSE: &str = r#"
name: NAME
services:
  web:
    image: localhost/NAME:1
    build: .
    command: ["/bin/busybox", "sh", "-c", "trap 'exit 0' TERM; echo it says WORD; /bin/busybox httpd -f -p 9090 & wait"]
    network_mode: host
    expose: ["9090"]
    restart: always
    stop_grace_period: 1s
    volumes: [{type: tmpfs, target: /scratch, read_only: true}]
    configs: [{source: page, target: /page.txt, mode: 0o440}]
    deploy: {mode: global, update_config: {parallelism: 0, monitor: 1s}}
configs:
  page: {content: "WORD"}
"#;

/// After which line of it a health check stands, where there is to be one.
const CHECK: (&str, &str) = (
    "    restart: always\n",
    "    healthcheck: {test: [\"CMD\", \"/bin/busybox\", \"test\", \"!\", \"-e\", \"/sick\"], interval: 2s, retries: 3}\n",
);

fn project(stage: &Stage, word: &str) {
    let text = COMPOSE.replace("NAME", &stage.name).replace("WORD", word);
    stage.write("compose.yaml", text);
}

#[test]
fn the_smaller_commands_say_what_they_should_and_end_as_documented() {
    let stage = Stage::with_busybox("commands");
    stage.up(2);
    let hosts = fs::read_to_string(stage.hosts_file()).expect("hosts.toml");
    fs::write(
        stage.hosts_file(),
        format!("{hosts}\n[lab]\nconnect_timeout_seconds = 10\n"),
    )
    .expect("hosts.toml");
    project(&stage, "one");

    // A host's sudo lets this user do a few things only: that must not be taken for the reason.
    let off = stage.as_root("node1", "systemctl stop podman.socket podman.service");
    assert!(off.status.success(), "{}", said(&off));
    let found = stage.ends("check", &["--host", "node1"], 1);
    assert!(found.contains("podman.socket is not active"), "{found}");
    let on = stage.as_root("node1", "systemctl start podman.socket");
    assert!(on.status.success(), "{}", said(&on));

    // --json: an object a line on stdout. --no-firewall: nothing is opened.
    let rollout = stage.deployer("rollout", &["--build", "--json", "--no-firewall"]);
    assert!(rollout.status.success(), "{}", said(&rollout));
    let text = String::from_utf8_lossy(&rollout.stdout).into_owned();
    let events: Vec<Value> = text
        .lines()
        .filter_map(|line| serde_json::from_str(line).ok())
        .collect();
    assert!(events.iter().any(|event| event["event"] == "finished"), "{text}");
    let opened = stage.ends("firewall", &["show", "--json"], 0);
    assert!(!opened.contains(r#""opened_by_us": true"#), "{opened}");

    // The firewall by itself: opened and closed as a rollout would, each once, on one host or on all.
    let port = |host: &str| -> Value {
        let shown = stage.deployer("firewall", &["show", "--json"]);
        assert!(shown.status.success(), "{}", said(&shown));
        let rows: Vec<Value> = serde_json::from_slice(&shown.stdout).expect("rows");
        let row = rows
            .into_iter()
            .find(|row| row["host"] == host && row["port"] == "9090/tcp");
        row.unwrap_or_default()
    };
    let answers = |host: &str| {
        let address = (stage.address_of(host), 9090);
        let mut addresses = std::net::ToSocketAddrs::to_socket_addrs(&address).expect("an address");
        let address = addresses.next().expect("an address");
        TcpStream::connect_timeout(&address, Duration::from_secs(10)).is_ok()
    };
    assert_eq!(
        (&port("node1")["wanted"], answers("node1")),
        (&Value::Bool(true), false)
    );
    let comes_to_answer = |host: &str| {
        support::wait::eventually(&format!("{host} answers"), || answers(host).then_some(()));
    };
    stage.ends("firewall", &["open", "--host", "node1"], 0);
    comes_to_answer("node1");
    for (host, open) in [("node1", true), ("node2", false)] {
        let row = port(host);
        for field in ["runtime", "permanent", "opened_by_us"] {
            assert_eq!(row[field], open, "{host}: {row}");
        }
        assert_eq!(answers(host), open, "{host}");
    }
    stage.ends("firewall", &["open"], 0);
    assert!(stage.ends("firewall", &["open"], 0).contains("nothing to do"));
    comes_to_answer("node2");
    stage.ends("firewall", &["close"], 0);
    assert!(!answers("node1") && !answers("node2"));
    assert!(stage.ends("firewall", &["close"], 0).contains("nothing to do"));
    assert_eq!(port("node1")["opened_by_us"], false);
    // A rollout finds the closed ports, and opens them again.

    // A config's mode and a tmpfs that cannot be written.
    let modes = stage.in_containers("web", &["/bin/busybox", "stat", "-c", "%a", "/page.txt"]);
    assert_eq!(modes, ["440", "440"]);
    stage.ends("exec", &["web", "/bin/busybox", "touch", "/scratch/x"], 1);

    // logs, exec, restart, unlock, status.
    let logs = stage.deployer("logs", &["-n", "1", "web"]);
    let logs = String::from_utf8_lossy(&logs.stdout).into_owned();
    for host in ["node1 web | it says one", "node2 web | it says one"] {
        assert!(logs.contains(host), "{logs}");
    }
    stage.ends("exec", &["web", "/bin/busybox", "false"], 1);
    assert!(
        stage
            .ends("exec", &["nothing", "true"], 1)
            .contains("no container of service `nothing`")
    );
    let restarted = stage.ends("restart", &["web"], 0);
    assert_eq!(restarted.matches(": restarted ").count(), 2, "{restarted}");
    assert!(stage.ends("unlock", &[], 0).contains("node1: no lock"));
    stage.ends("status", &["--json"], 2);
    stage.ends("rollout", &[], 0);
    stage.ends("status", &["--json"], 0);
    what_a_glance_shows(&stage);

    // --keep-going: the host that cannot be reached is left out, and the status says so.
    project(&stage, "two");
    let cut = stage.lab("cut", &["node2"]);
    assert!(cut.status.success(), "{}", said(&cut));
    stage.ends("rollout", &[], 1);
    let kept_going = stage.ends("rollout", &["--keep-going"], 1);
    assert!(kept_going.contains("warning: node2"), "{kept_going}");
    assert!(
        stage
            .ends(
                "exec",
                &["--host", "node1", "web", "/bin/busybox", "cat", "/page.txt"],
                0
            )
            .contains("two")
    );
    let healed = stage.lab("heal", &["node2"]);
    assert!(healed.status.success(), "{}", said(&healed));
    support::wait::eventually("node2 is back", || {
        stage.on("node2", "true").status.success().then_some(())
    });
    stage.ends("rollout", &[], 0);
    assert_eq!(
        stage.in_containers("web", &["/bin/busybox", "cat", "/page.txt"]),
        ["two", "two"]
    );
    stage.ends("down", &[], 0);
}

/// Once a look has found nothing to do, the next rollout glances: it does without the engine, and sees what has changed.
fn what_a_glance_shows(stage: &Stage) {
    let root = |command: &str| {
        let done = stage.as_root("node1", command);
        assert!(done.status.success(), "{command}: {}", said(&done));
    };
    let settled = || assert!(stage.ends("rollout", &[], 0).contains("nothing to do"));
    settled();
    // Anything else that starts or ends on the host meanwhile is a reason to look properly, so it has more than one chance.
    support::wait::eventually("a glance does without the engine", || {
        root("systemctl stop podman.socket podman.service");
        let glanced = stage.deployer("rollout", &[]);
        root("systemctl start podman.socket");
        if glanced.status.success() {
            return Some(());
        }
        settled();
        None
    });
    for (change, mended) in [
        ("firewall-cmd --remove-port=9090/tcp", "open 9090/tcp"),
        ("podman stop --all", "start "),
        ("podman pause --all", "start "),
    ] {
        root(change);
        let rollout = stage.ends("rollout", &[], 0);
        assert!(rollout.contains(mended), "{change}: {rollout}");
        settled();
    }
    what_a_glance_shows_of_health(stage);
}

/// A container whose check fails stays as it is, and is named: from the first failure on no glance is to be believed.
fn what_a_glance_shows_of_health(stage: &Stage) {
    let compose = COMPOSE.replace(CHECK.0, &format!("{}{}", CHECK.0, CHECK.1));
    let compose = compose.replace("NAME", &stage.name).replace("WORD", "one");
    stage.write("compose.yaml", compose);
    stage.ends("rollout", &[], 0);
    for (change, sick) in [("touch", true), ("rm", false)] {
        let words = ["--host", "node1", "web", "/bin/busybox", change, "/sick"];
        stage.ends("exec", &words, 0);
        support::wait::eventually(&format!("what is said after {change}"), || {
            let rollout = stage.ends("rollout", &[], 0);
            assert!(rollout.contains("nothing to do"), "{rollout}");
            (rollout.contains("is unhealthy") == sick).then_some(())
        });
    }
}

#[test]
fn commands_without_hosts_write_what_a_person_starts_from() {
    let stage = Stage::new("plain");
    let file = stage.path().join("new.toml").display().to_string();
    stage.ends("init", &["--hosts", &file], 0);
    let written = fs::read_to_string(&file).expect("hosts.toml");
    let again = stage.ends("init", &["--hosts", &file], 1);
    assert!(again.contains("cannot write"), "{again}");
    assert_eq!(
        fs::read_to_string(&file).expect("hosts.toml"),
        written,
        "it stays as it is"
    );
    assert!(deployer::inventory::Inventory::parse(&written, stage.path()).is_ok());

    for shell in ["bash", "zsh", "fish"] {
        let script = stage.deployer("completions", &[shell]);
        assert!(script.status.success());
        assert!(
            String::from_utf8_lossy(&script.stdout).contains("rollback"),
            "{shell}"
        );
    }
    let pages = stage.path().join("man").display().to_string();
    stage.ends("man", &["--directory", &pages], 0);
    let page = fs::read_to_string(stage.path().join("man/deployer-rollout.1")).expect("a page");
    assert!(page.contains("keep\\-going"), "{page}");
    assert!(stage.ends("man", &[], 0).contains("deployer"));
}
