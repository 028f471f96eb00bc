//! Days on which the connection to a host breaks in the middle of a step.

use std::{net::SocketAddr, path::Path};

use toml::Value;

use crate::{
    day::{Day, WAITS, has},
    wire::Wire,
};

/// Where a rollout to node2 is cut: well after the connection is up, and before an image of eight megabytes is there.
const LIMIT: u64 = 3 << 20;

#[test]
fn a_host_that_is_cut_off_in_a_transfer_or_reboots_in_a_start_is_put_back_when_it_is_there_again() {
    let day = Day::begin("lost", 2);
    let name = &day.stage.name;

    // In the middle of an image.
    assert!(random(&day, "ballast", 8 << 20));
    day.stage.write(
        "Containerfile",
        "FROM scratch\nCOPY busybox /bin/busybox\nCOPY busybox /bin/sh\nCOPY ballast /ballast\n",
    );
    day.wants("two", "", "");
    let text = std::fs::read_to_string(day.stage.path().join("compose.yaml")).expect("the Compose file");
    day.stage.write(
        "compose.yaml",
        text.replace(&format!("{name}:1"), &format!("{name}:2")),
    );
    day.stage.ends("build", &[], 0);
    let address: SocketAddr = format!("{}:22", day.stage.address_of("node2"))
        .parse()
        .expect("an address");
    let wire = Wire::to(address, LIMIT);
    let hosts = day.other_hosts(|hosts| {
        let host = hosts.get_mut("hosts").expect("hosts").get_mut(1).expect("node2");
        let host = host.as_table_mut().expect("a table");
        host.insert("address".to_owned(), Value::from("127.0.0.1"));
        host.insert("port".to_owned(), Value::from(i64::from(wire.port)));
    });
    let mut rollout = day.starts("rollout", &["--hosts", &hosts]);
    wire.is_cut();
    day.lab("cut", &["node2"]);
    rollout.says("putting back");
    day.lab("heal", &["node2"]);
    let said = rollout.ends(3);
    has(
        &said,
        &[
            "node2: the connection was lost in the middle of `ship image",
            "as it was before",
            "deployer rollout",
        ],
    );
    day.runs("one");
    let images = day.must("node2", "podman images --format '{{.Repository}}:{{.Tag}}'");
    assert!(!images.contains(&format!("{name}:2")), "{images}");

    // In the middle of a start, by a reboot.
    day.wants("two", WAITS, "");
    let rollout = day.starts("rollout", &[]);
    day.starts_on("node2");
    day.lab("reboot", &["node2"]);
    let said = rollout.ends(3);
    has(
        &said,
        &[
            "node2: the connection was lost in the middle of `replace",
            "as it was before",
        ],
    );
    day.runs("one");
}

#[test]
fn a_host_that_stays_away_is_named_and_put_back_later() {
    let day = Day::begin("away", 2);
    let port = "    ports: [\"9091:9091\"]\n";

    // In the middle of a firewall change, which is done by the time the host is there again.
    let slow = "mv /usr/bin/firewall-cmd /usr/bin/firewall-cmd.real && printf '%s\\n' '#!/bin/sh' \
        'case \"$*\" in *--add-port*) touch /run/changing; while [ ! -e /run/go ]; do sleep 0.1; done;; esac' \
        'exec /usr/bin/firewall-cmd.real \"$@\"' >/usr/bin/firewall-cmd && chmod 755 /usr/bin/firewall-cmd";
    day.must("node2", slow);
    day.wants("two", port, "");
    let mut rollout = day.starts("rollout", &[]);
    crate::support::wait::eventually("the firewall is being changed", || {
        day.inside("node2", "test -e /run/changing")
            .status
            .success()
            .then_some(())
    });
    day.lab("cut", &["node2"]);
    day.must("node2", "touch /run/go");
    rollout.says("putting back");
    let said = rollout.ends(1);
    has(
        &said,
        &[
            "node2: the connection was lost in the middle of `open 9091/tcp",
            "node2: it could not be put back: no connection",
            "not everything could be put back",
            "`deployer rollback` tries again",
        ],
    );
    day.lab("heal", &["node2"]);
    day.must("node2", "mv /usr/bin/firewall-cmd.real /usr/bin/firewall-cmd");
    assert!(
        day.must("node2", "firewall-cmd --zone=public --list-ports")
            .contains("9091/tcp")
    );
    let said = day.ends("rollout", &[], 1);
    has(&said, &["was cut off on node2", "--resume"]);
    day.ends("rollback", &[], 0);
    for list in ["", "--permanent "] {
        let ports = day.must("node2", &format!("firewall-cmd {list}--zone=public --list-ports"));
        assert!(
            ports.contains("9090/tcp") && !ports.contains("9091/tcp"),
            "{list}{ports}"
        );
    }
    day.runs("one");

    // In the middle of a start, and gone on with later.
    day.wants("two", WAITS, "");
    let rollout = day.starts("rollout", &["--keep-going"]);
    day.starts_on("node2");
    day.starts_on("node1");
    day.lab("cut", &["node2"]);
    day.must(
        "node1",
        &format!("podman exec {}-web-1 /bin/busybox touch /go", day.stage.name),
    );
    let said = rollout.ends(1);
    has(
        &said,
        &[
            "node2: the connection was lost in the middle of `replace",
            "not on every host",
            "--resume",
        ],
    );
    day.lab("heal", &["node2"]);
    let mut resumed = day.starts("rollout", &["--resume"]);
    resumed.says("-web-1 to be well");
    day.go();
    resumed.ends(0);
    day.runs("two");
}

/// Writes a file that no compression makes smaller.
fn random(day: &Day, name: &str, bytes: u64) -> bool {
    let path: &Path = &day.stage.path().join(name);
    let mut source = std::io::Read::take(std::fs::File::open("/dev/urandom").expect("random bytes"), bytes);
    let mut file = std::fs::File::create(path).expect("a file");
    std::io::copy(&mut source, &mut file).expect("written") == bytes
}
