//! Hosts as containers: how long they take to come, and what they take.

use std::{path::PathBuf, process::Stdio, time::Duration};

use serde_json::Value;
use tempfile::TempDir;
use tokio::{process::Command, time::Instant};

use super::ScenarioError;
use crate::{
    context::{Context, tail, words},
    report::Figure,
};

/// Nothing of a lab takes this long; what does hangs.
const PATIENCE: Duration = Duration::from_secs(400);

/// A lab of its own; `down` removes it.
pub(super) struct Lab {
    program: PathBuf,
    name: String,
    place: TempDir,
    storage: Option<PathBuf>,
}

impl Lab {
    /// Nothing is started yet.
    pub(super) fn new(context: &Context, purpose: &str) -> Result<Self, ScenarioError> {
        Ok(Self {
            program: context.program("deployer"),
            name: format!("b{}{purpose}", std::process::id()),
            place: TempDir::new()?,
            storage: None,
        })
    }

    /// Its folder, with hosts.toml and the keys.
    pub(super) fn folder(&self) -> PathBuf {
        self.place.path().join("lab")
    }

    /// The folder around it.
    pub(super) fn place(&self) -> PathBuf {
        self.place.path().to_owned()
    }

    /// A host's container on this machine's engine.
    pub(super) fn container(&self, host: &str) -> String {
        format!("metric-flow-lab-{}.{host}", self.name)
    }

    /// `deployer lab VERB`; says how many seconds it took.
    pub(super) async fn run(&self, verb: &str, arguments: &[&str]) -> Result<f64, ScenarioError> {
        let mut command = Command::new(&self.program);
        command.args(["lab", verb, "--name", &self.name, "--folder"]);
        command.arg(self.folder()).args(arguments);
        self.storage(&mut command);
        Ok(timed(command).await?.0)
    }

    /// `deployer lab up` with that many hosts.
    pub(super) async fn up(&self, hosts: usize) -> Result<f64, ScenarioError> {
        self.run("up", &["--hosts", &hosts.to_string(), "--base", "debian"])
            .await
    }

    /// A command of the engine that the lab runs on.
    pub(super) fn podman(&self) -> Command {
        let mut command = Command::new("podman");
        self.storage(&mut command);
        command
    }

    fn storage(&self, command: &mut Command) {
        if let Some(file) = &self.storage {
            command.env("CONTAINERS_STORAGE_CONF", file);
        }
    }

    /// Images and containers in a folder of their own, so that nothing is built yet.
    fn with_own_storage(mut self) -> Result<Self, ScenarioError> {
        let root = self.place.path().join("storage");
        let file = self.place.path().join("storage.conf");
        let text = format!(
            "[storage]\ndriver = \"overlay\"\ngraphroot = \"{0}/graph\"\nrunroot = \"{0}/run\"\n",
            root.display()
        );
        std::fs::write(&file, text)?;
        self.storage = Some(file);
        Ok(self)
    }
}

/// Runs a command to its end: seconds, and what it wrote on standard output.
pub(super) async fn timed(mut command: Command) -> Result<(f64, String), ScenarioError> {
    command.stdin(Stdio::null()).kill_on_drop(true);
    let failed = |output: String| ScenarioError::Command {
        command: words(command.as_std()),
        output,
    };
    let hangs = failed(format!("no end within {} s", PATIENCE.as_secs()));
    let described = failed(String::new());
    let started = Instant::now();
    let output = tokio::time::timeout(PATIENCE, command.output())
        .await
        .map_err(|_elapsed| hangs)??;
    let seconds = started.elapsed().as_secs_f64();
    if !output.status.success() {
        let ScenarioError::Command { command, .. } = described else {
            return Err(described);
        };
        let output = format!("{}\n{}", tail(&output.stdout), tail(&output.stderr));
        return Err(ScenarioError::Command { command, output });
    }
    Ok((seconds, String::from_utf8_lossy(&output.stdout).into_owned()))
}

/// Brings labs up and down.
///
/// # Errors
/// When the engine or the deployer fails.
pub async fn lab(context: &Context) -> Result<Vec<Figure>, ScenarioError> {
    let lab = Lab::new(context, "l")?.with_own_storage()?;
    let figures = measure(context, &lab).await;
    // Whatever happened, nothing is to be left.
    let down = lab.run("down", &[]).await;
    let mut reset = lab.podman();
    reset.args(["rmi", "--all", "--force"]);
    let removed = timed(reset).await;
    let figures = figures?;
    down.and(removed.map(|(seconds, _)| seconds))?;
    Ok(figures)
}

async fn measure(context: &Context, lab: &Lab) -> Result<Vec<Figure>, ScenarioError> {
    context.say("the image from packages, and three hosts");
    let with_image = lab.up(3).await?;
    lab.run("down", &[]).await?;
    context.say("three hosts");
    let three = lab.up(3).await?;
    let again = lab.up(3).await?;
    let mut listing = lab.podman();
    listing.args(["ps", "--all"]);
    let (listing, _) = timed(listing).await?;
    lab.run("down", &[]).await?;
    context.say("twenty hosts");
    let twenty = lab.up(20).await?;
    let gigabytes = memory_bytes(lab).await? / 1e9;
    Ok(vec![
        Figure::at_most("3 hosts to ssh on all, image built", three, 10.0, "s"),
        Figure::at_most("20 hosts to ssh on all, image built", twenty, 60.0, "s"),
        Figure::at_most("memory of the 20 hosts (`podman stats`)", gigabytes, 2.5, "GB"),
        Figure::at_most("a second `up` with nothing to do", again, 1.0, "s").beside(
            "`podman ps`",
            listing,
            "s",
        ),
        Figure::at_most(
            "image build from packages (`up` without the image, less `up` with it)",
            with_image - three,
            90.0,
            "s",
        ),
    ])
}

/// What the engine counts for all containers together.
async fn memory_bytes(lab: &Lab) -> Result<f64, ScenarioError> {
    let mut stats = lab.podman();
    stats.args(["stats", "--no-stream", "--format", "json"]);
    let (_, text) = timed(stats).await?;
    let rows: Vec<Value> = serde_json::from_str(&text).map_err(std::io::Error::other)?;
    let used = |row: &Value| row["mem_usage"].as_str().and_then(bytes_in).unwrap_or(0.0);
    Ok(rows.iter().map(used).sum())
}

/// `12.3MB / 25.2GB` in bytes.
fn bytes_in(text: &str) -> Option<f64> {
    let used = text.split('/').next()?.trim();
    let digits = used.find(|letter: char| letter.is_ascii_alphabetic())?;
    let (number, unit) = used.split_at(digits);
    let factor = match unit {
        "B" => 1.0,
        "kB" => 1e3,
        "MB" => 1e6,
        "GB" => 1e9,
        _ => return None,
    };
    Some(number.trim().parse::<f64>().ok()? * factor)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_read_as_podman_prints_them() {
        assert_eq!(bytes_in("12.5MB / 25.2GB"), Some(12.5e6));
        assert_eq!(bytes_in("1.5GB / 25.2GB"), Some(1.5e9));
        assert_eq!(bytes_in("-- / --"), None);
    }
}
