//! The project's own two Compose files: both are understood, and they differ in the store alone.
#![expect(clippy::expect_used, reason = "a test fails by panicking")]

use std::{collections::BTreeMap, fs, path::Path};

use deployer::{
    compose::{self, Project, Variables},
    inventory::Inventory,
    plan::place,
};

const HOSTS: &str = "[[hosts]]\nname = \"a\"\naddress = \"10.0.0.1\"\n\
    [[hosts]]\nname = \"b\"\naddress = \"10.0.0.2\"\nroles = [\"server\"]\n\
    [[hosts]]\nname = \"c\"\naddress = \"10.0.0.3\"\nroles = [\"server\"]\n";

fn read(file: &str) -> Project {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let text = fs::read_to_string(root.join(file)).expect("a Compose file of the project");
    compose::parse(&text, Path::new(file), &root, &Variables::new()).expect("a valid file")
}

/// The services by name, without what is about the store.
fn without_the_store(mut project: Project) -> BTreeMap<String, compose::Service> {
    project.services.retain(|service| service.name != "mongodb");
    for server in project
        .services
        .iter_mut()
        .filter(|service| service.name == "socket-server")
    {
        server.depends_on.clear();
        server.container.command = None;
        server.container.mounts.clear();
    }
    let named = project
        .services
        .into_iter()
        .map(|service| (service.name.clone(), service));
    named.collect()
}

#[test]
fn the_two_files_differ_in_the_store_alone() {
    let (whole, small) = (read("compose.yaml"), read("compose.embedded.yaml"));
    assert!(whole.services.iter().any(|service| service.name == "mongodb"));
    assert!(small.services.iter().all(|service| service.name != "mongodb"));
    assert_eq!(whole.files, small.files);
    assert_eq!(without_the_store(whole), without_the_store(small));
}

#[test]
fn mongodb_stands_beside_the_server_and_opens_no_port() {
    let inventory = Inventory::parse(HOSTS, Path::new("")).expect("valid hosts");
    let hosts = place(
        &read("compose.yaml"),
        &inventory,
        &BTreeMap::new(),
        &BTreeMap::new(),
    )
    .expect("every service fits");
    let mut placed = Vec::new();
    for (host, desired) in &hosts {
        for container in &desired.containers {
            // Podman lets a published port in by each network of its container, and a container of one of them is then
            // answered by another: a node-client beside the server would never reach it.
            let networks = container.spec.networks.len();
            assert_eq!(networks, 1, "{}", container.name);
            if ["mongodb", "socket-server"].contains(&container.service.as_str()) {
                placed.push((host.as_str(), container.service.as_str()));
            }
            if container.service == "mongodb" {
                assert_eq!(container.spec.ports, []);
            }
        }
    }
    assert_eq!(placed, [("b", "mongodb"), ("b", "socket-server")]);
}
