//! Days on which it is the deployer that ends, or that is not alone.

use crate::{
    day::{Day, WAITS, has},
    support::wait::eventually,
};

#[test]
fn a_rollout_that_is_stopped_killed_or_not_alone_can_be_gone_on_with_or_put_back() {
    let day = Day::begin("stopped", 2);
    let lock = format!(
        "test -e /home/deploy/.local/state/metric-flow-deployer/{}/lock.json",
        day.stage.name
    );

    // Two at once: the second one says whose the lock is, and changes nothing.
    day.wants("two", WAITS, "");
    let first = day.starts("rollout", &[]);
    day.starts_on("node1");
    day.starts_on("node2");
    let said = day.ends("rollout", &[], 4);
    has(
        &said,
        &["is rolling out", "by the lock on node1", "`deployer unlock`"],
    );

    // Ctrl-C while it waits for health: at once, and the lock is given back.
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
    assert!(!day.inside("node1", &lock).status.success());
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
    assert!(
        day.inside("node1", &lock).status.success(),
        "a killed process gives nothing back"
    );
    let mut third = day.starts("rollout", &["--resume"]);
    third.says("took over the lock");
    third.says("-web-1 to be well");
    day.go();
    third.ends(0);
    day.runs("two");

    // Ctrl-C in the middle of a change of the firewall: the change is finished, then put back.
    let slow = "mv /usr/bin/firewall-cmd /usr/bin/firewall-cmd.real && printf '%s\\n' '#!/bin/sh' \
        'case \"$*\" in *--add-port*) touch /run/changing; while [ ! -e /run/go ]; do sleep 0.1; done;; esac' \
        'exec /usr/bin/firewall-cmd.real \"$@\"' >/usr/bin/firewall-cmd && chmod 755 /usr/bin/firewall-cmd";
    day.must("node1", slow);
    day.wants("three", "    ports: [\"9091:9091\"]\n", "");
    let mut fourth = day.starts("rollout", &[]);
    eventually("the firewall is being changed", || {
        day.inside("node1", "test -e /run/changing")
            .status
            .success()
            .then_some(())
    });
    fourth.signal("INT");
    fourth.says("stopping after the running step");
    day.must("node1", "touch /run/go");
    fourth.ends(130);
    day.must("node1", "mv /usr/bin/firewall-cmd.real /usr/bin/firewall-cmd");
    day.ends("rollback", &[], 0);
    assert!(
        !day.must("node1", "firewall-cmd --zone=public --list-ports")
            .contains("9091")
    );
    day.runs("two");

    // The lock is taken away: nothing more is done.
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
