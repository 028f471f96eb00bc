//! Making images: from a registry, from an archive of files, and from a Containerfile.

use std::{collections::HashMap, path::Path};

use bollard::query_parameters::{BuildImageOptions, CreateImageOptions, RemoveImageOptions};
use bytes::Bytes;
use futures_util::{StreamExt as _, TryStreamExt as _};
use tokio_util::io::ReaderStream;

use super::{engine::Engine, error::EngineError};

/// What a build is given.
#[derive(Debug, Clone)]
pub struct BuildSpec {
    /// The image's name.
    pub name: String,
    /// The stage to stop at.
    pub target: String,
    /// Values of the Containerfile's `ARG`s.
    pub arguments: HashMap<String, String>,
    /// The folder with the Containerfile, as a tar archive.
    pub context: Vec<u8>,
}

impl Engine {
    /// Pulls an image.
    ///
    /// # Errors
    ///
    /// When the registry cannot be reached or does not have it.
    pub async fn pull(&self, name: &str) -> Result<(), EngineError> {
        let options = CreateImageOptions {
            from_image: Some(name.to_owned()),
            ..CreateImageOptions::default()
        };
        let mut steps = self.docker().create_image(Some(options), None, None);
        while let Some(step) = steps.next().await {
            step.map_err(self.failed(&format!("pull {name}")))?;
        }
        self.must_exist(name).await
    }

    /// Makes an image of one layer from a tar archive of a root file system.
    ///
    /// # Errors
    ///
    /// When the archive cannot be read or is none.
    pub async fn import_root(&self, name: &str, archive: &Path) -> Result<(), EngineError> {
        let file = tokio::fs::File::open(archive)
            .await
            .map_err(|source| EngineError::Local {
                what: format!("read {}", archive.display()),
                source,
            })?;
        let (repository, tag) = name.rsplit_once(':').unwrap_or((name, "latest"));
        let options = CreateImageOptions {
            from_src: Some("-".to_owned()),
            repo: Some(repository.to_owned()),
            tag: Some(tag.to_owned()),
            ..CreateImageOptions::default()
        };
        let body = bollard::body_try_stream(ReaderStream::with_capacity(file, 1 << 18));
        let mut steps = self.docker().create_image(Some(options), Some(body), None);
        while let Some(step) = steps.next().await {
            step.map_err(self.failed(&format!("import {name}")))?;
        }
        self.must_exist(name).await
    }

    /// Builds an image; `tell` gets what the build says, line by line.
    ///
    /// # Errors
    ///
    /// When a step fails, with its last words.
    pub async fn build(&self, spec: BuildSpec, mut tell: impl FnMut(&str) + Send) -> Result<(), EngineError> {
        let options = BuildImageOptions {
            dockerfile: "Containerfile".to_owned(),
            t: Some(spec.name.clone()),
            target: spec.target,
            buildargs: Some(spec.arguments),
            // Packages come over the machine's own network, whatever the engine's bridges are like.
            networkmode: Some("host".to_owned()),
            rm: true,
            forcerm: true,
            ..BuildImageOptions::default()
        };
        let body = bollard::body_full(Bytes::from(spec.context));
        let mut steps = self.docker().build_image(options, None, Some(body));
        let mut last = Vec::new();
        loop {
            let failed = self.failed(&format!("build {}: {}", spec.name, last.join(" / ")));
            let Some(step) = steps.try_next().await.map_err(failed)? else {
                break;
            };
            let said = step.stream.unwrap_or_default();
            for line in said.lines().map(str::trim).filter(|line| !line.is_empty()) {
                tell(line);
                if last.len() == 4 {
                    last.remove(0);
                }
                last.push(line.to_owned());
            }
        }
        self.must_exist(&spec.name).await
    }

    /// Removes an image's name, and the image with its last name.
    ///
    /// # Errors
    ///
    /// When a container uses it.
    pub async fn forget_image(&self, name: &str) -> Result<(), EngineError> {
        let removed = self
            .docker()
            .remove_image(name, None::<RemoveImageOptions>, None)
            .await;
        removed
            .map(drop)
            .map_err(self.failed(&format!("remove the image {name}")))
    }

    /// An engine may end a stream well although it has made nothing.
    async fn must_exist(&self, name: &str) -> Result<(), EngineError> {
        match self.image_id(name).await? {
            Some(_) => Ok(()),
            None => Err(EngineError::Missing {
                place: self.place().to_owned(),
                action: format!("find {name} after it was made"),
            }),
        }
    }
}
