//! The busiest processes, from sysinfo.

use std::{collections::HashMap, fs, thread, time::Duration};

use serde_json::{Map, Value, json};
use sysinfo::{Process, ProcessRefreshKind, ProcessesToUpdate, System, UpdateKind};

use super::AnswerError;
use crate::host_root::HostRoot;

/// How many processes an answer names.
const PROCESSES_MAX: usize = 50;

/// The time over which processor use is measured: long enough for 100 ticks a second to say something.
const MEASURED_OVER: Duration = Duration::from_millis(500);

/// The busiest processes, by processor time and then by memory.
///
/// Names only: command lines may hold passwords. Inside a container these are the host's processes when it shares
/// the host's process namespace.
pub(super) fn processes(root: &HostRoot) -> Result<Map<String, Value>, AnswerError> {
    let mut system = System::new().map_err(|error| AnswerError::Unavailable(error.to_string()))?;
    let wanted = ProcessRefreshKind::nothing()
        .without_tasks()
        .with_cpu()
        .with_memory()
        .with_user(UpdateKind::OnlyIfNotSet);
    system.refresh_processes_specifics(ProcessesToUpdate::All, true, wanted);
    thread::sleep(MEASURED_OVER);
    system.refresh_processes_specifics(ProcessesToUpdate::All, true, wanted);
    let mut processes: Vec<&Process> = system
        .processes()
        .values()
        .filter(|process| process.thread_kind().is_none())
        .collect();
    processes.sort_by(|left, right| {
        let by_memory = right
            .memory()
            .cmp(&left.memory())
            .then(left.pid().cmp(&right.pid()));
        right.cpu_usage().total_cmp(&left.cpu_usage()).then(by_memory)
    });
    let total = processes.len();
    let passwd = fs::read(root.join("etc/passwd")).unwrap_or_default();
    let passwd = String::from_utf8_lossy(&passwd);
    let names = user_names(&passwd);
    let entries = processes.into_iter().take(PROCESSES_MAX).map(|process| {
        json!({
            "pid": process.pid().as_u32(),
            "parent_pid": process.parent().map(sysinfo::Pid::as_u32),
            "name": process.name().to_string_lossy(),
            "user_id": process.user_id().map(|user| user.to_string()),
            "user": process.user_id().and_then(|user| names.get(user.to_string().as_str())),
            "state": process.status().to_string(),
            "cpu_percent_of_a_core": (f64::from(process.cpu_usage()) * 10.0).round() / 10.0,
            "memory_bytes": process.memory(),
            "started_unix_ms": process.start_time().saturating_mul(1_000),
        })
    });
    let mut document = Map::new();
    document.insert("total".to_owned(), json!(total));
    document.insert("processes".to_owned(), entries.collect());
    Ok(document)
}

/// Names of users by their numbers, from passwd(5). The first line of a number counts, as in the C library.
fn user_names(passwd: &str) -> HashMap<&str, &str> {
    let mut names = HashMap::new();
    for line in passwd.lines() {
        let mut fields = line.split(':');
        if let (Some(name), Some(_password), Some(number)) = (fields.next(), fields.next(), fields.next()) {
            names.entry(number).or_insert(name);
        }
    }
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn users_have_the_names_of_the_passwd_file() {
        let names =
            user_names("root:x:0:0:root:/root:/bin/bash\ntoor:x:0:0::/:/bin/sh\n# words\ndb:x:26:26::/:");
        assert_eq!(names.get("0"), Some(&"root"));
        assert_eq!(names.get("26"), Some(&"db"));
        assert_eq!(names.len(), 2);
    }
}
