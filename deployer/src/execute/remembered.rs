//! The ids of this machine's images, remembered as long as its engine's list of images has not changed: starting an engine
//! to ask it takes longer than all that a rollout with nothing to do takes besides.

use std::{
    collections::BTreeMap,
    os::unix::fs::MetadataExt as _,
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};

use super::local::{LocalImages, write_private};
use crate::compose::Project;

/// The file beside the project's account.
const FILE: &str = "images.json";
/// What says which engine is meant, and where it keeps its images.
const VARIABLES: [&str; 3] = ["DOCKER_HOST", "CONTAINERS_CONF", "CONTAINERS_STORAGE_CONF"];

#[derive(Serialize, Deserialize)]
struct Remembered {
    list: PathBuf,
    stamp: Stamp,
    /// Id by name; none for an image that is not here.
    ids: BTreeMap<String, Option<String>>,
}

/// Of the list of images; Podman writes another file for each change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Stamp {
    inode: u64,
    bytes: u64,
    modified_ns: (i64, i64),
    environment: Vec<Option<String>>,
}

impl Stamp {
    fn of(list: &Path) -> Option<Self> {
        let file = std::fs::metadata(list).ok()?;
        Some(Self {
            inode: file.ino(),
            bytes: file.len(),
            modified_ns: (file.mtime(), file.mtime_nsec()),
            environment: VARIABLES.iter().map(|name| std::env::var(name).ok()).collect(),
        })
    }
}

/// The images of a project, when nothing has changed since they were remembered. There is no engine with them.
#[must_use]
pub fn remembered(folder: &Path, project: &Project) -> Option<LocalImages> {
    let text = std::fs::read(folder.join(FILE)).ok()?;
    let known: Remembered = serde_json::from_slice(&text).ok()?;
    if Stamp::of(&known.list)? != known.stamp {
        return None;
    }
    let mut ids = BTreeMap::new();
    for service in &project.services {
        let image = &service.container.image;
        if let Some(id) = known.ids.get(image)? {
            ids.insert(image.clone(), id.clone());
        }
    }
    Some(LocalImages { engine: None, ids })
}

/// Remembers the images of a project. What cannot be remembered is asked for again.
pub async fn remember(folder: &Path, project: &Project, images: &LocalImages) {
    if let Err(error) = try_to(folder, project, images).await {
        tracing::debug!(error, "the images of this machine are not remembered");
    }
}

async fn try_to(folder: &Path, project: &Project, images: &LocalImages) -> Result<(), String> {
    let engine = images.engine.as_ref().ok_or("there is no engine")?;
    let list = engine.list_of_images().await.map_err(|error| error.to_string())?;
    let list = list.ok_or("the engine keeps no list in a file")?;
    let stamp = Stamp::of(&list).ok_or("the list cannot be read")?;
    // After the stamp was taken: what changes from here on changes the stamp.
    let now = LocalImages::of(project, Some(engine.clone())).await;
    let now = now.map_err(|error| error.to_string())?;
    let names = project.services.iter().map(|service| &service.container.image);
    let ids = names
        .map(|name| (name.clone(), now.ids.get(name).cloned()))
        .collect();
    let text = serde_json::to_vec(&Remembered { list, stamp, ids }).map_err(|error| error.to_string())?;
    let (file, new) = (folder.join(FILE), folder.join(format!("{FILE}.new")));
    write_private(&new, &text).map_err(|error| error.to_string())?;
    std::fs::rename(new, file).map_err(|error| error.to_string())
}
