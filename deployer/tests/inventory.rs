//! hosts.toml: what is accepted, and that every mistake is named with its line.
#![expect(clippy::expect_used, reason = "a test fails by panicking")]

use std::path::Path;

use deployer::inventory::{EngineKind, Inventory};

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
