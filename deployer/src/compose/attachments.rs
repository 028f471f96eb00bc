//! What a service is attached to: ports, mounts, files and networks.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
};

use compose_spec::{
    ShortOrLong,
    service::{NetworkConfig, Service as SpecService, ports, volumes},
};

use super::model::{Mount, MountKind, PublishedPort, ServiceFile};

/// The network that a service is in when it names none.
const DEFAULT_NETWORK: &str = "default";

pub(super) fn published(service: &SpecService, path: &str, problems: &mut Vec<String>) -> Vec<PublishedPort> {
    let mut published = Vec::new();
    for port in ports::into_long_iter(service.ports.clone()) {
        if port.published.is_some_and(|range| range.end().is_some()) {
            problems.push(format!(
                "{path}.ports: a range of host ports for one container port is unsupported"
            ));
        }
        let protocol = port
            .protocol
            .as_ref()
            .map_or("tcp", |protocol| protocol.as_str())
            .to_owned();
        published.push(PublishedPort {
            host_ip: port.host_ip.map(|ip| ip.to_string()),
            host: port.published.map(|range| range.start()),
            container: port.target,
            protocol,
        });
    }
    published
}

pub(super) fn exposed(service: &SpecService) -> BTreeSet<(u16, String)> {
    let each = service.expose.iter().flat_map(|expose| {
        let protocol = expose
            .protocol
            .as_ref()
            .map_or("tcp", |protocol| protocol.as_str())
            .to_owned();
        let (start, end) = (
            expose.range.start(),
            expose.range.end().unwrap_or(expose.range.start()),
        );
        (start..=end).map(move |port| (port, protocol.clone()))
    });
    each.collect()
}

pub(super) fn mounts(
    service: &SpecService,
    folder: &Path,
    path: &str,
    problems: &mut Vec<String>,
) -> Vec<Mount> {
    let mut mounts = Vec::new();
    for mount in volumes::into_long_iter(service.volumes.clone()) {
        let (target, read_only) = {
            let common = mount.common();
            (common.target.as_path().display().to_string(), common.read_only)
        };
        let kind = match mount {
            volumes::Mount::Volume(volume) => {
                match volume.source {
                    Some(name) => MountKind::Volume {
                        name: name.to_string(),
                    },
                    None => {
                        problems.push(format!("{path}.volumes: the volume at {target} needs a name, for its data to be found again"));
                        continue;
                    }
                }
            }
            volumes::Mount::Bind(bind) => {
                let options = bind.bind.as_ref();
                MountKind::Bind {
                    source: folder.join(bind.source.as_path()).display().to_string(),
                    propagation: options
                        .and_then(|options| options.propagation)
                        .map(|p| p.as_str().to_owned()),
                    selinux: options
                        .and_then(|options| options.selinux)
                        .map(|s| s.as_str().to_owned()),
                }
            }
            volumes::Mount::Tmpfs(tmpfs) => {
                let size = tmpfs
                    .tmpfs
                    .and_then(|options| options.size)
                    .and_then(|size| size.into_bytes());
                MountKind::Tmpfs {
                    size_bytes: size.and_then(|size| i64::try_from(size).ok()),
                }
            }
            other => {
                problems.push(format!("{path}.volumes: a {} mount is unsupported", other.kind()));
                continue;
            }
        };
        mounts.push(Mount {
            kind,
            target,
            read_only,
        });
    }
    mounts
}

/// Secrets under /run/secrets, configs at the root, where the file does not say.
pub(super) fn files(service: &SpecService) -> Vec<ServiceFile> {
    let both = [(&service.secrets, "/run/secrets/"), (&service.configs, "/")];
    let each = both
        .into_iter()
        .flat_map(|(items, folder)| items.iter().map(move |item| (item, folder)));
    each.map(|(item, folder)| match item {
        ShortOrLong::Short(name) => ServiceFile {
            source: name.to_string(),
            target: format!("{folder}{name}"),
            mode: None,
            content: String::new(),
        },
        ShortOrLong::Long(long) => {
            let target = long.target.as_ref().map(|target| target.display().to_string());
            let target = target.unwrap_or_else(|| long.source.to_string());
            let target = if target.starts_with('/') {
                target
            } else {
                format!("{folder}{target}")
            };
            ServiceFile {
                source: long.source.to_string(),
                target,
                mode: long.mode,
                content: String::new(),
            }
        }
    })
    .collect()
}

pub(super) fn networks(
    name: &str,
    service: &SpecService,
    path: &str,
    problems: &mut Vec<String>,
) -> (BTreeMap<String, Vec<String>>, Option<String>) {
    let default = || BTreeMap::from([(DEFAULT_NETWORK.to_owned(), vec![name.to_owned()])]);
    match &service.network_config {
        None => (default(), None),
        Some(NetworkConfig::NetworkMode(mode)) => {
            let mode = mode.to_string();
            if !["host", "none"].contains(&mode.as_str()) {
                problems.push(format!(
                    "{path}.network_mode: `{mode}` is unsupported; `host` and `none` are"
                ));
            }
            (BTreeMap::new(), Some(mode))
        }
        Some(NetworkConfig::Networks(ShortOrLong::Short(names))) if names.is_empty() => (default(), None),
        Some(NetworkConfig::Networks(ShortOrLong::Short(names))) => (
            names
                .iter()
                .map(|network| (network.to_string(), vec![name.to_owned()]))
                .collect(),
            None,
        ),
        Some(NetworkConfig::Networks(ShortOrLong::Long(networks))) => {
            let each = networks.iter().map(|(network, options)| {
                let mut aliases = vec![name.to_owned()];
                aliases.extend(
                    options
                        .iter()
                        .flat_map(|options| &options.aliases)
                        .map(ToString::to_string),
                );
                (network.to_string(), aliases)
            });
            (each.collect(), None)
        }
    }
}
