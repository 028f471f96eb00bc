//! Stores with an account and a key in them, made once and copied for each run: hashing a password is slow.

use std::{
    io,
    path::{Path, PathBuf},
};

use metric_flow_bench::api::ApiClient;
use tempfile::TempDir;
use tokio::{process::Command, sync::OnceCell};

use crate::{cluster::ClusterError, programs::program, secantus::Secantus, server::Server};

/// One of each kind, made when the first run asks for it.
#[derive(Debug, Default)]
pub struct Templates {
    embedded: OnceCell<Template>,
    mongodb: OnceCell<Template>,
}

/// A store's folder, or that of the database that holds it.
#[derive(Debug)]
pub struct Template {
    folder: TempDir,
    /// Key of the account.
    pub api_key: String,
}

impl Templates {
    /// An embedded store.
    ///
    /// # Errors
    /// When a program is missing or the server fails.
    pub async fn embedded(&self) -> Result<&Template, ClusterError> {
        let make = || async {
            let folder = TempDir::new()?;
            let store = format!("embedded:{}", store_of(&folder).display());
            let api_key = set_up(&store, folder.path()).await?;
            Ok(Template { folder, api_key })
        };
        self.embedded.get_or_try_init(make).await
    }

    /// A MongoDB store.
    ///
    /// # Errors
    /// When a program is missing, or the server or the database fails.
    pub async fn mongodb(&self) -> Result<&Template, ClusterError> {
        let make = || async {
            let folder = TempDir::new()?;
            let mut database = Secantus::start(&store_of(&folder)).await?;
            let api_key = set_up(&database.address(), folder.path()).await?;
            database.kill().await?;
            Ok(Template { folder, api_key })
        };
        self.mongodb.get_or_try_init(make).await
    }
}

impl Template {
    /// Copies the store to a folder that is there or not; the holes of its files stay holes.
    ///
    /// # Errors
    /// When it cannot be written.
    pub async fn copy_to(&self, folder: &Path) -> io::Result<()> {
        copy(&store_of(&self.folder), folder).await
    }
}

/// Copies what is in a folder to another one, holes as holes.
///
/// # Errors
/// When it cannot be written.
pub async fn copy(from: &Path, to: &Path) -> io::Result<()> {
    std::fs::create_dir_all(to)?;
    let mut copying = Command::new("cp");
    copying
        .args(["--recursive", "--sparse=always"])
        .arg(from.join("."))
        .arg(to);
    let done = copying.output().await?;
    if done.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&done.stderr);
    Err(io::Error::other(format!(
        "{} cannot be copied: {}",
        from.display(),
        said.trim()
    )))
}

fn store_of(folder: &TempDir) -> PathBuf {
    folder.path().join("store")
}

async fn set_up(store: &str, folder: &Path) -> Result<String, ClusterError> {
    let server_program = program("socket-server").map_err(ClusterError::Program)?;
    let server = Server::start(&server_program, store, &folder.join("server.log"), true).await?;
    let authority = server.address.to_string();
    let api = ApiClient::set_up(&authority, &server.setup_token, "ada", "correct horse battery").await?;
    let api_key = api.create_key("cluster").await?;
    server.kill().await;
    Ok(api_key)
}
