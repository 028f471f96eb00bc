//! A fresh release server with an account and a key, in a folder that goes away.

use std::path::{Path, PathBuf};

use tempfile::TempDir;

use super::ScenarioError;
use crate::{api::ApiClient, process::ServerProcess};

/// A server under test.
pub struct Stage {
    /// The process.
    pub server: ServerProcess,
    /// Logged in as the first account.
    pub api: ApiClient,
    /// A key for hosts.
    pub api_key: String,
    program: PathBuf,
    data: TempDir,
}

impl Stage {
    /// Starts a server on an empty embedded store.
    ///
    /// # Errors
    /// When it cannot be started or set up.
    pub async fn open(program: &Path) -> Result<Self, ScenarioError> {
        Self::open_on(program, "127.0.0.1:0").await
    }

    /// The same on another address than loopback's.
    ///
    /// # Errors
    /// When it cannot be started or set up.
    pub async fn open_on(program: &Path, listen: &str) -> Result<Self, ScenarioError> {
        let data = TempDir::new()?;
        let server = ServerProcess::start(program, data.path(), listen, true).await?;
        let token = server.setup_token.clone().ok_or(ScenarioError::NoSetupToken)?;
        let api = ApiClient::set_up(
            &server.address.to_string(),
            &token,
            "bench",
            "a long enough password",
        )
        .await?;
        let api_key = api.create_key("bench").await?;
        Ok(Self {
            server,
            api,
            api_key,
            program: program.to_owned(),
            data,
        })
    }

    /// Kills the server and starts it again on the same store and address.
    ///
    /// # Errors
    /// When it cannot be started again.
    pub async fn restart(self) -> Result<Self, ScenarioError> {
        let (stopped, _) = self.stop().await;
        stopped.start().await
    }

    /// Kills the server; says where its store is, so that it can be filled meanwhile.
    pub async fn stop(self) -> (StoppedStage, PathBuf) {
        let Self {
            server,
            api,
            api_key,
            program,
            data,
        } = self;
        let listen = server.address.to_string();
        server.kill().await;
        let folder = data.path().to_owned();
        let stopped = StoppedStage {
            listen,
            api,
            api_key,
            program,
            data,
        };
        (stopped, folder)
    }

    /// Ends the server and removes its folder.
    pub async fn close(self) {
        self.server.kill().await;
    }
}

/// A server that was stopped, with all that it needs to go on.
pub struct StoppedStage {
    listen: String,
    api: ApiClient,
    api_key: String,
    program: PathBuf,
    data: TempDir,
}

impl StoppedStage {
    /// Starts it again on the same store and address.
    ///
    /// # Errors
    /// When it cannot be started again.
    pub async fn start(self) -> Result<Stage, ScenarioError> {
        let Self {
            listen,
            api,
            api_key,
            program,
            data,
        } = self;
        let server = ServerProcess::start(&program, data.path(), &listen, false).await?;
        Ok(Stage {
            server,
            api,
            api_key,
            program,
            data,
        })
    }
}

/// Bytes of all files below a folder.
pub(super) fn folder_bytes(folder: &Path) -> u64 {
    let Ok(entries) = std::fs::read_dir(folder) else {
        return 0;
    };
    entries
        .flatten()
        .map(|entry| match entry.metadata() {
            Ok(metadata) if metadata.is_dir() => folder_bytes(&entry.path()),
            Ok(metadata) => metadata.len(),
            Err(_) => 0,
        })
        .sum()
}
