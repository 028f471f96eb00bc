//! Days on which the connection to a host breaks in the middle of a step.

use crate::{
    day::{Day, WAITS, has},
    hold::Hold,
    wire::Wire,
};

/// The bytes of an image, and those after which the way to node2 is cut: well after the connection is up.
const BALLAST: u64 = 8 << 20;
const LIMIT: u64 = 3 << 20;

#[test]
fn a_host_that_is_cut_off_in_a_transfer_or_reboots_in_a_start_is_put_back_when_it_is_there_again() {
    let day = Day::begin("lost", 2);
    let name = &day.stage.name;

    // In the middle of an image.
    day.wants("two", "", "");
    day.builds_ballast("2", BALLAST);
    let wire = Wire::to_ssh_of(&day, "node2", LIMIT);
    let hosts = day.hosts_by_wire("node2", wire.port);
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
    let firewall = Hold::on_firewall(&day, "node2");
    day.wants("two", port, "");
    let mut rollout = day.starts("rollout", &[]);
    firewall.is_reached();
    day.lab("cut", &["node2"]);
    firewall.goes_on();
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
