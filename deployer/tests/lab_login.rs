//! Ways into a host, each with the sshd of a lab host: kinds of keys, an agent, a password, certificates, `~/.ssh/config`.
//!
//! Needs root, Podman and Debian's packages; `cargo xtask test` runs it with the feature `lab-tests`.

#![expect(clippy::expect_used, reason = "a test fails by panicking")]

#[expect(dead_code, reason = "other tests need the rest")]
mod support;

use std::{
    fs,
    path::PathBuf,
    process::{Command, Output, Stdio},
};

use support::stage::{Stage, said};

/// A lab, and a home folder of its own for the person who logs in.
struct Person {
    stage: Stage,
}

impl Person {
    fn new() -> Self {
        let stage = Stage::new("login");
        stage.up(2);
        let person = Self { stage };
        fs::create_dir_all(person.ssh("")).expect("a folder");
        for (name, kind, passphrase) in [
            ("rsa", "rsa", ""),
            ("locked", "ed25519", "sesame"),
            ("authority", "ed25519", ""),
        ] {
            let made = Command::new("ssh-keygen")
                .args(["-q", "-t", kind, "-N", passphrase, "-f"])
                .arg(person.ssh(name))
                .status();
            assert!(made.expect("ssh-keygen").success());
        }
        for host in ["node1", "node2"] {
            for name in ["rsa.pub", "locked.pub"] {
                let key = person.read(name);
                person.root(
                    host,
                    &format!("echo '{}' >> /root/.ssh/authorized_keys", key.trim()),
                );
            }
        }
        person
    }

    fn ssh(&self, name: &str) -> PathBuf {
        self.stage.path().join("home/.ssh").join(name)
    }

    fn read(&self, name: &str) -> String {
        fs::read_to_string(self.ssh(name)).expect("a file")
    }

    fn write(&self, name: &str, text: &str) {
        fs::write(self.ssh(name), text).expect("a file");
    }

    fn root(&self, host: &str, command: &str) -> String {
        let done = self.stage.as_root(host, command);
        assert!(done.status.success(), "{command}: {}", said(&done));
        said(&done)
    }

    /// What the lab has recorded of a host: its name and address, then its key.
    fn known(&self, host: &str) -> String {
        let known = fs::read_to_string(self.stage.lab_folder().join("known_hosts")).expect("known_hosts");
        let line = known.lines().find(|line| line.starts_with(&format!("{host},")));
        line.expect("the host").to_owned()
    }

    /// Writes a hosts.toml with one host.
    fn host(&self, address: &str, keys: &str) {
        let text = format!("[[hosts]]\nname = \"it\"\naddress = \"{address}\"\n{keys}\n");
        self.stage.write("hosts.toml", text);
    }

    fn run(&self, verb: &str, arguments: &[&str], variables: &[(&str, &str)]) -> Output {
        let hosts = self.stage.path().join("hosts.toml").display().to_string();
        let mut command = self
            .stage
            .command(verb, &[&["--hosts", hosts.as_str()], arguments].concat());
        command
            .env("HOME", self.stage.path().join("home"))
            .env_remove("SSH_AUTH_SOCK")
            .envs(variables.iter().copied());
        command.output().expect("the deployer runs")
    }

    /// `deployer check` with the host as it stands in hosts.toml.
    fn check(&self, variables: &[(&str, &str)], status: i32) -> String {
        let output = self.run("check", &[], variables);
        assert_eq!(output.status.code(), Some(status), "{}", said(&output));
        said(&output)
    }
}

#[test]
fn every_way_into_a_host_that_ssh_knows_is_a_way_for_the_deployer() {
    let person = Person::new();
    let (one, two) = (person.stage.address_of("node1"), person.stage.address_of("node2"));
    person.write(
        "known_hosts",
        &format!("{}\n{}\n", person.known("node1"), person.known("node2")),
    );

    // RSA: this sshd takes SHA-2 signatures only.
    person.host(&one, "identity_file = \"home/.ssh/rsa\"");
    assert!(person.check(&[], 0).contains("it: ready"));

    // A key file with a passphrase.
    person.host(&one, "identity_file = \"home/.ssh/locked\"");
    assert!(
        person
            .check(&[], 1)
            .contains("it is encrypted: set DEPLOYER_KEY_PASSPHRASE")
    );
    person.check(&[("DEPLOYER_KEY_PASSPHRASE", "wrong")], 1);
    person.check(&[("DEPLOYER_KEY_PASSPHRASE", "sesame")], 0);

    // An agent.
    person.host(&one, "");
    let refused = person.check(&[], 1);
    assert!(refused.contains("no key was found"), "{refused}");
    let socket = person.stage.path().join("agent").display().to_string();
    let mut agent = Command::new("ssh-agent")
        .args(["-D", "-a", &socket])
        .stdout(Stdio::null())
        .spawn()
        .expect("ssh-agent");
    support::wait::eventually("the agent listens", || fs::metadata(&socket).ok());
    let added = Command::new("ssh-add")
        .arg("-q")
        .arg(person.ssh("rsa"))
        .env("SSH_AUTH_SOCK", &socket)
        .status();
    let through_agent = person.run("check", &[], &[("SSH_AUTH_SOCK", &socket)]);
    agent.kill().expect("it ends");
    agent.wait().expect("it ends");
    assert!(added.expect("ssh-add").success());
    assert!(through_agent.status.success(), "{}", said(&through_agent));

    // A password, asked for by the server.
    let allow = "printf 'KbdInteractiveAuthentication yes\\nPermitRootLogin yes\\nUsePAM yes\\n' > /etc/ssh/sshd_config.d/00-test.conf \
                 && echo root:open-it | chpasswd && systemctl restart ssh";
    person.root("node1", allow);
    person.check(&[("DEPLOYER_SSH_PASSWORD", "wrong")], 1);
    person.check(&[("DEPLOYER_SSH_PASSWORD", "open-it")], 0);

    // ~/.ssh/config: another name, a key, and the way over the other host.
    let config = format!(
        "Host near\n  HostName {one}\nHost far\n  HostName {two}\n  ProxyJump near\nHost *\n  User root\n  IdentityFile ~/.ssh/rsa\n"
    );
    person.write("config", &config);
    person.host("far", "");
    person.check(&[], 0);
    // The journal may be behind on a busy host.
    support::wait::eventually("node2 was reached by way of node1", || {
        let came = person.root("node2", "journalctl --no-pager -u ssh | grep Accepted || true");
        came.contains(&format!("from {one} ")).then_some(())
    });
}

#[test]
fn a_host_is_believed_by_its_recorded_key_or_by_a_certificate_and_by_nothing_else() {
    let person = Person {
        stage: Stage::new("believe"),
    };
    person.stage.up(1);
    fs::create_dir_all(person.ssh("")).expect("a folder");
    let address = person.stage.address_of("node1");
    let identity = person.stage.lab_folder().join("id_ed25519").display().to_string();
    person.host(&address, &format!("identity_file = \"{identity}\""));

    // Unknown, recorded after a yes, known; another key in its place is never recorded over.
    let unknown = person.check(&[], 1);
    assert!(
        unknown.contains("is not known") && unknown.contains("deployer trust --host it"),
        "{unknown}"
    );
    let no_answer = person.run("trust", &[], &[]);
    assert_eq!(no_answer.status.code(), Some(1), "{}", said(&no_answer));
    let recorded = person.run("trust", &["--yes"], &[]);
    assert!(said(&recorded).contains("recorded in"), "{}", said(&recorded));
    assert!(said(&person.run("trust", &[], &[])).contains("is known already"));
    person.check(&[], 0);
    let sign = Command::new("ssh-keygen")
        .args(["-q", "-t", "ed25519", "-N", "", "-f"])
        .arg(person.ssh("authority"))
        .status();
    assert!(sign.expect("ssh-keygen").success());
    let authority = person.read("authority.pub");
    person.write("known_hosts", &format!("{address} {authority}"));
    assert!(person.check(&[], 1).contains("has CHANGED"));
    assert_eq!(person.run("trust", &["--yes"], &[]).status.code(), Some(1));

    // A certificate counts for the name that it was signed for, by an authority that is recorded.
    let certify = |name: &str| {
        person.write(
            "host.pub",
            &person.root("node1", "cat /etc/ssh/ssh_host_ed25519_key.pub"),
        );
        let signed = Command::new("ssh-keygen")
            .args(["-q", "-h", "-I", "test", "-n", name, "-s"])
            .args([person.ssh("authority"), person.ssh("host.pub")])
            .status();
        assert!(signed.expect("ssh-keygen").success());
        let certificate = person.read("host-cert.pub");
        let serve = format!(
            "echo '{}' > /etc/ssh/host-cert.pub && echo 'HostCertificate /etc/ssh/host-cert.pub' > /etc/ssh/sshd_config.d/00-test.conf \
             && systemctl restart ssh",
            certificate.trim()
        );
        person.root("node1", &serve);
    };
    person.write("known_hosts", &format!("@cert-authority * {authority}"));
    assert!(
        person.check(&[], 1).contains("is not known"),
        "it shows no certificate yet"
    );
    certify("another.example");
    assert!(person.check(&[], 1).contains("is not known"));
    certify(&address);
    person.check(&[], 0);
    person.write(
        "known_hosts",
        &format!("@cert-authority * {authority}@revoked * {authority}"),
    );
    assert!(person.check(&[], 1).contains("revoked"));
}
