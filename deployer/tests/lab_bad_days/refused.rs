//! Days on which a rollout must not begin: a host is not there, or not as it has to be.

use toml::Value;

use crate::day::{Day, has};

#[test]
fn a_rollout_that_cannot_reach_or_use_a_host_touches_none() {
    let day = Day::begin("refused", 2);
    day.wants("two", "", "");

    // A host is down.
    day.lab("cut", &["node2"]);
    let said = day.ends("rollout", &[], 1);
    has(
        &said,
        &[
            "1 of 2 hosts cannot be reached",
            "node2: no connection",
            "is it switched on",
        ],
    );
    day.lab("heal", &["node2"]);

    // A host hangs: its kernel takes the connection, and nobody greets.
    day.lab("cut", &["node2", "--freeze"]);
    let said = day.ends("rollout", &[], 1);
    has(
        &said,
        &[
            "node2: no connection",
            "no answer within 10 s",
            "is it switched on",
        ],
    );
    day.lab("heal", &["node2"]);

    // The wrong key.
    let key = day.stage.lab_folder().join("wrong_key");
    let made = std::process::Command::new("ssh-keygen")
        .args(["-q", "-t", "ed25519", "-N", "", "-f"])
        .arg(&key)
        .status();
    assert!(made.expect("ssh-keygen runs").success());
    let hosts = day.other_hosts(|hosts| {
        let defaults = hosts.get_mut("defaults").expect("defaults");
        let defaults = defaults.as_table_mut().expect("a table");
        defaults.insert("identity_file".to_owned(), Value::from(key.display().to_string()));
    });
    let said = day.ends("rollout", &["--hosts", &hosts], 1);
    has(
        &said,
        &[
            "lets nobody in as deploy",
            "wrong_key is not accepted",
            "authorized_keys",
        ],
    );

    // Another machine answers at the address: the keys of the two hosts are exchanged.
    let hosts = day.other_hosts(|hosts| {
        let hosts = hosts.get_mut("hosts").expect("hosts");
        let hosts = hosts.as_array_mut().expect("a list");
        let keys: Vec<Value> = hosts.iter().map(|host| host["host_key"].clone()).collect();
        for (host, key) in hosts.iter_mut().zip(keys.into_iter().rev()) {
            let host = host.as_table_mut().expect("a table");
            host.insert("host_key".to_owned(), key);
        }
    });
    let said = day.ends("rollout", &["--hosts", &hosts], 1);
    has(
        &said,
        &[
            "2 of 2 hosts",
            "its host key has CHANGED to SHA256:",
            "someone may be listening",
        ],
    );

    // sudo wants a password.
    day.must("node2", "mv /etc/sudoers.d /etc/sudoers.away");
    let said = day.ends("rollout", &[], 1);
    has(
        &said,
        &[
            "node2: its container engine",
            "sudo asks for a password",
            "without one",
        ],
    );
    day.must("node2", "mv /etc/sudoers.away /etc/sudoers.d");

    // The engine's socket is off.
    day.must("node2", "systemctl stop podman.socket podman.service");
    let said = day.ends("rollout", &[], 1);
    has(
        &said,
        &[
            "podman.socket is not active",
            "systemctl enable --now podman.socket",
        ],
    );
    day.must("node2", "systemctl start podman.socket");

    // Its clock is wrong. The hosts of a lab share one clock, so what node2 says of it is made up.
    let fake = "mv /bin/date /bin/date.real && printf '#!/bin/sh\\necho $(( $(/bin/date.real +%%s) + 7200 ))\\n' >/bin/date \
                && chmod 755 /bin/date";
    day.must("node2", fake);
    let said = day.ends("check", &[], 0);
    has(&said, &["node1: ready", "node2: note: its clock is 7", "chrony"]);
    day.runs("one");

    // It is no reason not to roll out: the lock goes by the host's own clock, the rest by nobody's.
    day.ends("rollout", &[], 0);
    day.runs("two");
    day.must("node2", "mv /bin/date.real /bin/date");
}
