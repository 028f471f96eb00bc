//! Days on which a rollout fails on one host: every host is put back, and the error has the cause and the cure.

use crate::day::{Day, has};

#[test]
fn a_rollout_that_fails_on_one_host_is_put_back_on_all() {
    let day = Day::begin("putback", 2);
    let name = &day.stage.name;

    // An image that is nowhere.
    day.wants("two", "", "");
    day.wants_tag("nowhere");
    let said = day.ends("rollout", &[], 3);
    has(
        &said,
        &[
            ":nowhere is neither here nor can the host pull it",
            "`deployer build`",
            "as it was before",
        ],
    );
    day.runs("one");

    // No room for an image, where the engine of node2 unpacks it.
    day.wants("two", "", "");
    day.builds_ballast("2", 3 << 20);
    day.must("node2", "mount -t tmpfs -o size=1m tmpfs /var/tmp");
    let said = day.ends("rollout", &[], 3);
    has(
        &said.to_lowercase(),
        &[
            "node2: ",
            "no space left on device",
            "make room on the host",
            "as it was before",
        ],
    );
    day.must("node2", "umount -l /var/tmp");
    day.runs("one");
    for host in &day.hosts {
        let images = day.must(host, "podman images --format '{{.Repository}}:{{.Tag}}'");
        assert!(!images.contains(&format!("{name}:2")), "{host}: {images}");
    }

    // Somebody has the port on node2.
    day.must(
        "node2",
        "systemd-run --quiet --unit=taken systemd-socket-activate --listen=7070 --accept --inetd echo mine",
    );
    let side = format!(
        "  side:\n    image: localhost/{name}:1\n    command: [\"/bin/busybox\", \"sleep\", \"1000000\"]\n    ports: [\"7070:7070\"]\n    \
         stop_grace_period: 1s\n    deploy: {{mode: global, update_config: {{parallelism: 0, monitor: 1s}}}}\n"
    );
    day.wants("one", &side, "");
    let said = day.ends("rollout", &[], 3);
    has(
        &said.to_lowercase(),
        &[
            "node2: ",
            "address already in use",
            "`ss -ltnp` says what",
            "as it was before",
        ],
    );
    day.must("node2", "systemctl stop taken.service");
    day.runs("one");

    // A check that is never good.
    let sick = "    healthcheck: {test: [\"CMD\", \"/bin/busybox\", \"sh\", \"-c\", \"echo no pulse; exit 1\"], interval: 1s, retries: 2}\n";
    day.wants("two", sick, "");
    let said = day.ends("rollout", &[], 3);
    has(&said, &["-web-1 is unhealthy", "no pulse", "as it was before"]);
    day.runs("one");

    // A container that ends at once.
    let ends = "    entrypoint: [\"/bin/busybox\", \"sh\", \"-c\", \"echo the last words; exit 3\"]\n";
    day.wants("two", ends, "");
    let said = day.ends("rollout", &[], 3);
    has(&said, &["| the last words", "as it was before"]);
    // Which of the two depends on how soon the deployer looks; how often it was restarted by then, too.
    assert!(
        said.contains("ended with status 3") || said.contains("-web-1 was restarted "),
        "{said}"
    );
    day.runs("one");

    let said = {
        day.wants("one", "", "");
        day.ends("rollout", &[], 0)
    };
    has(&said, &["nothing to do"]);
}
