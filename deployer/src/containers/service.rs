//! `podman system service`, run for as long as one command needs it.

use std::{
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};

use tokio::{
    process::{Child, Command},
    time::{Instant, sleep},
};

use super::{engine::Engine, error::EngineError};

/// How long a service may take to answer: Podman migrates its store at the first start after an upgrade.
const START: Duration = Duration::from_secs(60);
/// A service whose owner was killed ends by itself after so long without a request; making a base takes minutes.
const IDLE_SECONDS: u32 = 1800;
/// How often it is asked meanwhile.
const ASK_EVERY: Duration = Duration::from_millis(20);

/// A Podman service of our own, ended when it is dropped. The containers that it started live on without it.
pub struct LocalService {
    engine: Engine,
    process: Child,
    folder: PathBuf,
}

impl LocalService {
    /// Starts a service with its socket in `folder`, which is removed with it.
    ///
    /// `settings` is a containers.conf that replaces this machine's. It must outlive the containers that are started
    /// with it: Podman reads it again when one of them ends.
    ///
    /// # Errors
    ///
    /// When Podman is not installed, ends at once, or does not answer in time.
    pub async fn start(folder: &Path, settings: Option<&Path>) -> Result<Self, EngineError> {
        let failed = |reason: &str, source| EngineError::Service {
            reason: reason.to_owned(),
            source: Some(source),
        };
        std::fs::create_dir_all(folder).map_err(|error| failed("its folder cannot be made", error))?;
        let (socket, log) = (folder.join("engine.sock"), folder.join("service.log"));
        let said = std::fs::File::create(&log).map_err(|error| failed("its log cannot be written", error))?;
        let mut command = Command::new("podman");
        if let Some(settings) = settings {
            command.env("CONTAINERS_CONF", settings);
        }
        let process = command
            // With these, podman would be the client of a service elsewhere, and refuse to be one.
            .env_remove("CONTAINER_HOST")
            .env_remove("CONTAINER_CONNECTION")
            .args(["system", "service"])
            .arg(format!("--time={IDLE_SECONDS}"))
            .arg(format!("unix://{}", socket.display()))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(said)
            // A Ctrl-C is ours to handle: the service must still answer while we clean up.
            .process_group(0)
            .kill_on_drop(true)
            .spawn()
            .map_err(|error| failed("podman cannot be run", error))?;
        let mut service = Self {
            engine: Engine::at(&socket)?,
            process,
            folder: folder.to_owned(),
        };
        service.wait_for_an_answer(&log).await?;
        Ok(service)
    }

    /// The client of this service.
    #[must_use]
    pub fn engine(&self) -> &Engine {
        &self.engine
    }

    async fn wait_for_an_answer(&mut self, log: &Path) -> Result<(), EngineError> {
        let deadline = Instant::now() + START;
        loop {
            if self.engine.ping().await.is_ok() {
                return Ok(());
            }
            let ended = matches!(self.process.try_wait(), Ok(Some(_)));
            if ended || Instant::now() > deadline {
                let said = std::fs::read_to_string(log).unwrap_or_default();
                let how = if ended {
                    "it ended at once"
                } else {
                    "it does not answer"
                };
                return Err(EngineError::Service {
                    reason: format!("{how}: {}", said.trim()),
                    source: None,
                });
            }
            sleep(ASK_EVERY).await;
        }
    }
}

impl Drop for LocalService {
    fn drop(&mut self) {
        // `kill_on_drop` ends the process. Its files are of no use to anyone else.
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}
