//! The programs that the demonstration has started; none outlives it.

use std::{
    fs::File,
    path::PathBuf,
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail};
use rustix::process::{Pid, Signal, kill_process};

use super::{LOOK, folder::DemoFolder};

/// How long a program may take to end in order; the server waits up to 10 s for its own tasks.
const PATIENCE: Duration = Duration::from_secs(15);

/// Running programs, in the order in which they were started.
#[derive(Debug, Default)]
pub(super) struct Children {
    running: Vec<(&'static str, Child)>,
}

impl Children {
    /// Starts a program; its standard output goes into the file that is returned, its errors into a log.
    pub(super) fn start(
        &mut self,
        name: &'static str,
        command: &mut Command,
        folder: &DemoFolder,
    ) -> Result<PathBuf> {
        let output = folder.path(&format!("{name}.out"));
        let log = folder.path(&format!("{name}.log"));
        let child = command
            .stdin(Stdio::null())
            .stdout(File::create(&output).with_context(|| format!("{} cannot be written", output.display()))?)
            .stderr(File::create(&log).with_context(|| format!("{} cannot be written", log.display()))?)
            .spawn()
            .with_context(|| format!("{name} could not be started"))?;
        self.running.push((name, child));
        Ok(output)
    }

    /// An error when one has ended.
    pub(super) fn all_run(&mut self) -> Result<()> {
        for (name, child) in &mut self.running {
            if let Some(status) = child
                .try_wait()
                .with_context(|| format!("{name} cannot be waited for"))?
            {
                bail!("{name} has ended by itself ({status}); its log is above");
            }
        }
        Ok(())
    }

    /// Asks all to end, the last started first, waits, and kills what does not.
    pub(super) fn end(&mut self) {
        for (_, child) in self.running.iter_mut().rev() {
            let ended = matches!(child.try_wait(), Ok(Some(_)));
            let pid = i32::try_from(child.id()).ok().and_then(Pid::from_raw);
            if let (false, Some(pid)) = (ended, pid) {
                // It may have ended since; then there is nothing to ask.
                _ = kill_process(pid, Signal::TERM);
            }
        }
        let asked = Instant::now();
        for (_, child) in &mut self.running {
            while matches!(child.try_wait(), Ok(None)) && asked.elapsed() < PATIENCE {
                thread::sleep(LOOK);
            }
            // Both do nothing to a program that has ended.
            drop(child.kill());
            drop(child.wait());
        }
        self.running.clear();
    }
}

impl Drop for Children {
    fn drop(&mut self) {
        self.end();
    }
}
