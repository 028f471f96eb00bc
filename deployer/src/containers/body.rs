//! A container's settings in the form of the engine's API.

use std::{collections::HashMap, time::Duration};

use bollard::models::{
    ContainerCreateBody, EndpointSettings, HealthConfig, HostConfig, HostConfigLogConfig, NetworkingConfig,
    PortBinding, ResourcesUlimits, RestartPolicy, RestartPolicyNameEnum,
};

use crate::{
    compose::{ContainerSpec, Health, Mount, MountKind},
    remote::quote,
};

/// The request that makes a container. `image` is the image's id or name, `files` the paths of secrets and configs on
/// the host, each with its place in the container.
pub(super) fn body(
    spec: &ContainerSpec,
    image: &str,
    labels: HashMap<String, String>,
    files: &[(String, String)],
) -> ContainerCreateBody {
    let mut all_labels: HashMap<String, String> = spec.labels.clone().into_iter().collect();
    all_labels.extend(labels);
    let exposed = spec.ports.iter().map(|port| (port.container, &port.protocol));
    let exposed = exposed.chain(spec.expose.iter().map(|(port, protocol)| (*port, protocol)));
    let endpoints: HashMap<String, EndpointSettings> = spec
        .networks
        .iter()
        .map(|(network, aliases)| {
            (
                network.clone(),
                EndpointSettings {
                    aliases: Some(aliases.clone()),
                    ..EndpointSettings::default()
                },
            )
        })
        .collect();
    ContainerCreateBody {
        image: Some(image.to_owned()),
        hostname: spec.hostname.clone(),
        user: spec.user.clone(),
        exposed_ports: filled(
            exposed
                .map(|(port, protocol)| format!("{port}/{protocol}"))
                .collect(),
        ),
        env: filled(
            spec.environment
                .iter()
                .map(|(name, value)| format!("{name}={value}"))
                .collect(),
        ),
        cmd: spec.command.clone(),
        entrypoint: spec.entrypoint.clone(),
        healthcheck: spec.health.as_ref().map(health),
        working_dir: spec.working_dir.clone(),
        labels: Some(all_labels),
        stop_signal: spec.stop_signal.clone(),
        stop_timeout: spec
            .stop_grace_seconds
            .and_then(|seconds| i64::try_from(seconds).ok()),
        networking_config: (!endpoints.is_empty()).then_some(NetworkingConfig {
            endpoints_config: Some(endpoints),
        }),
        host_config: Some(host(spec, files)),
        ..ContainerCreateBody::default()
    }
}

fn filled<T>(list: Vec<T>) -> Option<Vec<T>> {
    (!list.is_empty()).then_some(list)
}

fn health(health: &Health) -> HealthConfig {
    let nanoseconds =
        |duration: Option<Duration>| duration.and_then(|time| i64::try_from(time.as_nanos()).ok());
    HealthConfig {
        test: filled(sound(&health.test)),
        interval: nanoseconds(health.interval),
        timeout: nanoseconds(health.timeout),
        retries: health.retries.and_then(|retries| i64::try_from(retries).ok()),
        start_period: nanoseconds(health.start_period),
        start_interval: None,
    }
}

/// A check in words that every engine understands. Podman before 5.8 joins the words of a `CMD` by spaces and parts them
/// at spaces: a check with a space inside a word would be another one, so that goes through the image's shell.
fn sound(test: &[String]) -> Vec<String> {
    match test.split_first() {
        Some((form, words)) if form == "CMD" && words.iter().any(|word| is_torn(word)) => {
            let words: Vec<String> = words.iter().map(|word| quote(word)).collect();
            vec!["CMD-SHELL".to_owned(), format!("exec {}", words.join(" "))]
        }
        _ => test.to_vec(),
    }
}

fn is_torn(word: &str) -> bool {
    word.is_empty() || word.contains(char::is_whitespace)
}

fn host(spec: &ContainerSpec, files: &[(String, String)]) -> HostConfig {
    let mut binds: Vec<String> = spec.mounts.iter().filter_map(bind).collect();
    // Our own files get the label that a container may read; nothing of the system is ever relabelled.
    binds.extend(files.iter().map(|(from, to)| format!("{from}:{to}:ro,z")));
    let tmpfs: HashMap<String, String> = spec
        .mounts
        .iter()
        .filter_map(|mount| match &mount.kind {
            MountKind::Tmpfs { size_bytes } => {
                let read_only = mount.read_only.then(|| "ro".to_owned());
                let size = size_bytes.map(|bytes| format!("size={bytes}"));
                let options: Vec<String> = read_only.into_iter().chain(size).collect();
                Some((mount.target.clone(), options.join(",")))
            }
            _ => None,
        })
        .collect();
    let first_network = spec.networks.keys().next().cloned();
    HostConfig {
        binds: filled(binds),
        tmpfs: (!tmpfs.is_empty()).then_some(tmpfs),
        network_mode: spec.network_mode.clone().or(first_network),
        port_bindings: ports(spec),
        restart_policy: Some(restart(&spec.restart)),
        pid_mode: spec.pid.clone(),
        privileged: Some(spec.privileged),
        readonly_rootfs: Some(spec.read_only),
        init: Some(spec.init),
        cap_add: filled(spec.cap_add.iter().cloned().collect()),
        cap_drop: filled(spec.cap_drop.iter().cloned().collect()),
        security_opt: filled(spec.security_opt.iter().cloned().collect()),
        log_config: spec.logging.as_ref().map(|logging| HostConfigLogConfig {
            typ: logging.driver.clone(),
            config: Some(logging.options.clone().into_iter().collect()),
        }),
        ulimits: filled(
            spec.ulimits
                .iter()
                .map(|(name, (soft, hard))| ResourcesUlimits {
                    name: Some(name.clone()),
                    soft: Some(*soft),
                    hard: Some(*hard),
                })
                .collect(),
        ),
        memory: spec.memory_bytes,
        nano_cpus: spec.nano_cpus,
        pids_limit: spec.pids,
        ..HostConfig::default()
    }
}

fn ports(spec: &ContainerSpec) -> Option<HashMap<String, Option<Vec<PortBinding>>>> {
    // On the host's own network there is nothing to publish.
    if spec.ports.is_empty() || spec.network_mode.is_some() {
        return None;
    }
    let mut bindings: HashMap<String, Option<Vec<PortBinding>>> = HashMap::new();
    for port in &spec.ports {
        let binding = PortBinding {
            host_ip: port.host_ip.clone(),
            host_port: port.host.map(|port| port.to_string()),
        };
        let key = format!("{}/{}", port.container, port.protocol);
        bindings
            .entry(key)
            .or_default()
            .get_or_insert_default()
            .push(binding);
    }
    Some(bindings)
}

fn restart(policy: &str) -> RestartPolicy {
    let name = match policy {
        "always" => RestartPolicyNameEnum::ALWAYS,
        // podman-restart.service passes over `unless-stopped` before Podman 5.8.2, and a container that we stop we
        // also remove, so the two mean the same here.
        "unless-stopped" => RestartPolicyNameEnum::ALWAYS,
        "on-failure" => RestartPolicyNameEnum::ON_FAILURE,
        _ => RestartPolicyNameEnum::NO,
    };
    RestartPolicy {
        name: Some(name),
        maximum_retry_count: None,
    }
}

fn bind(mount: &Mount) -> Option<String> {
    let mut options = vec![if mount.read_only { "ro" } else { "rw" }];
    let source = match &mount.kind {
        MountKind::Tmpfs { .. } => return None,
        MountKind::Volume { name } => name,
        MountKind::Bind {
            source,
            propagation,
            selinux,
        } => {
            options.extend(propagation.as_deref());
            options.extend(selinux.as_deref());
            source
        }
    };
    Some(format!("{source}:{}:{}", mount.target, options.join(",")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mounts_become_binds_with_their_options() {
        let kind = MountKind::Bind {
            source: "/".to_owned(),
            propagation: Some("rslave".to_owned()),
            selinux: None,
        };
        let mount = Mount {
            kind,
            target: "/host".to_owned(),
            read_only: true,
        };
        assert_eq!(bind(&mount).as_deref(), Some("/:/host:ro,rslave"));
    }

    #[test]
    fn a_check_with_a_space_in_a_word_goes_through_a_shell_so_that_podman_does_not_tear_it() {
        let test = |words: &[&str]| -> Vec<String> { words.iter().map(|word| (*word).to_owned()).collect() };
        let torn = test(&["CMD", "sh", "-c", "echo it's down; exit 1"]);
        assert_eq!(
            sound(&torn),
            [r"CMD-SHELL", r"exec sh -c 'echo it'\''s down; exit 1'"]
        );
        for whole in [
            test(&["CMD", "/app", "healthcheck"]),
            test(&["CMD-SHELL", "a b"]),
            test(&["NONE"]),
        ] {
            assert_eq!(sound(&whole), whole);
        }
    }

    #[test]
    fn ports_are_published_unless_the_host_network_is_used() {
        let port = crate::compose::PublishedPort {
            host_ip: None,
            host: Some(8080),
            container: 80,
            protocol: "tcp".to_owned(),
        };
        let mut spec = ContainerSpec {
            ports: vec![port],
            ..ContainerSpec::default()
        };
        assert!(ports(&spec).is_some_and(|ports| ports.contains_key("80/tcp")));
        spec.network_mode = Some("host".to_owned());
        assert!(ports(&spec).is_none());
    }
}
