//! Days on which it is the deployer that ends, or that is not alone.

use crate::{
    day::{Day, WAITS, has},
    hold::Hold,
    support::wait::eventually,
    wire::Wire,
};

/// The bytes of an image, and those after which it goes no further for a while.
const BALLAST: u64 = 6 << 20;
const LIMIT: u64 = 3 << 20;

#[test]
fn a_rollout_that_is_stopped_killed_or_not_alone_can_be_gone_on_with_or_put_back() {
    let day = Day::begin("stopped", 2);
    not_alone_stopped_and_killed(&day);
    stopped_in_a_transfer_and_killed_in_a_start(&day);
    stopped_in_a_firewall_change_and_in_a_start(&day);
    robbed_of_the_lock(&day);
}

/// Two at once; Ctrl-C and kill -9 while it waits for health.
fn not_alone_stopped_and_killed(day: &Day) {
    // The second one says whose the lock is, and changes nothing.
    day.wants("two", WAITS, "");
    let first = day.starts("rollout", &[]);
    day.starts_on("node1");
    day.starts_on("node2");
    let said = day.ends("rollout", &[], 4);
    has(
        &said,
        &["is rolling out", "by the lock on node1", "`deployer unlock`"],
    );

    // Ctrl-C: at once, and the lock is given back.
    first.signal("INT");
    let said = first.ends(130);
    has(
        &said,
        &[
            "stopping after the running step",
            "the lock is given back",
            "--resume",
        ],
    );
    assert!(!day.is_locked("node1"));
    let said = day.ends("rollout", &[], 1);
    has(
        &said,
        &["was cut off on node1", "`deployer rollout --resume` goes on"],
    );

    // Gone on with: what is there already is waited for, and nothing is done twice. Then killed.
    let mut second = day.starts("rollout", &["--resume"]);
    second.says("-web-1 to be well");
    second.signal("KILL");
    second.end();
    assert!(day.is_locked("node1"), "a killed process gives nothing back");
    let mut third = day.starts("rollout", &["--resume"]);
    third.says("took over the lock");
    third.says("-web-1 to be well");
    day.go();
    third.ends(0);
    day.runs("two");
}

/// Ctrl-C in the middle of an image: the transfer is finished. Then kill -9 in the middle of a start.
fn stopped_in_a_transfer_and_killed_in_a_start(day: &Day) {
    day.wants("two", "    environment: {ROUND: \"2\"}\n", "");
    day.builds_ballast("2", BALLAST);
    let wire = Wire::to_ssh_of(day, "node2", LIMIT);
    let mut first = day.starts("rollout", &["--hosts", &day.hosts_by_wire("node2", wire.port)]);
    wire.is_cut();
    first.signal("INT");
    first.says("stopping after the running step");
    wire.is_whole_again();
    let said = first.ends(130);
    has(
        &said,
        &["what was begun is finished", "--resume", "deployer rollback"],
    );
    assert!(!day.is_locked("node1") && !day.is_locked("node2"));
    let images = day.must("node2", "podman images --format '{{.Repository}}:{{.Tag}}'");
    assert!(images.contains(&format!("{}:2", day.stage.name)), "{images}");

    let start = Hold::on_start(day, "node1");
    let mut second = day.starts("rollout", &["--resume"]);
    start.is_reached();
    second.signal("KILL");
    second.end();
    start.goes_on();
    let said = day.ends("rollout", &["--resume"], 0);
    has(&said, &["took over the lock"]);
    day.runs("two");
    let said = day.ends("rollout", &[], 0);
    has(&said, &["nothing to do"]);
}

/// Ctrl-C in the middle of a change of the firewall, then in the middle of a start: both are finished, then put back.
fn stopped_in_a_firewall_change_and_in_a_start(day: &Day) {
    day.wants("three", "    ports: [\"9091:9091\"]\n", "");
    stopped_at(day, Hold::on_firewall(day, "node1"), &[]);
    stopped_at(day, Hold::on_start(day, "node1"), &["--resume"]);
    day.serves("three");
    day.ends("rollback", &[], 0);
    for list in ["", "--permanent "] {
        let ports = day.must("node1", &format!("firewall-cmd {list}--zone=public --list-ports"));
        assert!(!ports.contains("9091"), "{list}{ports}");
    }
    day.runs("two");
}

/// Ctrl-C while a program waits in the middle of a step, which is then finished.
fn stopped_at(day: &Day, hold: Hold<'_>, arguments: &[&str]) {
    let mut rollout = day.starts("rollout", arguments);
    hold.is_reached();
    rollout.signal("INT");
    rollout.says("stopping after the running step");
    hold.goes_on();
    rollout.ends(130);
    assert!(!day.is_locked("node1") && !day.is_locked("node2"));
}

/// The lock is taken away: nothing more is done.
fn robbed_of_the_lock(day: &Day) {
    day.wants("two", &format!("{WAITS}    environment: {{AGAIN: \"1\"}}\n"), "");
    let robbed = day.starts("rollout", &[]);
    eventually("the rollout waits for health", || {
        robbed.said().contains("node1: replace").then_some(())
    });
    day.ends("unlock", &[], 0);
    let said = robbed.ends(4);
    has(
        &said,
        &[
            "does not hold its lock any more",
            "was removed, by `deployer unlock`",
            "deployer status",
        ],
    );
    day.ends("rollback", &[], 0);
    day.runs("two");
}
