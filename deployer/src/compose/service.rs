//! One service: the library's types turned into ours, with everything that cannot be carried out said.

use std::{collections::BTreeMap, path::Path};

use compose_spec::{
    ListOrMap, ShortOrLong,
    service::{
        self as spec, Command, EnvFile, Limit, Service as SpecService,
        deploy::resources::Limits,
        healthcheck::{Healthcheck, Test},
    },
};
use serde_yaml::Value;

use super::{
    attachments::{exposed, files, mounts, networks, published},
    deploy::placement,
    interpolate::env_file,
    model::{Build, Condition, ContainerSpec, FirewallRule, Health, Logging, Mount, MountKind, Service},
    update::Update,
};

/// What the library's types have no room for.
#[derive(Debug, Default)]
pub(super) struct Extra {
    pub(super) update: Update,
    pub(super) rollback: Option<Update>,
    pub(super) firewall: FirewallRule,
}

/// Converts one service.
pub(super) fn convert(
    name: &str,
    service: &SpecService,
    extra: Extra,
    folder: &Path,
    problems: &mut Vec<String>,
) -> Service {
    let path = format!("services.{name}");
    let (mode, constraints) = placement(service.deploy.as_ref(), &format!("{path}.deploy"), problems);
    let build = service
        .build
        .as_ref()
        .map(|build| self::build(build, folder, &path, problems));
    let mut container = container(name, service, folder, &path, problems);
    if container.image.is_empty() {
        container.image = format!("localhost/{name}");
        if build.is_none() {
            problems.push(format!("{path}: it has neither `image` nor `build`"));
        }
    }
    Service {
        name: name.to_owned(),
        container,
        build,
        depends_on: depends_on(service, &path, problems),
        mode,
        constraints,
        update: extra.update,
        rollback: extra.rollback,
        firewall: extra.firewall,
    }
}

fn container(
    name: &str,
    service: &SpecService,
    folder: &Path,
    path: &str,
    problems: &mut Vec<String>,
) -> ContainerSpec {
    let (networks, network_mode) = networks(name, service, path, problems);
    let limits = service
        .deploy
        .as_ref()
        .and_then(|deploy| deploy.resources.as_ref()?.limits.as_ref());
    let mut mounts = mounts(service, folder, path, problems);
    for target in service.tmpfs.iter().flat_map(|tmpfs| tmpfs.clone().into_list()) {
        let target = target.as_path().display().to_string();
        mounts.push(Mount {
            kind: MountKind::Tmpfs { size_bytes: None },
            target,
            read_only: false,
        });
    }
    ContainerSpec {
        image: service
            .image
            .as_ref()
            .map(|image| image.as_str().to_owned())
            .unwrap_or_default(),
        entrypoint: service.entrypoint.as_ref().map(words),
        command: service.command.as_ref().map(words),
        environment: environment(service, folder, path, problems),
        ports: published(service, path, problems),
        expose: exposed(service),
        mounts,
        files: files(service),
        networks,
        network_mode,
        pid: service.pid.clone(),
        privileged: service.privileged,
        cap_add: service.cap_add.iter().cloned().collect(),
        cap_drop: service.cap_drop.iter().cloned().collect(),
        security_opt: service.security_opt.iter().cloned().collect(),
        user: service.user.as_ref().map(ToString::to_string),
        read_only: service.read_only,
        init: service.init,
        hostname: service.hostname.as_ref().map(ToString::to_string),
        working_dir: service
            .working_dir
            .as_ref()
            .map(|path| path.as_path().display().to_string()),
        stop_signal: service.stop_signal.clone(),
        stop_grace_seconds: service.stop_grace_period.map(|grace| grace.as_secs()),
        restart: service
            .restart
            .map_or("no", |restart| restart.as_str())
            .to_owned(),
        health: service.healthcheck.as_ref().map(health),
        labels: pairs(&service.labels, &format!("{path}.labels"), problems),
        logging: service.logging.as_ref().map(|logging| Logging {
            driver: logging.driver.clone(),
            options: logging
                .options
                .iter()
                .map(|(key, value)| {
                    (
                        key.to_string(),
                        value.as_ref().map(ToString::to_string).unwrap_or_default(),
                    )
                })
                .collect(),
        }),
        ulimits: ulimits(service),
        memory_bytes: memory(service, limits),
        nano_cpus: limits
            .and_then(|limits| limits.cpus)
            .or(service.cpus)
            .map(|cpus| (cpus.into_inner() * 1e9) as i64),
        pids: limits
            .and_then(|limits| limits.pids)
            .or(service.pids_limit)
            .map(|pids| match pids {
                Limit::Value(count) => i64::from(count),
                Limit::Unlimited => -1,
            }),
    }
}

fn words(command: &Command) -> Vec<String> {
    match command {
        Command::String(text) => split_words(text),
        Command::List(words) => words.clone(),
    }
}

/// Splits as a shell does, without running one: quotes and backslashes, no variables.
fn split_words(text: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut quote = None;
    let mut letters = text.chars();
    while let Some(letter) = letters.next() {
        match (quote, letter) {
            (None, ' ' | '\t' | '\n') => words.extend(word.take()),
            (None, '"' | '\'') => {
                quote = Some(letter);
                word.get_or_insert_default();
            }
            (Some(open), _) if open == letter => quote = None,
            (None | Some('"'), '\\') => word.get_or_insert_default().extend(letters.next()),
            _ => word.get_or_insert_default().push(letter),
        }
    }
    words.extend(word);
    words
}

fn environment(
    service: &SpecService,
    folder: &Path,
    path: &str,
    problems: &mut Vec<String>,
) -> BTreeMap<String, String> {
    let mut environment = BTreeMap::new();
    let files = service
        .env_file
        .clone()
        .map(EnvFile::into_list)
        .unwrap_or_default();
    for file in files {
        let file = file.into_long();
        match env_file(&folder.join(&file.path)) {
            Ok(variables) => environment.extend(variables),
            Err(_) if !file.required => {}
            Err(error) => problems.push(format!("{path}.env_file: {}: {error}", file.path.display())),
        }
    }
    environment.extend(pairs(
        &service.environment,
        &format!("{path}.environment"),
        problems,
    ));
    environment
}

fn pairs(list: &ListOrMap, path: &str, problems: &mut Vec<String>) -> BTreeMap<String, String> {
    match list.clone().into_map() {
        Ok(map) => {
            let text =
                |value: Option<compose_spec::Value>| value.map(|value| value.to_string()).unwrap_or_default();
            map.into_iter()
                .map(|(key, value)| (key.to_string(), text(value)))
                .collect()
        }
        Err(error) => {
            problems.push(format!("{path}: {error}"));
            BTreeMap::new()
        }
    }
}

fn health(health: &Healthcheck) -> Health {
    let none = Health {
        test: vec!["NONE".to_owned()],
        interval: None,
        timeout: None,
        retries: None,
        start_period: None,
    };
    let Healthcheck::Command(command) = health else {
        return none;
    };
    let test = match &command.test {
        None => Vec::new(),
        Some(Test::ShellCommand(text)) => vec!["CMD-SHELL".to_owned(), text.clone()],
        Some(Test::Command(words)) => {
            // The library strips the leading CMD; the engine wants it.
            let mut test = vec!["CMD".to_owned()];
            test.extend(words.iter().cloned());
            test
        }
    };
    Health {
        test,
        interval: command.interval,
        timeout: command.timeout,
        retries: command.retries,
        start_period: command.start_period,
    }
}

fn ulimits(service: &SpecService) -> BTreeMap<String, (i64, i64)> {
    let number = |limit: &Limit<u64>| match limit {
        Limit::Value(value) => i64::try_from(*value).unwrap_or(i64::MAX),
        Limit::Unlimited => -1,
    };
    let each = service.ulimits.iter().map(|(resource, limit)| {
        let (soft, hard) = match limit {
            ShortOrLong::Short(both) => (number(both), number(both)),
            ShortOrLong::Long(limit) => (number(&limit.soft), number(&limit.hard)),
        };
        (resource.to_string(), (soft, hard))
    });
    each.collect()
}

fn memory(service: &SpecService, limits: Option<&Limits>) -> Option<i64> {
    let bytes = limits
        .and_then(|limits| limits.memory.as_ref())
        .or(service.mem_limit.as_ref())?
        .into_bytes()?;
    i64::try_from(bytes).ok()
}

fn depends_on(service: &SpecService, path: &str, problems: &mut Vec<String>) -> BTreeMap<String, Condition> {
    match &service.depends_on {
        ShortOrLong::Short(names) => names
            .iter()
            .map(|name| (name.to_string(), Condition::Started))
            .collect(),
        ShortOrLong::Long(dependencies) => {
            let mut conditions = BTreeMap::new();
            for (name, dependency) in dependencies {
                let condition = match dependency.condition {
                    spec::Condition::ServiceStarted => Condition::Started,
                    spec::Condition::ServiceHealthy => Condition::Healthy,
                    spec::Condition::ServiceCompletedSuccessfully => {
                        problems.push(format!(
                            "{path}.depends_on.{name}: a service that runs to its end is unsupported"
                        ));
                        continue;
                    }
                };
                conditions.insert(name.to_string(), condition);
            }
            conditions
        }
    }
}

fn build(
    build: &ShortOrLong<spec::build::Context, spec::Build>,
    folder: &Path,
    path: &str,
    problems: &mut Vec<String>,
) -> Build {
    let long = build.clone().into_long();
    let context = match &long.context {
        None => folder.to_owned(),
        Some(spec::build::Context::Path(context)) => folder.join(context),
        Some(other) => {
            problems.push(format!("{path}.build.context: `{other}` is not a folder"));
            folder.to_owned()
        }
    };
    let file = match &long.dockerfile {
        Some(spec::build::Dockerfile::File(file)) => Some(file.clone()),
        _ => None,
    };
    let args = pairs(&long.args, &format!("{path}.build.args"), problems);
    Build {
        context,
        file,
        args,
        target: long.target.clone(),
    }
}

/// `x-firewall`.
pub(super) fn firewall(rule: &Value, path: &str, problems: &mut Vec<String>) -> FirewallRule {
    let list = |key: &str| {
        rule.get(key)
            .and_then(Value::as_sequence)
            .cloned()
            .unwrap_or_default()
    };
    let mut firewall = FirewallRule::default();
    for source in list("sources") {
        match source.as_str().filter(|source| is_network(source)) {
            Some(source) => _ = firewall.sources.insert(source.to_owned()),
            None => problems.push(format!(
                "{path}.sources: {source:?} is no address or network such as 10.0.0.0/8"
            )),
        }
    }
    for port in list("closed") {
        match port.as_u64().and_then(|port| u16::try_from(port).ok()) {
            Some(port) => _ = firewall.closed.insert(port),
            None => problems.push(format!("{path}.closed: {port:?} is no port")),
        }
    }
    firewall
}

fn is_network(text: &str) -> bool {
    let (address, length) = text.split_once('/').unwrap_or((text, "0"));
    address.parse::<std::net::IpAddr>().is_ok_and(|address| {
        let most = if address.is_ipv4() { 32 } else { 128 };
        length.parse::<u8>().is_ok_and(|length| length <= most)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_line_is_split_as_a_shell_does() {
        assert_eq!(
            split_words(r#"run --name "a b" 'c  d' e\ f """#),
            ["run", "--name", "a b", "c  d", "e f", ""]
        );
    }
}
