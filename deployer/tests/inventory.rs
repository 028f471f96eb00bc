//! hosts.toml: what is accepted, and that every mistake is named with its line.
#![expect(clippy::expect_used, reason = "a test fails by panicking")]

use std::path::Path;

use deployer::inventory::{EngineKind, Inventory, SshConfig};

fn problems(text: &str) -> Vec<(usize, String)> {
    let problems = Inventory::parse(text, Path::new("")).expect_err("the file has mistakes");
    problems
        .into_iter()
        .map(|problem| (problem.line, problem.message))
        .collect()
}

#[test]
fn a_host_takes_from_the_defaults_what_it_does_not_say_itself() {
    let text = r#"
[defaults]
user = "vagrant"
port = 2222
identity_file = "keys/lab"
[[hosts]]
name = "a"
address = "10.0.0.1"
[[hosts]]
name = "b"
address = "10.0.0.2"
user = "root"
engine = "docker"
labels = { rack = "1" }
roles = ["server"]
jump = "a"
"#;
    let inventory = Inventory::parse(text, Path::new("/lab")).expect("valid");
    let (a, b) = (inventory.host("a").expect("a"), inventory.host("b").expect("b"));
    assert_eq!(
        (a.user.as_str(), a.port, a.engine),
        ("vagrant", 2222, EngineKind::Podman)
    );
    assert_eq!(a.identity_file.as_deref(), Some(Path::new("/lab/keys/lab")));
    assert_eq!((b.user.as_str(), b.engine), ("root", EngineKind::Docker));
    assert_eq!(b.labels.get("rack").map(String::as_str), Some("1"));
    assert_eq!(b.jump.as_deref(), Some("a"));
}

#[test]
fn every_problem_is_named_at_once_with_its_line_and_the_nearest_known_key() {
    let text = r#"[default]
user = "root"
[[hosts]]
name = "a"
adress = "10.0.0.1"
port = 70000
[[hosts]]
name = "a"
address = 7
jump = "nowhere"
engine = "podmann"
[lab]
parallel = 0
"#;
    let found = problems(text);
    let has = |line: usize, part: &str| found.iter().any(|(at, text)| *at == line && text.contains(part));
    assert!(has(1, "did you mean `defaults`?"), "{found:?}");
    assert!(has(5, "did you mean `address`?"), "{found:?}");
    assert!(has(3, "host `a` has no `address`"), "{found:?}");
    assert!(has(6, "port 70000 does not exist"), "{found:?}");
    assert!(has(8, "the name of the host in line 4 too"), "{found:?}");
    assert!(has(9, "`address` must be a string"), "{found:?}");
    assert!(has(10, "not in this file"), "{found:?}");
    assert!(has(11, "did you mean `podman`?"), "{found:?}");
    assert!(has(13, "at least 1"), "{found:?}");
}

#[test]
fn a_file_that_is_no_toml_says_where() {
    assert_eq!(
        problems("[[hosts]]\nname = \n").first().map(|(line, _)| *line),
        Some(2)
    );
}

#[test]
fn an_empty_file_says_that_there_is_no_host() {
    assert!(problems("").iter().any(|(_, text)| text.contains("no host")));
}

#[test]
fn the_ssh_configuration_fills_in_what_hosts_toml_does_not_say() {
    let ssh = "Host web\n  HostName 10.0.0.9\n  Port 2222\n  User admin\n  ProxyJump me@gate:2200\n\
               Host gate\n  HostName 10.0.0.8\n  User nobody\n\
               Host far\n  ProxyJump gate,other\n";
    let ssh = SshConfig::read(ssh.as_bytes(), Path::new("/home/me")).expect("a configuration");
    let text = "[[hosts]]\nname = \"a\"\naddress = \"web\"\n\
                [[hosts]]\nname = \"b\"\naddress = \"web\"\nuser = \"root\"\nport = 22\njump = \"c\"\n\
                [[hosts]]\nname = \"c\"\naddress = \"10.0.0.7\"\n";
    let inventory = Inventory::parse_with(text, Path::new(""), &ssh).expect("valid");
    let a = inventory.host("a").expect("a");
    assert_eq!(
        (a.address.as_str(), a.port, a.user.as_str()),
        ("10.0.0.9", 2222, "admin")
    );
    let gate = inventory.gate(a.jump.as_deref().expect("a way")).expect("a gate");
    assert_eq!(
        (gate.address.as_str(), gate.port, gate.user.as_str()),
        ("10.0.0.8", 2200, "me")
    );

    // What hosts.toml says itself comes first.
    let b = inventory.host("b").expect("b");
    assert_eq!(
        (b.port, b.user.as_str(), b.jump.as_deref()),
        (22, "root", Some("c"))
    );
    let c = inventory.host("c").expect("c");
    assert_eq!(
        (c.address.as_str(), c.user.as_str(), c.jump.as_deref()),
        ("10.0.0.7", "root", None)
    );

    let far = "[[hosts]]\nname = \"a\"\naddress = \"far\"\n";
    let problems = Inventory::parse_with(far, Path::new(""), &ssh).expect_err("two hops");
    assert!(
        problems
            .iter()
            .any(|problem| problem.message.contains("one is the most")),
        "{problems:?}"
    );
}
