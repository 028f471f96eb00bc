//! What a command that was killed could not take with it: its engine service and the folder of that one's socket.

use std::{ffi::OsString, fs, path::Path, time::Duration};

use tokio::{
    process::Command,
    time::{Instant, sleep},
};

/// What the names of such folders begin with; the process's number and a hyphen follow.
pub(super) const PREFIX: &str = "metric-flow-lab-";

/// How long a service may take to finish what it was asked before; then it is left alone.
const FINISH: Duration = Duration::from_secs(30);
/// How often it is looked at meanwhile.
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// Removes the folders in `run` whose process is gone, and ends the services that listen there.
pub(super) async fn sweep(run: &Path) {
    for entry in fs::read_dir(run).into_iter().flatten().flatten() {
        let gone = entry
            .file_name()
            .to_str()
            .and_then(owner)
            .is_some_and(|process| !Path::new("/proc").join(process.to_string()).exists());
        if gone {
            end_services(&entry.path()).await;
            // Whoever cannot remove it has no use for it either.
            let _ = fs::remove_dir_all(entry.path());
        }
    }
}

/// The process that a folder of this name belongs to.
fn owner(name: &str) -> Option<u32> {
    let (process, _) = name.strip_prefix(PREFIX)?.split_once('-')?;
    process.parse().ok()
}

/// Ends the services with a socket in this folder, and waits until they are gone: one that is making a container
/// finishes it first, and nobody else can use that name meanwhile.
async fn end_services(folder: &Path) {
    let deadline = Instant::now() + FINISH;
    for process in listening_in(folder) {
        let _ = Command::new("kill").arg(process).status().await;
    }
    while !listening_in(folder).is_empty() && Instant::now() < deadline {
        sleep(LOOK_EVERY).await;
    }
}

fn listening_in(folder: &Path) -> Vec<OsString> {
    let socket = format!("unix://{}/", folder.display());
    let listens = |entry: &fs::DirEntry| {
        fs::read(entry.path().join("cmdline")).is_ok_and(|line| {
            line.split(|byte| *byte == 0)
                .any(|word| word.starts_with(socket.as_bytes()))
        })
    };
    let processes = fs::read_dir("/proc").into_iter().flatten().flatten();
    processes.filter(listens).map(|entry| entry.file_name()).collect()
}

#[cfg(test)]
mod tests {
    #![expect(clippy::expect_used, reason = "a test fails by panicking")]

    use super::*;

    #[tokio::test]
    async fn folders_of_processes_that_are_gone_are_removed_and_no_others() {
        let run = tempfile::tempdir().expect("a folder");
        // Above the highest number that Linux gives to a process.
        let gone = run.path().join(format!("{PREFIX}4194305-0"));
        let ours = run.path().join(format!("{PREFIX}{}-0", std::process::id()));
        let other = run.path().join("metric-flow-lab-notes");
        for folder in [&gone, &ours, &other] {
            fs::create_dir(folder).expect("made");
        }
        fs::write(gone.join("service.log"), "").expect("written");
        sweep(run.path()).await;
        assert!(!gone.exists() && ours.exists() && other.exists());
    }
}
