//! What travels to a host: the layers that it lacks, or the whole image where its sshd forwards no port.
//!
//! Needs root, Podman and Debian's packages; `cargo xtask test` runs it with the feature `lab-tests`.

#![expect(clippy::expect_used, reason = "a test fails by panicking")]

#[expect(dead_code, reason = "other tests need the rest")]
mod support;

use std::{collections::BTreeMap, fs, io::Read as _};

use serde_json::Value;
use support::stage::{Stage, said};

/// The big layer comes before the small one, as a good Containerfile has it. The argument ends up in the image.
const CONTAINERFILE: &str = "FROM scratch\nARG WORD=nothing\nCOPY busybox /bin/busybox\nCOPY busybox /bin/sh\n\
                             COPY big /big\nENV WORD=$WORD\nCOPY small /small\n";

const COMPOSE: &str = r#"
name: NAME
services:
  web:
    image: localhost/NAME:1
    build: {context: ., args: {WORD: told}}
    command: ["/bin/busybox", "sh", "-c", "trap 'exit 0' TERM; while :; do /bin/busybox sleep 1; done"]
    stop_grace_period: 1s
    network_mode: none
    deploy:
      mode: global
      update_config: {parallelism: 0, monitor: 1s}
"#;

/// 50 MB that do not compress.
const BIG_BYTES: u64 = 50_000_000;

fn stage() -> Stage {
    let stage = Stage::with_busybox("shipping");
    let random = fs::File::open("/dev/urandom").expect("random bytes");
    let mut big = Vec::new();
    random
        .take(BIG_BYTES)
        .read_to_end(&mut big)
        .expect("random bytes");
    stage.write("big", big);
    stage.write("Containerfile", CONTAINERFILE);
    stage.write("compose.yaml", COMPOSE.replace("NAME", &stage.name));
    stage
}

/// Builds with that content of the small file and rolls out; what came to each host, by its name.
fn release(stage: &Stage, small: &str) -> BTreeMap<String, Value> {
    stage.write("small", small);
    let rollout = stage.deployer("rollout", &["--build", "--json"]);
    assert!(rollout.status.success(), "{}", said(&rollout));
    let text = String::from_utf8_lossy(&rollout.stdout).into_owned();
    let events = text
        .lines()
        .filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let shipped = events.filter(|event| event["event"] == "shipped");
    shipped
        .map(|event| (event["task"].as_str().expect("a host").to_owned(), event))
        .collect()
}

fn small(stage: &Stage) -> Vec<String> {
    stage.in_containers("web", &["/bin/busybox", "cat", "/small"])
}

#[test]
fn a_small_change_of_a_big_image_ships_little_and_a_host_without_forwarding_gets_all_of_it() {
    let stage = stage();
    stage.up(2);

    let first = release(&stage, "a");
    assert_eq!(first.len(), 2, "{first:?}");
    for event in first.values() {
        assert_eq!(event["way"], "layers", "{event}");
        assert!(event["sent_bytes"].as_u64() >= Some(BIG_BYTES), "{event}");
        assert!(event["image_bytes"].as_u64() >= Some(BIG_BYTES), "{event}");
    }
    assert_eq!(small(&stage), ["a", "a"]);
    let word = stage.in_containers("web", &["/bin/sh", "-c", "echo $WORD"]);
    assert_eq!(word, ["told", "told"], "build.args are carried out");

    // One byte: at most a tenth of the image goes to each host.
    let second = release(&stage, "b");
    assert_eq!(second.len(), 2, "{second:?}");
    for event in second.values() {
        assert_eq!(event["way"], "layers", "{event}");
        assert!(event["sent_bytes"].as_u64() <= Some(BIG_BYTES / 10), "{event}");
    }
    assert_eq!(small(&stage), ["b", "b"]);

    // The names of the transfers are gone.
    let names = stage.on(
        "node1",
        "sudo -n podman images --format '{{.Repository}}:{{.Tag}}'",
    );
    assert!(!said(&names).contains("deployer-"), "{}", said(&names));

    let forbid = "printf 'AllowTcpForwarding no\\n' > /etc/ssh/sshd_config.d/00-test.conf \
                  && systemctl reload ssh";
    let forbidden = stage.as_root("node2", forbid);
    assert!(forbidden.status.success(), "{}", said(&forbidden));
    let third = release(&stage, "c");
    assert_eq!(third["node1"]["way"], "layers", "{third:?}");
    assert_eq!(third["node2"]["way"], "whole", "{third:?}");
    let reason = third["node2"]["reason"].as_str().expect("a reason");
    assert!(reason.contains("forwards no port"), "{reason}");
    assert_eq!(small(&stage), ["c", "c"]);
    stage.ends("down", &["--volumes"], 0);
}
