//! Images on the move: from one engine straight into another, or pulled by the engine itself.

use bollard::query_parameters::{
    CreateImageOptionsBuilder, ImportImageOptions, PushImageOptionsBuilder, RemoveImageOptions,
    TagImageOptionsBuilder,
};
use futures_util::{StreamExt as _, TryStreamExt as _};

use super::{engine::Engine, error::EngineError, libpod::RegistryAccess};
use crate::registry::Endpoint;

impl Engine {
    /// Sends an image of this engine to another, by save and load in one stream; nothing is kept in between. `sent` hears
    /// how many bytes each piece has that goes.
    ///
    /// # Errors
    ///
    /// When either engine fails. What has arrived of a broken transfer is dropped by the receiving engine.
    pub async fn send_image(
        &self,
        image: &str,
        to: &Self,
        sent: impl Fn(u64) + Send + Sync + 'static,
    ) -> Result<(), EngineError> {
        let from = self.clone();
        let name = image.to_owned();
        // The body of a request must own what it reads from.
        let (sender, receiver) = tokio::sync::mpsc::channel(CHUNKS);
        let reading = tokio::spawn(async move {
            let mut chunks = std::pin::pin!(from.docker().export_image(&name));
            while let Some(chunk) = chunks.next().await {
                let broken = chunk.is_err();
                if sender.send(chunk.map_err(std::io::Error::other)).await.is_err() || broken {
                    break;
                }
            }
        });
        let chunks = futures_util::stream::unfold(receiver, |mut receiver| async {
            receiver.recv().await.map(|chunk| (chunk, receiver))
        });
        let counted = chunks.inspect_ok(move |chunk: &bytes::Bytes| {
            sent(chunk.len() as u64);
        });
        let options = ImportImageOptions {
            quiet: true,
            ..ImportImageOptions::default()
        };
        let answers = to.docker().import_image_stream(options, counted, None);
        let loaded = answers
            .try_collect::<Vec<_>>()
            .await
            .map_err(to.failed(&format!("load image {image}")));
        reading.abort();
        loaded.map(drop)
    }

    /// Has the engine pull an image from its registry.
    ///
    /// # Errors
    ///
    /// When the registry does not have it or cannot be reached.
    pub async fn pull_image(&self, image: &str) -> Result<(), EngineError> {
        let options = CreateImageOptionsBuilder::new().from_image(image).build();
        let answers = self.docker().create_image(Some(options), None, None);
        let failed = self.failed(&format!("pull image {image}"));
        answers.try_collect::<Vec<_>>().await.map(drop).map_err(failed)
    }

    /// Has the engine pull an image from a registry, as somebody.
    ///
    /// # Errors
    ///
    /// When the registry does not have it, cannot be reached, or does not let us in.
    pub async fn pull_image_as(&self, image: &str, access: &RegistryAccess) -> Result<(), EngineError> {
        let options = CreateImageOptionsBuilder::new().from_image(image).build();
        let answers = self.docker().create_image(Some(options), None, access.docker());
        let failed = self.failed(&format!("pull image {image}"));
        answers.try_collect::<Vec<_>>().await.map(drop).map_err(failed)
    }

    /// Pushes an image under another name, which says where to: by Podman's own call, else by Docker's.
    ///
    /// # Errors
    ///
    /// When the registry refuses it or cannot be reached.
    pub async fn push_image_as(
        &self,
        image: &str,
        destination: &str,
        access: &RegistryAccess,
        say: impl Fn(&str),
    ) -> Result<(), EngineError> {
        match self.push_to(image, destination, access, &say).await {
            Err(EngineError::Refused {
                status: 404, message, ..
            }) if message.contains("page not found") => {}
            done => return done,
        }
        self.tag_image(image, destination).await?;
        let (name, tag) = destination.rsplit_once(':').unwrap_or((destination, "latest"));
        let options = PushImageOptionsBuilder::new().tag(tag).build();
        let answers = self.docker().push_image(name, Some(options), access.docker());
        let failed = self.failed(&format!("push image {destination}"));
        let pushed = answers
            .try_for_each(|answer| {
                answer.status.iter().for_each(|line| say(line));
                std::future::ready(Ok(()))
            })
            .await;
        self.remove_name(destination).await?;
        pushed.map_err(failed)
    }

    /// Gives an image a name.
    ///
    /// # Errors
    ///
    /// When it is not there.
    pub async fn tag_image(&self, image: &str, name: &str) -> Result<(), EngineError> {
        // The last colon parts the tag from the repository, unless it belongs to the registry's port.
        let (repository, tag) = match name.rsplit_once(':') {
            Some((repository, tag)) if !tag.contains('/') => (repository, tag),
            _ => (name, "latest"),
        };
        let options = TagImageOptionsBuilder::new().repo(repository).tag(tag).build();
        let tagged = self.docker().tag_image(image, Some(options)).await;
        tagged.map_err(self.failed(&format!("tag image {image} as {name}")))
    }

    /// Removes an image, unless a container uses it; one that is not there is fine.
    ///
    /// # Errors
    ///
    /// When something uses it, or the engine does not answer.
    pub async fn remove_image(&self, image: &str) -> Result<(), EngineError> {
        // A transfer that was cut off may have left a name of its own, and an id with two names is not removed.
        if let Ok(found) = self.docker().inspect_image(image).await {
            let names = found.repo_tags.unwrap_or_default();
            let others = names
                .iter()
                .filter(|name| *name != image && Endpoint::is_reference(name));
            for name in others {
                self.remove_name(name).await?;
            }
        }
        self.remove_name(image).await
    }

    async fn remove_name(&self, image: &str) -> Result<(), EngineError> {
        let removed = self
            .docker()
            .remove_image(image, None::<RemoveImageOptions>, None)
            .await;
        match removed.map_err(self.failed(&format!("remove image {image}"))) {
            Err(error) if !error.is_missing() => Err(error),
            _ => Ok(()),
        }
    }
}

/// Pieces of an image between the two engines: the slower one sets the pace.
const CHUNKS: usize = 16;
