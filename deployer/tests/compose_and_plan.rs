//! From a Compose file and hosts to a plan: what is refused, where services go, and what a plan says.
#![expect(clippy::expect_used, reason = "a test fails by panicking")]

use std::{collections::BTreeMap, path::Path};

use deployer::{
    compose::{self, ComposeError, FailureAction, Parallelism, Project, Variables},
    firewall::FirewallState,
    inventory::Inventory,
    plan::{DesiredHost, ObservedContainer, ObservedHost, Plan, Scope, compare, place},
};

const HOSTS: &str = "[[hosts]]\nname = \"a\"\naddress = \"10.0.0.1\"\nroles = [\"server\"]\n\
    [[hosts]]\nname = \"b\"\naddress = \"10.0.0.2\"\n";

const COMPOSE: &str = r#"
name: demo
services:
  agent:
    image: demo/agent:${TAG:-1}
    network_mode: host
    expose: ["9100"]
    restart: always
    depends_on: [server]
    deploy: {mode: global}
  server:
    image: demo/server
    ports: ["8000:8000"]
    deploy:
      placement: {constraints: ["node.role == server"]}
"#;

fn read(text: &str) -> Result<Project, ComposeError> {
    compose::parse(
        text,
        Path::new("compose.yaml"),
        Path::new("/demo"),
        &Variables::new(),
    )
}

fn problems(text: &str) -> Vec<String> {
    match read(text).expect_err("the file has mistakes") {
        ComposeError::Invalid { problems, .. } => problems,
        other => vec![other.to_string()],
    }
}

fn desired() -> BTreeMap<String, DesiredHost> {
    let project = read(COMPOSE).expect("a valid file");
    let inventory = Inventory::parse(HOSTS, Path::new("")).expect("valid hosts");
    place(&project, &inventory, &BTreeMap::new(), &BTreeMap::new()).expect("every service fits")
}

fn plan(observed: &BTreeMap<String, ObservedHost>) -> Plan {
    let scope = Scope {
        services: vec![("server".to_owned(), None), ("agent".to_owned(), None)],
        ..Scope::default()
    };
    compare(&desired(), observed, &scope)
}

/// Hosts on which everything is as it should be.
fn settled() -> BTreeMap<String, ObservedHost> {
    let hosts = desired().into_iter().map(|(name, desired)| {
        let containers = desired.containers.iter().map(|container| {
            let observed = ObservedContainer {
                hash: container.hash.clone(),
                state: "running".to_owned(),
                ..ObservedContainer::default()
            };
            (container.name.clone(), observed)
        });
        let observed = ObservedHost {
            containers: containers.collect(),
            networks: desired.networks.clone(),
            volumes: desired.volumes.clone(),
            firewall: FirewallState::On {
                zone: "public".to_owned(),
                runtime: desired.ports.clone(),
                permanent: desired.ports.clone(),
            },
            boot: Some(true),
            ..ObservedHost::default()
        };
        (name, observed)
    });
    hosts.collect()
}

#[test]
fn a_key_that_is_not_carried_out_is_refused_with_its_path() {
    let text = "services:\n  web:\n    image: x\n    cpuset: \"0\"\n    imagee: y\n    deploy: {placement: {preferences: []}}\n";
    let found = problems(text).join("\n");
    assert!(found.contains("services.web.cpuset: unsupported key"), "{found}");
    assert!(found.contains("did you mean `image`?"), "{found}");
    assert!(
        found.contains("services.web.deploy.placement.preferences"),
        "{found}"
    );
}

#[test]
fn what_nothing_here_can_carry_out_is_refused_and_the_reason_is_said() {
    let text = r#"
services:
  web:
    image: x
    secrets: [{source: key, uid: "7"}]
    networks: {inner: {ipv4_address: 10.0.0.2}}
    volumes: [{type: volume, source: data, target: /data, volume: {nocopy: true}}]
    deploy:
      labels: {a: b}
      endpoint_mode: vip
      resources: {reservations: {memory: 1g}}
secrets: {key: {file: ./key}}
networks: {inner: {labels: {a: b}}}
volumes: {data: {labels: {a: b}}}
"#;
    let found = problems(text).join("\n");
    for refused in [
        "services.web.secrets[0].uid: unsupported key",
        "services.web.networks.inner.ipv4_address: unsupported key",
        "services.web.volumes[0].volume.nocopy: unsupported key",
        "services.web.deploy.labels: unsupported key; a service as such has no labels here",
        "services.web.deploy.endpoint_mode: unsupported key; there is no virtual address",
        "services.web.deploy.resources.reservations: unsupported key; nothing is set aside",
        "networks.inner.labels: unsupported key",
        "volumes.data.labels: unsupported key",
    ] {
        assert!(found.contains(refused), "{refused}\n---\n{found}");
    }
    let text = "services:\n  web:\n    image: x\n    deploy: {rollback_config: {failure_action: rollback}}\n\
                networks: {wide: {driver: overlay}}\n";
    let found = problems(text).join("\n");
    assert!(found.contains("it must be pause or continue"), "{found}");
    let text = "services: {web: {image: x}}\nnetworks: {wide: {driver: overlay}}\n";
    let found = problems(text).join("\n");
    assert!(found.contains("`overlay` is unsupported"), "{found}");
}

#[test]
fn own_names_modes_and_a_way_back_are_carried_out() {
    let text = r#"
name: demo
services:
  web:
    image: x
    networks: [inner, outer]
    volumes: ["data:/data", "logs:/logs", {type: tmpfs, target: /scratch, read_only: true}]
    secrets: [{source: key, mode: 0o400}, {source: other}]
    deploy: {update_config: {parallelism: 2}, rollback_config: {parallelism: 0, order: start-first}}
networks: {inner: {name: shared, driver: bridge}, outer: {}}
volumes: {data: {name: precious}, logs: {}}
secrets: {key: {environment: KEY}, other: {environment: OTHER}}
"#;
    let project = read(text).expect("valid");
    let service = project.services.first().expect("web");
    let back = service.rollback.expect("a way back");
    assert_eq!(
        (service.update.parallelism, back.parallelism, back.failure_action),
        (Parallelism::Hosts(2), Parallelism::All, FailureAction::Pause)
    );
    let inventory = Inventory::parse(HOSTS, Path::new("")).expect("valid hosts");
    let contents = BTreeMap::from([
        ("key".to_owned(), "1234".to_owned()),
        ("other".to_owned(), "5678".to_owned()),
    ]);
    let desired = place(&project, &inventory, &BTreeMap::new(), &contents).expect("it fits");
    let host = desired.get("a").expect("the host");
    assert_eq!(host.networks, ["demo_outer", "shared"].map(str::to_owned).into());
    assert_eq!(host.volumes, ["demo_logs", "precious"].map(str::to_owned).into());
    let files: Vec<_> = host
        .files
        .iter()
        .map(|file| (file.name.as_str(), file.mode))
        .collect();
    assert_eq!(files, [("key-1234-400", Some(0o400)), ("other-5678", None)]);
}

#[test]
fn services_that_wait_for_each_other_in_a_circle_are_refused() {
    let text = "services:\n  a: {image: x, depends_on: [b]}\n  b: {image: x, depends_on: [a]}\n";
    assert!(problems(text).join("\n").contains("in a circle"));
}

#[test]
fn a_service_comes_after_those_that_it_depends_on() {
    let names: Vec<String> = read(COMPOSE)
        .expect("valid")
        .services
        .into_iter()
        .map(|service| service.name)
        .collect();
    assert_eq!(names, ["server", "agent"]);
}

#[test]
fn a_global_service_is_everywhere_and_a_constraint_is_kept() {
    let desired = desired();
    let names = |host: &str| -> Vec<String> {
        desired
            .get(host)
            .expect("the host")
            .containers
            .iter()
            .map(|container| container.name.clone())
            .collect()
    };
    assert_eq!(names("a"), ["demo-server-1", "demo-agent-1"]);
    assert_eq!(names("b"), ["demo-agent-1"]);
}

#[test]
fn hosts_that_are_as_they_should_be_have_nothing_to_do() {
    let plan = plan(&settled());
    assert!(plan.is_empty(), "{:?}", plan.steps);
    assert_eq!(plan.unchanged, 3);
}

#[test]
fn only_what_the_firewall_guards_is_opened() {
    let mut observed = settled();
    let host = observed.get_mut("a").expect("the host");
    host.firewall = FirewallState::On {
        zone: "public".to_owned(),
        runtime: Default::default(),
        permanent: Default::default(),
    };
    let sentences: Vec<String> = plan(&observed)
        .steps
        .iter()
        .map(|step| step.action.sentence())
        .collect();
    // 8000 is published by a rootful engine, around the firewall.
    assert_eq!(
        sentences,
        [
            "open 9100/tcp in zone public now",
            "open 9100/tcp in zone public for the next boot"
        ]
    );
}

#[test]
fn drift_is_seen_and_named() {
    let mut observed = settled();
    let host = observed.get_mut("b").expect("the host");
    host.boot = Some(false);
    for container in host.containers.values_mut() {
        container.state = "exited".to_owned();
    }
    host.containers
        .insert("demo-old-1".to_owned(), ObservedContainer::default());
    let lines: Vec<String> = plan(&observed)
        .steps
        .iter()
        .map(|step| format!("{}: {}", step.action.sentence(), step.why))
        .collect();
    assert_eq!(
        lines,
        [
            "have containers start after a reboot: podman-restart.service is not enabled",
            "start demo-agent-1: it is exited, not running",
            "remove demo-old-1: nothing asks for it any more",
        ]
    );
}

#[test]
fn a_rollout_that_is_gone_on_with_waits_for_the_containers_that_it_had_started() {
    let mut observed = settled();
    for host in observed.values_mut() {
        for container in host.containers.values_mut() {
            container.release = "cut-off".to_owned();
        }
    }
    let mut scope = Scope {
        services: vec![("server".to_owned(), None), ("agent".to_owned(), None)],
        ..Scope::default()
    };
    assert!(compare(&desired(), &observed, &scope).is_empty());
    scope.resumed = BTreeMap::from([
        ("a".to_owned(), "cut-off".to_owned()),
        ("b".to_owned(), "another".to_owned()),
    ]);
    let plan = compare(&desired(), &observed, &scope);
    let sentences: Vec<String> = plan.steps.iter().map(|step| step.action.sentence()).collect();
    assert_eq!(
        sentences,
        [
            "wait for demo-server-1 to be well",
            "wait for demo-agent-1 to be well"
        ]
    );
    assert_eq!(plan.unchanged, 1);
}

#[test]
fn an_image_that_is_not_on_this_machine_any_more_is_no_change() {
    let id = "sha256:0123456789ab";
    let with = |images: &[(&str, &str)]| {
        let project = read(COMPOSE).expect("a valid file");
        let inventory = Inventory::parse(HOSTS, Path::new("")).expect("valid hosts");
        let images = images
            .iter()
            .map(|(name, id)| ((*name).to_owned(), (*id).to_owned()));
        place(&project, &inventory, &images.collect(), &BTreeMap::new()).expect("every service fits")
    };
    let there = |desired: &BTreeMap<String, DesiredHost>, image_id: &str| ObservedContainer {
        hash: desired["a"].containers[0].hash.clone(),
        image_id: image_id.to_owned(),
        ..ObservedContainer::default()
    };
    let (known, unknown) = (
        with(&[("demo/server:latest", id), ("demo/server", id)]),
        with(&[]),
    );
    assert_ne!(known["a"].containers[0].hash, unknown["a"].containers[0].hash);
    let first = |desired: &BTreeMap<String, DesiredHost>| desired["a"].containers[0].clone();
    assert!(first(&unknown).is(&there(&known, "0123456789ab")));
    assert!(first(&known).is(&there(&unknown, id)));
    assert!(!first(&unknown).is(&there(&known, "sha256:another")));
    assert!(!first(&known).is(&there(&unknown, "sha256:another")));
}

#[test]
fn a_container_that_runs_unhealthy_is_named() {
    let mut observed = settled();
    for container in observed.get_mut("b").expect("the host").containers.values_mut() {
        container.status = "Up 5 minutes (unhealthy)".to_owned();
    }
    let plan = plan(&observed);
    assert!(plan.is_empty());
    assert!(
        plan.notes
            .iter()
            .any(|note| note.starts_with("b: demo-agent-1 runs as wanted, but is unhealthy")),
        "{:?}",
        plan.notes
    );
}
