//! What travels to a host: the layers that it lacks, or the whole image where its sshd forwards no port; nothing where it
//! pulls from a registry.
//!
//! Needs root, Podman and Debian's packages; `cargo xtask test` runs it with the feature `lab-tests`.

#![expect(clippy::expect_used, reason = "a test fails by panicking")]

#[expect(dead_code, reason = "other tests need the rest")]
mod support;

use std::{
    collections::BTreeMap,
    fs,
    io::{BufRead as _, BufReader, Read as _},
    net::UdpSocket,
    os::unix::fs::PermissionsExt as _,
    path::PathBuf,
    process::{Child, Command, Stdio},
};

use serde_json::Value;
use support::stage::{Stage, said};

/// The big layer comes before the small one, as a good Containerfile has it. The argument ends up in the image.
const CONTAINERFILE: &str = "FROM scratch\nARG WORD=nothing\nCOPY busybox /bin/busybox\nCOPY busybox /bin/sh\n\
                             COPY big /big\nENV WORD=$WORD\nCOPY small /small\n";

const COMPOSE: &str = r#"
name: NAME
services:
  web:
    image: localhost/NAME:1
    build: {context: ., args: {WORD: told}}
    command: ["/bin/busybox", "sh", "-c", "trap 'exit 0' TERM; while :; do /bin/busybox sleep 1; done"]
    stop_grace_period: 1s
    network_mode: none
    deploy:
      mode: global
      update_config: {parallelism: 0, monitor: 1s}
"#;

/// 50 MB that do not compress.
const BIG_BYTES: u64 = 50_000_000;

fn stage() -> Stage {
    let stage = Stage::with_busybox("shipping");
    let random = fs::File::open("/dev/urandom").expect("random bytes");
    let mut big = Vec::new();
    random
        .take(BIG_BYTES)
        .read_to_end(&mut big)
        .expect("random bytes");
    stage.write("big", big);
    stage.write("Containerfile", CONTAINERFILE);
    stage.write("compose.yaml", COMPOSE.replace("NAME", &stage.name));
    stage
}

/// Builds with that content of the small file and rolls out; what came to each host, by its name.
fn release(stage: &Stage, small: &str) -> BTreeMap<String, Value> {
    stage.write("small", small);
    let rollout = stage.deployer("rollout", &["--build", "--json"]);
    assert!(rollout.status.success(), "{}", said(&rollout));
    let text = String::from_utf8_lossy(&rollout.stdout).into_owned();
    let events = text
        .lines()
        .filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let shipped = events.filter(|event| event["event"] == "shipped");
    shipped
        .map(|event| (event["task"].as_str().expect("a host").to_owned(), event))
        .collect()
}

fn small(stage: &Stage) -> Vec<String> {
    stage.in_containers("web", &["/bin/busybox", "cat", "/small"])
}

#[test]
fn a_small_change_of_a_big_image_ships_little_and_a_host_without_forwarding_gets_all_of_it() {
    let stage = stage();
    stage.up(2);

    let first = release(&stage, "a");
    assert_eq!(first.len(), 2, "{first:?}");
    for event in first.values() {
        assert_eq!(event["way"], "layers", "{event}");
        assert!(event["sent_bytes"].as_u64() >= Some(BIG_BYTES), "{event}");
        assert!(event["image_bytes"].as_u64() >= Some(BIG_BYTES), "{event}");
    }
    assert_eq!(small(&stage), ["a", "a"]);
    let word = stage.in_containers("web", &["/bin/sh", "-c", "echo $WORD"]);
    assert_eq!(word, ["told", "told"], "build.args are carried out");

    // One byte: at most a tenth of the image goes to each host.
    let second = release(&stage, "b");
    assert_eq!(second.len(), 2, "{second:?}");
    for event in second.values() {
        assert_eq!(event["way"], "layers", "{event}");
        assert!(event["sent_bytes"].as_u64() <= Some(BIG_BYTES / 10), "{event}");
    }
    assert_eq!(small(&stage), ["b", "b"]);

    // The names of the transfers are gone.
    let names = stage.on(
        "node1",
        "sudo -n podman images --format '{{.Repository}}:{{.Tag}}'",
    );
    assert!(!said(&names).contains("deployer-"), "{}", said(&names));

    let forbid = "printf 'AllowTcpForwarding no\\n' > /etc/ssh/sshd_config.d/00-test.conf \
                  && systemctl restart ssh";
    let forbidden = stage.as_root("node2", forbid);
    assert!(forbidden.status.success(), "{}", said(&forbidden));
    let third = release(&stage, "c");
    assert_eq!(third["node1"]["way"], "layers", "{third:?}");
    assert_eq!(third["node2"]["way"], "whole", "{third:?}");
    let reason = third["node2"]["reason"].as_str().expect("a reason");
    assert!(reason.contains("forwards no port"), "{reason}");
    assert_eq!(small(&stage), ["c", "c"]);
    stage.ends("down", &["--volumes"], 0);
}

/// A registry on an address that the lab's hosts reach, gone with the test.
struct Registry {
    process: Child,
    name: String,
    /// Of its own making, as PEM, when it speaks TLS.
    certificate: Option<String>,
}

/// Who is let into a registry, and how it is spoken to.
#[derive(Clone, Copy)]
enum Kind {
    Open,
    /// [`USERS`] only.
    Guarded,
    /// The same by TLS.
    Encrypted,
}

impl Registry {
    fn start(stage: &Stage, purpose: &str, kind: Kind) -> Self {
        // The address of this machine in the lab's network: from where a packet to a host would go.
        let socket = UdpSocket::bind("0.0.0.0:0").expect("a socket");
        socket
            .connect((stage.address_of("node1"), 9))
            .expect("a way to the host");
        let address = socket.local_addr().expect("an address").ip();
        let folder = stage.path().join(purpose);
        fs::create_dir(&folder).expect("a folder");
        let mut config = format!(
            "version: 0.1\nlog: {{level: info}}\nstorage: {{filesystem: {{rootdirectory: {}}}}}\nhttp: {{addr: '{address}:0'}}\n",
            folder.display()
        );
        let mut certificate = None;
        if matches!(kind, Kind::Encrypted) {
            let key = rcgen::KeyPair::generate().expect("a key");
            let made = rcgen::CertificateParams::new(vec![address.to_string()])
                .and_then(|parameters| parameters.self_signed(&key))
                .expect("a certificate");
            let (public, private) = (folder.join("public.pem"), folder.join("private.pem"));
            fs::write(&public, made.pem()).expect("a file");
            fs::write(&private, key.serialize_pem()).expect("a file");
            // Inside `http`, which is the last so far.
            config.truncate(config.trim_end().len() - 1);
            config += &format!(
                ", tls: {{certificate: {}, key: {}}}}}\n",
                public.display(),
                private.display()
            );
            certificate = Some(made.pem());
        }
        if !matches!(kind, Kind::Open) {
            let file = folder.join("users");
            fs::write(&file, USERS).expect("a file");
            config += &format!("auth: {{htpasswd: {{realm: lab, path: {}}}}}\n", file.display());
        }
        fs::write(folder.join("config.yml"), config).expect("a file");
        let mut process = Command::new("docker-registry")
            .arg("serve")
            .arg(folder.join("config.yml"))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .expect("docker-registry runs: provision/dev-setup.sh containers");
        let mut lines = BufReader::new(process.stderr.take().expect("its log")).lines();
        let port = lines
            .by_ref()
            .map_while(Result::ok)
            .find_map(|line| {
                let (_, rest) = line.split_once("listening on ")?;
                let address: String = rest.chars().take_while(|c| !"\", ".contains(*c)).collect();
                address.rsplit_once(':')?.1.parse::<u16>().ok()
            })
            .expect("it says where it listens");
        // Its log is read on, or it would stand still when the pipe is full.
        std::thread::spawn(move || lines.map_while(Result::ok).for_each(drop));
        Self {
            process,
            name: format!("{address}:{port}"),
            certificate,
        }
    }
}

impl Drop for Registry {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Where this machine's engine and a host's look for the certificate of a registry; gone with the test.
struct Trusted(PathBuf);

impl Trusted {
    fn new(stage: &Stage, registry: &Registry) -> Self {
        let certificate = registry.certificate.as_deref().expect("a certificate");
        let folder = PathBuf::from("/etc/containers/certs.d").join(&registry.name);
        fs::create_dir_all(&folder).expect("a folder");
        let trusted = Self(folder);
        fs::write(trusted.0.join("ca.crt"), certificate).expect("a file");
        let place = trusted.0.display();
        let command = format!("mkdir -p {place} && printf '%s' '{certificate}' > {place}/ca.crt");
        let on_host = stage.as_root("node1", &command);
        assert!(on_host.status.success(), "{}", said(&on_host));
        trusted
    }
}

impl Drop for Trusted {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// Who asks for it on its input gets the log-in, as docker-credential-helpers has it.
const HELPER: &str = "#!/bin/sh\nread -r registry && [ \"$1\" = get ] || exit 1\n\
    printf '{\"ServerURL\":\"%s\",\"Username\":\"lab\",\"Secret\":\"secret\"}' \"$registry\"\n";

/// `lab` with the password `secret`, as htpasswd writes it.
const USERS: &str = "lab:$2b$05$8m3yk2oPWHUZF002efQN.uTFWYitOrymBeh3miaKb04KO9SrPcD5q\n";

#[test]
fn hosts_pull_from_a_registry_what_was_pushed_to_it_with_and_without_a_log_in() {
    let mut stage = Stage::with_busybox("registry");
    stage.write("big", "not big");
    stage.write("small", "a");
    stage.write("Containerfile", CONTAINERFILE);
    stage.write("compose.yaml", COMPOSE.replace("NAME", &stage.name));
    stage.up(1);
    let hosts = fs::read_to_string(stage.hosts_file()).expect("hosts.toml");
    let name_registry = |stage: &Stage, name: &str| {
        let lab = format!("{hosts}\n[lab]\nregistry = \"{name}/team\"\ninsecure_registries = [\"{name}\"]\n");
        fs::write(stage.hosts_file(), lab).expect("hosts.toml");
    };
    // Nobody's log-ins but the test's own.
    stage.write("auth.json", "{}");
    let auth = stage.path().join("auth.json").display().to_string();
    stage.set("REGISTRY_AUTH_FILE", &auth);
    let guarded = Registry::start(&stage, "guarded", Kind::Guarded);
    name_registry(&stage, &guarded.name);
    stage.ends("build", &[], 0);

    let refused = stage.ends("push", &[], 1);
    assert!(refused.contains("was not pushed"), "{refused}");
    stage.write(
        "auth.json",
        format!(
            r#"{{"auths": {{"{}": {{"auth": "bGFiOnNlY3JldA=="}}}}}}"#,
            guarded.name
        ),
    );
    let missing = stage.ends("rollout", &[], 3);
    assert!(missing.contains("the host cannot pull"), "{missing}");
    let pushed = stage.ends("push", &[], 0);
    assert!(
        pushed.contains(&format!("{}/team/{}:id-", guarded.name, stage.name)),
        "{pushed}"
    );
    let rollout = stage.ends("rollout", &["--json"], 0);
    assert!(rollout.contains(r#""way":"registry""#), "{rollout}");
    assert_eq!(small(&stage), ["a"]);
    stage.ends("plan", &[], 0);

    let open = Registry::start(&stage, "open", Kind::Open);
    name_registry(&stage, &open.name);
    stage.write("small", "b");
    stage.ends("build", &[], 0);
    stage.ends("push", &["web"], 0);
    stage.ends("rollout", &[], 0);
    assert_eq!(small(&stage), ["b"]);

    // By TLS with a certificate of its own making, and with a log-in that a helper keeps.
    let encrypted = Registry::start(&stage, "encrypted", Kind::Encrypted);
    let registry = format!("{hosts}\n[lab]\nregistry = \"{}\"\n", encrypted.name);
    fs::write(stage.hosts_file(), registry).expect("hosts.toml");
    stage.write(
        "auth.json",
        format!(r#"{{"credHelpers": {{"{}": "of-the-test"}}}}"#, encrypted.name),
    );
    stage.write("docker-credential-of-the-test", HELPER);
    let helper = stage.path().join("docker-credential-of-the-test");
    fs::set_permissions(helper, fs::Permissions::from_mode(0o755)).expect("a program");
    let path = std::env::var("PATH").expect("PATH");
    stage.set("PATH", &format!("{}:{path}", stage.path().display()));
    stage.write("small", "c");
    stage.ends("build", &[], 0);
    let refused = stage.ends("push", &[], 1);
    assert!(refused.contains("certificate"), "{refused}");
    let _trusted = Trusted::new(&stage, &encrypted);
    stage.ends("push", &[], 0);
    stage.ends("rollout", &[], 0);
    assert_eq!(small(&stage), ["c"]);
    stage.ends("down", &[], 0);
}
