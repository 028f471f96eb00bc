//! Rollouts to real hosts: up, nothing to do, upgrade, a failed upgrade put back everywhere, back a release, down.
//!
//! Needs root, Podman and Debian's packages; `cargo xtask test` runs it with the feature `lab-tests`.

#![expect(clippy::expect_used, reason = "a test fails by panicking")]

use std::{
    fs,
    path::PathBuf,
    process::{Command, Output, Stdio},
};

const CONTAINERFILE: &str = "FROM scratch\nCOPY busybox /bin/busybox\nCOPY busybox /bin/sh\n";

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

/// Puts a busybox that needs no libraries into the folder: this machine's, else the one of Debian's package.
const STATIC_BUSYBOX: &str = r#"
for installed in /usr/bin/busybox /bin/busybox; do
  if [ -x $installed ] && ! ldd $installed >/dev/null 2>&1; then cp $installed busybox; exit 0; fi
done
mkdir package && cd package && apt-get download busybox-static && dpkg-deb -x *.deb . || exit 1
for unpacked in usr/bin/busybox bin/busybox; do [ -e $unpacked ] && cp $unpacked ../busybox; done
cd .. && rm -rf package && [ -x busybox ]
"#;

/// A lab and a project, both gone at the end of the test however that ends.
struct Stage {
    name: String,
    place: tempfile::TempDir,
}

impl Stage {
    fn new(purpose: &str) -> Self {
        let name = format!("r{}-{purpose}", std::process::id());
        let stage = Self {
            name,
            place: tempfile::tempdir().expect("a folder"),
        };
        let got = Command::new("sh")
            .args(["-c", STATIC_BUSYBOX])
            .current_dir(stage.place.path())
            .output();
        let got = got.expect("a shell");
        assert!(got.status.success(), "no static busybox: {}", said(&got));
        fs::write(stage.place.path().join("Containerfile"), CONTAINERFILE).expect("a Containerfile");
        fs::write(
            stage.place.path().join(".containerignore"),
            "lab\n.deployer\n*.yaml\n",
        )
        .expect("an ignore file");
        stage
    }

    fn lab(&self, verb: &str, arguments: &[&str]) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_deployer"));
        command
            .args(["lab", verb, "--name", &self.name, "--folder"])
            .arg(self.folder())
            .args(arguments);
        command.stdin(Stdio::null()).output().expect("the deployer runs")
    }

    fn folder(&self) -> PathBuf {
        self.place.path().join("lab")
    }

    fn project(&self, content: &str, script: &str) {
        let text = COMPOSE
            .replace("NAME", &self.name)
            .replace("CONTENT", content)
            .replace("SCRIPT", script);
        fs::write(self.place.path().join("compose.yaml"), text).expect("a Compose file");
    }

    fn deployer(&self, verb: &str, arguments: &[&str]) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_deployer"));
        command
            .arg(verb)
            .current_dir(self.place.path())
            .stdin(Stdio::null());
        if verb != "build" {
            command.arg("--hosts").arg(self.folder().join("hosts.toml"));
        }
        command.args(arguments).output().expect("the deployer runs")
    }

    /// Runs a verb and holds it to its exit status.
    fn ends(&self, verb: &str, arguments: &[&str], status: i32) -> String {
        let output = self.deployer(verb, arguments);
        assert_eq!(
            output.status.code(),
            Some(status),
            "{verb} {arguments:?}: {}",
            said(&output)
        );
        said(&output)
    }

    /// What the service has for a page, on each host that runs it.
    fn pages(&self) -> Vec<String> {
        let output = self.deployer("exec", &["web", "/bin/busybox", "cat", "/page.txt"]);
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        text.lines()
            .map(|line| line.split_once(" | ").map_or(line, |(_, page)| page).to_owned())
            .collect()
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        self.lab("down", &[]);
        let image = format!("localhost/{}:1", self.name);
        let _ = Command::new("podman").args(["rmi", "-f", &image]).output();
    }
}

fn said(output: &Output) -> String {
    format!(
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    )
}

#[test]
fn a_project_goes_up_forward_back_and_down() {
    let stage = Stage::new("whole");
    let up = stage.lab("up", &["--hosts", "2", "--base", "debian"]);
    assert!(up.status.success(), "{}", said(&up));
    stage.project("one", SERVES);
    stage.ends("check", &[], 0);
    stage.ends("build", &[], 0);

    // From nothing, and then nothing to do.
    let plan = stage.ends("plan", &[], 2);
    assert!(
        plan.contains("open 9090/tcp in zone") && plan.contains("ship image"),
        "{plan}"
    );
    stage.ends("rollout", &[], 0);
    assert_eq!(stage.pages(), ["one", "one"]);
    let again = stage.ends("rollout", &[], 0);
    assert!(again.contains("nothing to do"), "{again}");

    // Forward.
    stage.project("two", SERVES);
    stage.ends("rollout", &[], 0);
    assert_eq!(stage.pages(), ["two", "two"]);

    // A release that breaks is put back on every host, and its last words are in the error.
    stage.project("three", BREAKS);
    let broken = stage.ends("rollout", &[], 3);
    assert!(broken.contains("this one is broken"), "{broken}");
    assert_eq!(stage.pages(), ["two", "two"]);

    // Back a release, without knowing its name.
    stage.project("two", SERVES);
    stage.ends("rollback", &[], 0);
    assert_eq!(stage.pages(), ["one", "one"]);

    // Down, and nothing of it is left.
    stage.ends("down", &[], 0);
    assert!(stage.pages().is_empty());
    let plan = stage.ends("plan", &[], 2);
    assert!(
        plan.contains("open 9090/tcp in zone") && plan.contains("ship image"),
        "{plan}"
    );
}
