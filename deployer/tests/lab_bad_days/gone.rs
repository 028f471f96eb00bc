//! Hosts that are switched off and on again, and a project that goes as if it had never been there.

use crate::{
    day::{Day, has},
    support::wait::eventually,
};

/// All that a rollout may have touched on a host: engine, firewall now and at the next boot, units, files.
const TRACES: &str = "podman ps --all --format '{{.Names}}'; podman images --all --format '{{.ID}} {{.Repository}}'; \
    podman network ls --format '{{.Name}}'; podman volume ls --format '{{.Name}}'; podman secret ls --format '{{.Name}}'; \
    for when in '' --permanent; do for what in ports rich-rules services; do firewall-cmd $when --zone=public --list-$what; done; done; \
    systemctl is-enabled podman-restart.service podman.socket firewalld.service ssh.service; \
    find /home/deploy /etc/systemd /etc/containers ! -type d | sort";

#[test]
fn containers_are_back_after_a_boot_and_down_leaves_hosts_as_they_were() {
    let day = Day::empty("gone", 2);
    let name = &day.stage.name;
    for host in &day.hosts {
        day.must(host, "systemctl disable podman-restart.service");
    }
    let traces = || -> Vec<String> { day.hosts.iter().map(|host| said_of(&day, host, TRACES)).collect() };
    let before = traces();

    day.stage.write("word", "secret");
    let side = format!(
        "  side:\n    image: localhost/{name}:1\n    command: [\"/bin/busybox\", \"sleep\", \"1000000\"]\n    networks: [back]\n    \
         volumes: [\"data:/data\"]\n    secrets: [word]\n    restart: always\n    stop_grace_period: 1s\n    \
         deploy: {{mode: global, update_config: {{parallelism: 0, monitor: 1s}}}}\n"
    );
    let rest = "networks: {back: {}}\nvolumes: {data: {}}\nsecrets: {word: {file: ./word}}\n";
    day.wants("one", &side, rest);
    day.stage.ends("build", &[], 0);
    day.ends("rollout", &[], 0);
    day.serves("one");

    std::thread::scope(|all| {
        for host in &day.hosts {
            all.spawn(|| day.lab("reboot", &[host]));
        }
    });
    // Through the firewall, which forgets at a boot what was only opened for the moment.
    day.serves("one");
    for host in &day.hosts {
        eventually(&format!("both containers are back on {host}"), || {
            let running = day.must(host, "podman ps --format '{{.Names}}'");
            (running.lines().count() == 2).then_some(())
        });
    }
    let said = day.ends("rollout", &[], 0);
    has(&said, &["nothing to do"]);
    day.ends("status", &[], 0);

    let said = day.ends("down", &["--volumes"], 0);
    has(&said, &["removed 2 container(s), 1 volume(s)"]);
    assert_eq!(traces(), before);
}

/// A unit that is not enabled makes a listing end with another status than 0; what it says counts.
fn said_of(day: &Day, host: &str, script: &str) -> String {
    String::from_utf8_lossy(&day.inside(host, script).stdout).into_owned()
}
