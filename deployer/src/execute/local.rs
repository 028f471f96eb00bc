//! What is here: the images of this machine's engine, and the contents of secrets and configs.

use std::{collections::BTreeMap, io};

use sha2::{Digest as _, Sha256};

use super::error::HostError;
use crate::{
    compose::{FileSource, Project},
    containers::{Engine, EngineError},
};

/// The images of this machine's engine that a project needs. Without an engine here the hosts pull for themselves.
#[derive(Clone, Default)]
pub struct LocalImages {
    /// The engine, when there is one.
    pub engine: Option<Engine>,
    /// Id by name, of the images that are here.
    pub ids: BTreeMap<String, String>,
}

impl LocalImages {
    /// Looks up the images of a project.
    ///
    /// # Errors
    ///
    /// When the engine answers, but not this question.
    pub async fn of(project: &Project, engine: Option<Engine>) -> Result<Self, EngineError> {
        let mut ids = BTreeMap::new();
        if let Some(engine) = &engine {
            for service in &project.services {
                let image = &service.container.image;
                if !ids.contains_key(image)
                    && let Some(id) = engine.image_id(image).await?
                {
                    ids.insert(image.clone(), id);
                }
            }
        }
        Ok(Self { engine, ids })
    }
}

/// The contents of the secrets and configs that are at hand here, and the hash of each as the plan wants it.
///
/// # Errors
///
/// When one of them cannot be read.
pub fn contents(project: &Project) -> Result<BTreeMap<String, (Vec<u8>, String)>, HostError> {
    let mut contents = BTreeMap::new();
    for (name, source) in &project.files {
        let content = match source {
            FileSource::Enrolment { .. } => continue,
            FileSource::Content(text) => Ok(text.clone().into_bytes()),
            FileSource::File(path) => std::fs::read(path),
            FileSource::Environment(variable) => std::env::var(variable)
                .map(String::into_bytes)
                .map_err(|_| io::Error::other(format!("the variable {variable} is not set"))),
        };
        let content = content.map_err(|source| HostError::Content {
            name: name.clone(),
            source,
        })?;
        let digest = Sha256::digest(&content);
        let hash: String = digest.iter().take(4).map(|byte| format!("{byte:02x}")).collect();
        contents.insert(name.clone(), (content, hash));
    }
    Ok(contents)
}

/// Writes a file that only its owner can read.
pub(super) fn write_private(path: &std::path::Path, content: &[u8]) -> io::Result<()> {
    use std::{io::Write as _, os::unix::fs::OpenOptionsExt as _};
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder)?;
    }
    let mut file = std::fs::OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(path)?;
    file.write_all(content)
}
