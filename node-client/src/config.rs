//! From what was typed to what is valid: every problem is reported at once.

use std::{
    fmt, fs,
    path::{Path, PathBuf},
    time::Duration,
};

use metric_flow_protocol::node::{HostFacts, Label};
use secrecy::SecretString;
use thiserror::Error;
use url::Url;

use crate::{
    cli::ConnectArguments,
    facts::hello_facts,
    host_root::HostRoot,
    identity::{IdentityError, identity_of_file, machine_identity},
};

/// Environment variable that holds the API key when no key file is given.
pub const API_KEY_VARIABLE: &str = "METRIC_FLOW_API_KEY";

/// Fastest sampling: below it the kernel's own counters (100 ticks a second) say too little.
pub const INTERVAL_MS_MIN: u64 = 100;

/// Slowest sampling: a host that is silent longer looks dead to the server.
pub const INTERVAL_MS_MAX: u64 = 60_000;

/// Longest label name or value in bytes: labels go into table columns and into every hello.
pub const LABEL_BYTES_MAX: usize = 64;

/// A valid configuration of `node-client connect`.
#[derive(Debug, Clone)]
pub struct Config {
    /// The server: scheme `http` or `https`, host, port and perhaps a path prefix.
    pub server: Url,
    /// Proves which account this host belongs to.
    pub api_key: SecretString,
    /// Certificates in PEM form that are trusted besides the system's.
    pub ca_file: Option<PathBuf>,
    /// Labels that the host gives itself.
    pub labels: Vec<Label>,
    /// Where samples are kept until they are acknowledged; also holds the state that `healthcheck` reads.
    pub spool_dir: PathBuf,
    /// Most bytes that the spool takes on disk.
    pub spool_bytes_max: u64,
    /// Where the host's file trees are.
    pub host_root: HostRoot,
    /// Distance of two samples.
    pub interval: Duration,
    /// How many times sooner than usual a connection counts as good, and is tried again: 1 outside of benchmarks.
    pub hurry: u32,
    /// A file that holds this host's identity instead of its machine-id, made when absent.
    pub identity_file: Option<PathBuf>,
    /// Name to report instead of the host's own.
    pub host_name: Option<String>,
}

impl Config {
    /// Which machine this is: what the identity file says, else the machine itself.
    ///
    /// # Errors
    /// When the identity file cannot be used.
    pub fn machine_identity(&self) -> Result<String, IdentityError> {
        match &self.identity_file {
            Some(path) => identity_of_file(path),
            None => Ok(machine_identity(&self.host_root)),
        }
    }

    /// The facts of the hello, under the name that was asked for.
    pub fn facts(&self) -> HostFacts {
        let mut facts = hello_facts(&self.host_root);
        if let Some(name) = &self.host_name {
            facts.host_name.clone_from(name);
        }
        facts
    }
}

/// One thing that is wrong with the configuration, and what to do about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// What is wrong, and why.
    pub message: String,
    /// What to do next.
    pub hint: String,
}

/// Everything that is wrong with the configuration.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub struct Problems(pub Vec<Problem>);

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, problem) in self.0.iter().enumerate() {
            let newline = if index == 0 { "" } else { "\n" };
            write!(f, "{newline}{}\n  hint: {}", problem.message, problem.hint)?;
        }
        Ok(())
    }
}

/// Checks what was typed; `environment` looks up a variable. Nothing is connected or made.
///
/// # Errors
/// All problems together.
pub fn resolve(
    arguments: &ConnectArguments,
    environment: &dyn Fn(&str) -> Option<String>,
) -> Result<Config, Problems> {
    let mut problems = Vec::new();
    let server = keep(check_server(&arguments.server), &mut problems);
    let api_key = keep(
        find_key(arguments.api_key_file.as_deref(), environment),
        &mut problems,
    );
    let mut labels = Vec::new();
    for text in &arguments.labels {
        labels.extend(keep(parse_label(text), &mut problems));
    }
    let shortest = INTERVAL_MS_MIN / u64::from(arguments.hurry.max(1));
    if !(shortest..=INTERVAL_MS_MAX).contains(&arguments.interval_ms) {
        problems.push(problem(
            format!("--interval-ms {} is out of range", arguments.interval_ms),
            format!("use {INTERVAL_MS_MIN} to {INTERVAL_MS_MAX}; 1000 is one sample a second"),
        ));
    }
    for (option, path) in [
        ("--ca-file", &arguments.ca_file),
        ("--host-root", &arguments.host.host_root),
    ] {
        if let Some(path) = path
            && let Err(error) = fs::metadata(path)
        {
            problems.push(problem(
                format!("{option} {} cannot be used: {error}", path.display()),
                "check the path, and that it is mounted when this runs in a container".to_owned(),
            ));
        }
    }
    let spool_dir = arguments
        .spool_dir
        .clone()
        .or_else(|| default_spool_dir(environment));
    if spool_dir.is_none() {
        problems.push(problem(
            "there is no place for the spool: neither a writable /var/lib nor a home folder is known"
                .to_owned(),
            "name a folder with --spool-dir".to_owned(),
        ));
    }
    match (server, api_key, spool_dir) {
        (Some(server), Some(api_key), Some(spool_dir)) if problems.is_empty() => Ok(Config {
            server,
            api_key,
            ca_file: arguments.ca_file.clone(),
            labels,
            spool_dir,
            spool_bytes_max: arguments.spool_megabytes.saturating_mul(1_000_000),
            host_root: arguments.host.root(),
            interval: Duration::from_millis(arguments.interval_ms),
            hurry: arguments.hurry.max(1),
            identity_file: arguments.identity_file.clone(),
            host_name: arguments.host_name.clone(),
        }),
        _ => Err(Problems(problems)),
    }
}

/// Where the spool is when nobody says: `/var/lib` for root, the user's state folder otherwise.
pub fn default_spool_dir(environment: &dyn Fn(&str) -> Option<String>) -> Option<PathBuf> {
    const FOLDER: &str = "metric-flow/node-client";
    let named = |name: &str| {
        environment(name)
            .filter(|value| value.starts_with('/'))
            .map(PathBuf::from)
    };
    if rustix::process::geteuid().is_root() {
        return Some(Path::new("/var/lib").join(FOLDER));
    }
    named("STATE_DIRECTORY")
        .or_else(|| named("XDG_STATE_HOME").map(|state| state.join(FOLDER)))
        .or_else(|| named("HOME").map(|home| home.join(".local/state").join(FOLDER)))
}

fn check_server(text: &str) -> Result<Url, Problem> {
    let hint =
        || "use the address that the dashboard has, such as https://metrics.example.org:8000".to_owned();
    let url = Url::parse(text)
        .map_err(|error| problem(format!("--server {text} is not an address: {error}"), hint()))?;
    if !matches!(url.scheme(), "http" | "https") || url.host().is_none() {
        return Err(problem(
            format!("--server {text} does not begin with http:// or https://"),
            hint(),
        ));
    }
    if !url.username().is_empty() || url.password().is_some() {
        let message = "--server holds a user name or password, which would end up in logs".to_owned();
        return Err(problem(
            message,
            "leave it out: the API key says who this host belongs to".to_owned(),
        ));
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err(problem(format!("--server {text} goes on after the path"), hint()));
    }
    Ok(url)
}

fn find_key(
    file: Option<&Path>,
    environment: &dyn Fn(&str) -> Option<String>,
) -> Result<SecretString, Problem> {
    let (text, origin) = match file {
        Some(path) => {
            let text = fs::read_to_string(path).map_err(|error| {
                problem(
                    format!("--api-key-file {} cannot be read: {error}", path.display()),
                    "write the key into that file; make one in the dashboard under Keys".to_owned(),
                )
            })?;
            warn_if_world_readable(path);
            (text, format!("the key in {}", path.display()))
        }
        None => match environment(API_KEY_VARIABLE) {
            Some(text) => (text, format!("the key in {API_KEY_VARIABLE}")),
            None => {
                let hint = format!(
                    "make one in the dashboard under Keys, then give --api-key-file FILE or set {API_KEY_VARIABLE}"
                );
                return Err(problem("there is no API key".to_owned(), hint));
            }
        },
    };
    let key = text.trim();
    if key.is_empty() || !key.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(problem(
            format!("{origin} is empty or has characters that no key has"),
            "copy it again from the dashboard, or make a new one under Keys".to_owned(),
        ));
    }
    Ok(SecretString::from(key))
}

#[cfg(unix)]
fn warn_if_world_readable(path: &Path) {
    use std::os::unix::fs::PermissionsExt;
    let open = fs::metadata(path).is_ok_and(|metadata| metadata.permissions().mode() & 0o004 != 0);
    if open {
        let path = path.display();
        tracing::warn!("every user of this machine can read the API key: chmod 600 {path}");
    }
}

#[cfg(not(unix))]
fn warn_if_world_readable(_path: &Path) {}

fn parse_label(text: &str) -> Result<Label, Problem> {
    let hint = || "write it as --label role=db".to_owned();
    let (name, value) = text
        .split_once('=')
        .ok_or_else(|| problem(format!("--label {text} has no value"), hint()))?;
    let plain =
        |part: &str| !part.is_empty() && part.len() <= LABEL_BYTES_MAX && !part.chars().any(char::is_control);
    if !plain(name) || !plain(value) {
        let message =
            format!("--label {text}: name and value need 1 to {LABEL_BYTES_MAX} printable bytes each");
        return Err(problem(message, hint()));
    }
    Ok(Label {
        name: name.to_owned(),
        value: value.to_owned(),
    })
}

fn problem(message: String, hint: String) -> Problem {
    Problem { message, hint }
}

fn keep<T>(result: Result<T, Problem>, problems: &mut Vec<Problem>) -> Option<T> {
    result.map_err(|problem| problems.push(problem)).ok()
}
