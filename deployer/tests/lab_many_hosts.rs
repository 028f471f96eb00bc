//! Twenty hosts at once, in a test file of its own: nothing else is to wait for them, nor they for anything else.
//!
//! Needs root, Podman and Debian's packages; `cargo xtask test` runs it with the feature `lab-tests`.

#![expect(clippy::expect_used, reason = "a test fails by panicking")]

#[expect(dead_code, reason = "other tests need the rest")]
mod support;

use std::{fs, thread};

use support::stage::{Stage, said};

/// As many as a rollout works on at once, and more than the sshd of a host or the engine of this machine like together.
const HOSTS: usize = 20;

/// Far beyond what so many hosts need on a machine that is busy with other suites.
const PATIENCE: &str =
    "\n[lab]\nconnect_timeout_seconds = 120\nstep_timeout_seconds = 300\nhealth_timeout_seconds = 300\n";

/// No port: what a firewall does to twenty hosts it does to one, in a tenth of the time.
const COMPOSE: &str = r#"
name: NAME
services:
  web:
    image: localhost/NAME:1
    build: .
    command: ["/bin/busybox", "sh", "-c", "trap 'exit 0' TERM; while :; do /bin/busybox sleep 1; done"]
    network_mode: none
    restart: always
    stop_grace_period: 1s
    deploy: {mode: global, update_config: {parallelism: 0, monitor: 1s}}
"#;

/// All that such a rollout may leave behind on a host.
const TRACES: &str = "podman ps --all --quiet; podman images --all --quiet; podman volume ls --quiet; \
    find /home/deploy/.local ! -type d 2>/dev/null; systemctl is-enabled podman-restart.service";

/// What there is on each host, asked side by side.
fn traces(stage: &Stage) -> Vec<String> {
    let hosts: Vec<String> = (1..=HOSTS).map(|number| format!("node{number}")).collect();
    thread::scope(|all| {
        let asked: Vec<_> = hosts
            .iter()
            .map(|host| all.spawn(move || said(&stage.as_root(host, TRACES))))
            .collect();
        asked
            .into_iter()
            .map(|said| said.join().expect("an answer"))
            .collect()
    })
}

#[test]
fn twenty_hosts_at_once_take_a_rollout_and_give_it_back() {
    let stage = Stage::with_busybox("many");
    stage.up(HOSTS);
    let hosts = fs::read_to_string(stage.hosts_file()).expect("hosts.toml");
    fs::write(stage.hosts_file(), hosts + PATIENCE).expect("hosts.toml");
    stage.write("compose.yaml", COMPOSE.replace("NAME", &stage.name));
    let before = traces(&stage);
    assert!(before.iter().all(|found| found.trim() == "enabled"), "{before:?}");

    stage.ends("rollout", &["--build"], 0);
    let answers = stage.in_containers("web", &["/bin/busybox", "echo", "it runs"]);
    assert_eq!(answers, vec!["it runs"; HOSTS]);
    let again = stage.ends("rollout", &[], 0);
    assert!(again.contains("nothing to do"), "{again}");

    let down = stage.ends("down", &[], 0);
    assert_eq!(down.matches("removed 1 container(s)").count(), HOSTS, "{down}");
    assert_eq!(traces(&stage), before);
}
