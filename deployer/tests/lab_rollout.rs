//! Rollouts to real hosts: up, nothing to do, upgrade, a failed upgrade put back everywhere, back a release, down.
//!
//! Needs root, Podman and Debian's packages; `cargo xtask test` runs it with the feature `lab-tests`.

#![expect(clippy::expect_used, reason = "a test fails by panicking")]

#[expect(dead_code, reason = "other tests need the rest")]
mod support;

use support::stage::Stage;

/// `CONTENT` is what the service runs with; `SCRIPT` is what it does.
const COMPOSE: &str = r#"
name: NAME
services:
  web:
    image: localhost/NAME:1
    build: .
    command: ["/bin/busybox", "sh", "-c", "SCRIPT"]
    network_mode: host
    expose: ["9090"]
    restart: always
    stop_grace_period: 1s
    configs: [{source: page, target: /page.txt}]
    deploy:
      mode: global
      update_config: {parallelism: 50%, monitor: 1s}
configs:
  page: {content: "CONTENT"}
"#;

const SERVES: &str = "trap 'exit 0' TERM; /bin/busybox httpd -f -p 9090 & wait";
const BREAKS: &str = "echo this one is broken; exit 3";

fn project(stage: &Stage, content: &str, script: &str) {
    let text = COMPOSE
        .replace("NAME", &stage.name)
        .replace("CONTENT", content)
        .replace("SCRIPT", script);
    stage.write("compose.yaml", text);
}

/// What the service has for a page, on each host that runs it.
fn pages(stage: &Stage) -> Vec<String> {
    stage.in_containers("web", &["/bin/busybox", "cat", "/page.txt"])
}

#[test]
fn a_project_goes_up_forward_back_and_down() {
    let stage = Stage::with_busybox("whole");
    stage.up(2);
    project(&stage, "one", SERVES);
    stage.ends("check", &[], 0);
    stage.ends("build", &[], 0);

    // From nothing, and then nothing to do.
    let plan = stage.ends("plan", &[], 2);
    assert!(
        plan.contains("open 9090/tcp in zone") && plan.contains("ship image"),
        "{plan}"
    );
    stage.ends("rollout", &[], 0);
    assert_eq!(pages(&stage), ["one", "one"]);
    let again = stage.ends("rollout", &[], 0);
    assert!(again.contains("nothing to do"), "{again}");

    // Forward.
    project(&stage, "two", SERVES);
    stage.ends("rollout", &[], 0);
    assert_eq!(pages(&stage), ["two", "two"]);

    // A release that breaks is put back on every host, and its last words are in the error.
    project(&stage, "three", BREAKS);
    let broken = stage.ends("rollout", &[], 3);
    assert!(broken.contains("this one is broken"), "{broken}");
    assert_eq!(pages(&stage), ["two", "two"]);

    // Back a release, without knowing its name.
    project(&stage, "two", SERVES);
    stage.ends("rollback", &[], 0);
    assert_eq!(pages(&stage), ["one", "one"]);

    // Down, and nothing of it is left.
    stage.ends("down", &[], 0);
    assert!(pages(&stage).is_empty());
    let plan = stage.ends("plan", &[], 2);
    assert!(
        plan.contains("open 9090/tcp in zone") && plan.contains("ship image"),
        "{plan}"
    );
}
