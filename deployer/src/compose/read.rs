//! From a file to a project: parse, fill in variables, refuse what is not carried out, validate by the library, convert.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
};

use compose_spec::{Compose, Resource, config, secret};
use serde_yaml::{Mapping, Value};

use super::{
    interpolate::{Variables, env_file, fill},
    keys,
    model::{FileSource, Project, Service},
    service::{self, Extra},
    update::Update,
};
use crate::error::Failure;

/// The port of the server that mints API keys, where `x-enrolment` names none.
const ENROLMENT_PORT: u16 = 8000;

/// Why a Compose file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ComposeError {
    /// It cannot be read.
    #[error("cannot read {path}")]
    Read {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: std::io::Error,
    },
    /// It is not YAML, or not of the specification.
    #[error("{path} is not a Compose file")]
    Syntax {
        /// The file.
        path: PathBuf,
        /// Where and why.
        source: serde_yaml::Error,
    },
    /// It says what cannot be done.
    #[error("{} problem(s) in {path}", problems.len())]
    Invalid {
        /// The file.
        path: PathBuf,
        /// All of them, each with its path inside the file.
        problems: Vec<String>,
    },
}

impl From<ComposeError> for Failure {
    fn from(error: ComposeError) -> Self {
        match &error {
            ComposeError::Read { source, .. } => Self::usage(error.to_string()).caused_by(source),
            ComposeError::Syntax { source, .. } => Self::usage(error.to_string()).caused_by(source),
            ComposeError::Invalid { problems, .. } => {
                let mut failure = Self::usage(error.to_string());
                failure.causes.clone_from(problems);
                failure.hint("docs/deployment.md lists the keys that are carried out")
            }
        }
    }
}

/// Reads a file; `.env` beside it and `environment` fill in its variables, the latter first.
///
/// # Errors
///
/// When it cannot be read, is no Compose file, or holds what cannot be carried out.
pub fn load(path: &Path, environment: &Variables) -> Result<Project, ComposeError> {
    let text = std::fs::read_to_string(path).map_err(|source| ComposeError::Read {
        path: path.to_owned(),
        source,
    })?;
    let folder = path.parent().unwrap_or(Path::new(""));
    let mut variables = env_file(&folder.join(".env")).unwrap_or_default();
    variables.extend(environment.clone());
    let folder = std::path::absolute(folder).unwrap_or_else(|_| folder.to_owned());
    parse(&text, path, &folder, &variables)
}

/// Reads a text; relative paths are looked up from `folder`.
///
/// # Errors
///
/// When it is no Compose file, or holds what cannot be carried out.
pub fn parse(text: &str, path: &Path, folder: &Path, variables: &Variables) -> Result<Project, ComposeError> {
    let syntax = |source| ComposeError::Syntax {
        path: path.to_owned(),
        source,
    };
    let mut root: Value = serde_yaml::from_str(text).map_err(syntax)?;
    root.apply_merge().map_err(syntax)?;
    let mut problems = Vec::new();
    fill(&mut root, "", variables, &mut problems);
    keys::check(&root, &mut problems);
    let invalid = |problems| ComposeError::Invalid {
        path: path.to_owned(),
        problems,
    };
    if !problems.is_empty() {
        return Err(invalid(problems));
    }
    let mut extras = take_extras(&mut root, &mut problems);
    let enrolments = take_enrolments(&mut root, folder);
    let compose: Compose = Compose::options().from_yaml_value(root).map_err(syntax)?;
    if let Err(error) = compose.validate_all() {
        problems.push(error.to_string());
    }
    let own_names = own_names(&compose, &mut problems);
    let mut files = files(&compose, folder, &mut problems);
    files.extend(enrolments);
    let mut services = Vec::new();
    let active: Vec<&str> = variables
        .get("COMPOSE_PROFILES")
        .map(|list| list.split(',').collect())
        .unwrap_or_default();
    for (name, service) in &compose.services {
        // A service in a profile is there only when the profile is asked for.
        let profiles = &service.profiles;
        if !profiles.is_empty() && !profiles.iter().any(|profile| active.contains(&profile.as_str())) {
            continue;
        }
        let extra = extras.remove(name.as_str()).unwrap_or_default();
        services.push(service::convert(
            name.as_str(),
            service,
            extra,
            folder,
            &mut problems,
        ));
    }
    let services = in_order(services, &mut problems);
    if !problems.is_empty() {
        return Err(invalid(problems));
    }
    let name = compose.name.as_ref().map(ToString::to_string).unwrap_or_else(|| {
        let folder = folder
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .to_lowercase();
        let name: String = folder
            .chars()
            .filter(|c| c.is_ascii_alphanumeric() || "-_".contains(*c))
            .collect();
        if name.is_empty() {
            "project".to_owned()
        } else {
            name
        }
    });
    // A secret that only a service of an inactive profile uses need not be at hand.
    let used = |name: &String| {
        let uses = |service: &Service| service.container.files.iter().any(|file| file.source == *name);
        services.iter().any(uses)
    };
    files.retain(|name, _| used(name));
    Ok(Project {
        name,
        services,
        own_names,
        files,
    })
}

/// Takes out of each service what the library's types have no room for.
fn take_extras(root: &mut Value, problems: &mut Vec<String>) -> BTreeMap<String, Extra> {
    let mut extras = BTreeMap::new();
    let services = root.get_mut("services").and_then(Value::as_mapping_mut);
    for (name, service) in services.into_iter().flatten() {
        let (Some(name), Some(service)) = (name.as_str(), service.as_mapping_mut()) else {
            continue;
        };
        let mut extra = Extra::default();
        let path = format!("services.{name}");
        if let Some(deploy) = service.get_mut("deploy").and_then(Value::as_mapping_mut) {
            let at = |key: &str| format!("{path}.deploy.{key}");
            extra.update =
                Update::take(deploy, "update_config", &at("update_config"), problems).unwrap_or_default();
            extra.rollback = Update::take(deploy, "rollback_config", &at("rollback_config"), problems);
        }
        if let Some(rule) = service.remove("x-firewall") {
            extra.firewall = service::firewall(&rule, &format!("{path}.x-firewall"), problems);
        }
        extras.insert(name.to_owned(), extra);
    }
    extras
}

/// Secrets that the server mints. The library wants a source in each secret, so it gets a file that nobody reads.
fn take_enrolments(root: &mut Value, folder: &Path) -> BTreeMap<String, FileSource> {
    let mut enrolments = BTreeMap::new();
    let secrets = root.get_mut("secrets").and_then(Value::as_mapping_mut);
    for (name, secret) in secrets.into_iter().flatten() {
        let (Some(name), Some(secret)) = (name.as_str(), secret.as_mapping_mut()) else {
            continue;
        };
        let Some(enrolment) = secret.remove("x-enrolment") else {
            continue;
        };
        let field = |key: &str| enrolment.get(key);
        let server = field("server")
            .and_then(Value::as_str)
            .unwrap_or("socket-server")
            .to_owned();
        let port = field("port")
            .and_then(Value::as_u64)
            .and_then(|port| u16::try_from(port).ok());
        let source = FileSource::Enrolment {
            server,
            port: port.unwrap_or(ENROLMENT_PORT),
        };
        enrolments.insert(name.to_owned(), source);
        *secret = Mapping::from_iter([("file".into(), folder.join(name).display().to_string().into())]);
    }
    enrolments
}

fn files(compose: &Compose, folder: &Path, problems: &mut Vec<String>) -> BTreeMap<String, FileSource> {
    let mut files = BTreeMap::new();
    for (name, resource) in &compose.secrets {
        match resource {
            Resource::Compose(secret) => {
                let source = match &secret.source {
                    secret::Source::File(path) => FileSource::File(folder.join(path)),
                    secret::Source::Environment(variable) => FileSource::Environment(variable.clone()),
                };
                files.insert(name.to_string(), source);
            }
            _ => problems.push(format!(
                "secrets.{name}: an external secret cannot be shipped to a host"
            )),
        }
    }
    for (name, resource) in &compose.configs {
        match resource {
            Resource::Compose(config) => {
                let source = match &config.source {
                    config::Source::File(path) => FileSource::File(folder.join(path)),
                    config::Source::Environment(variable) => FileSource::Environment(variable.clone()),
                    config::Source::Content(content) => FileSource::Content(content.clone()),
                };
                files.insert(name.to_string(), source);
            }
            _ => problems.push(format!(
                "configs.{name}: an external config cannot be shipped to a host"
            )),
        }
    }
    files
}

/// The names that volumes and networks have of their own.
fn own_names(compose: &Compose, problems: &mut Vec<String>) -> BTreeMap<String, String> {
    let mut names = BTreeMap::new();
    for (key, volume) in &compose.volumes {
        match volume {
            Some(Resource::External { .. }) => problems.push(format!(
                "volumes.{key}: an external volume is not made here; give it a `name` instead, or mount its path"
            )),
            Some(Resource::Compose(volume)) => {
                names.extend(volume.name.clone().map(|name| (format!("volumes.{key}"), name)));
            }
            None => {}
        }
    }
    for (key, network) in &compose.networks {
        match network {
            Some(Resource::External { .. }) => {
                problems.push(format!("networks.{key}: an external network is not made here"));
            }
            Some(Resource::Compose(network)) => {
                let driver = network.driver.as_ref().map(ToString::to_string);
                if let Some(driver) = driver.filter(|driver| driver != "bridge") {
                    problems.push(format!(
                        "networks.{key}.driver: `{driver}` is unsupported; every network is a bridge"
                    ));
                }
                names.extend(network.name.clone().map(|name| (format!("networks.{key}"), name)));
            }
            None => {}
        }
    }
    names
}

/// Each service after those that it depends on, else in the order of the file.
fn in_order(mut services: Vec<Service>, problems: &mut Vec<String>) -> Vec<Service> {
    let names: BTreeSet<String> = services.iter().map(|service| service.name.clone()).collect();
    for service in &services {
        for missing in service.depends_on.keys().filter(|name| !names.contains(*name)) {
            problems.push(format!(
                "services.{}.depends_on: there is no service `{missing}`",
                service.name
            ));
        }
    }
    let mut ordered: Vec<Service> = Vec::new();
    while !services.is_empty() {
        let ready = services.iter().position(|service| {
            service
                .depends_on
                .keys()
                .all(|name| !names.contains(name) || ordered.iter().any(|o| o.name == *name))
        });
        match ready {
            Some(index) => ordered.push(services.remove(index)),
            None => {
                let circle: Vec<_> = services.iter().map(|service| service.name.as_str()).collect();
                problems.push(format!(
                    "services {} depend on each other in a circle",
                    circle.join(", ")
                ));
                ordered.append(&mut services);
            }
        }
    }
    ordered
}
