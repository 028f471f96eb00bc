//! Bringing an image to a host: from this machine's engine where it is here, else from a registry.

use super::{
    apply::{HostRun, Shared},
    error::HostError,
    journal::Undo,
    layers::{Counter, by_layers},
    state::State,
    target::chain,
};
use crate::{
    containers::Engine,
    inventory::EngineKind,
    progress::{Event, Way},
    registry::{access, content_reference},
};

impl HostRun {
    /// Brings an image. One that is wanted by its id is that very image, or there is none.
    pub(super) async fn ship(
        &mut self,
        image: &str,
        id: Option<&str>,
        shared: &Shared,
    ) -> Result<(), HostError> {
        let target = self.target.clone();
        let what = id.unwrap_or(image).to_owned();
        self.journal
            .record(&target, Undo::RemoveImage { image: what.clone() })
            .await?;
        match (&shared.images.engine, id) {
            (_, Some(id)) if target.settings.registry.is_some() => self.pull_by_id(image, id, shared).await?,
            (Some(here), Some(id)) if here.image_id(id).await?.is_some() => {
                self.send(here, image, id, shared).await?;
            }
            (_, Some(id)) => self.pull_that(image, id).await?,
            (_, None) => target
                .engine
                .pull_image(image)
                .await
                .map_err(|error| HostError::NoImage {
                    image: image.to_owned(),
                    reason: chain(&error),
                })?,
        }
        if !self.state.shipped.contains(&what) {
            self.state.shipped.push(what);
        }
        State(&target).write(&self.state).await
    }

    async fn send(&self, here: &Engine, image: &str, id: &str, shared: &Shared) -> Result<(), HostError> {
        let engine = &self.target.engine;
        // By name where the name still means this image, so that the host knows it by name too.
        let named = here
            .image_id(image)
            .await?
            .is_some_and(|there| bare(&there) == bare(id));
        let known_as = if named { image } else { id };
        let counter = Counter::new(self.target.name(), &shared.progress);
        let pieces = shared.pieces.of(here, known_as, id).await;
        let layers = match &pieces {
            Ok(pieces) => by_layers(pieces, named.then_some(image), &self.target, &counter).await,
            Err(error) => Err(chain(error)),
        };
        let way = match layers {
            Ok(()) => Way::Layers,
            Err(reason) => {
                tracing::info!(
                    host = self.target.name(),
                    image,
                    reason,
                    "the image goes as a whole"
                );
                let counter = counter.clone();
                here.send_image(known_as, engine, move |bytes| counter.add(bytes))
                    .await?;
                Way::Whole { reason }
            }
        };
        shared.progress.report(Event::Shipped {
            task: self.target.name(),
            image,
            sent_bytes: counter.bytes(),
            image_bytes: pieces.map_or(0, |pieces| pieces.size()),
            way: &way,
        });
        if engine.image_id(id).await?.is_none() {
            if !named {
                return Err(gone(
                    image,
                    id,
                    "its engine gives what was sent another id".to_owned(),
                ));
            }
            tracing::info!(
                host = self.target.name(),
                image,
                "the engine gives the image another id; it is used by name"
            );
        }
        Ok(())
    }

    /// Has the host pull from the registry of hosts.toml, by a name that is the image's id, and checks that this is what
    /// came.
    async fn pull_by_id(&self, image: &str, id: &str, shared: &Shared) -> Result<(), HostError> {
        let target = &self.target;
        let (registry, insecure) = (
            target.settings.registry.clone().unwrap_or_default(),
            target.settings.insecure_registries.clone(),
        );
        let reference = content_reference(&registry, image, id);
        let failed = |reason: String| HostError::Registry {
            reference: reference.clone(),
            reason,
        };
        // A credential helper is a program that may take its time.
        let access = tokio::task::spawn_blocking(move || access(&registry, &insecure))
            .await
            .map_err(|error| failed(error.to_string()))?
            .map_err(|error| failed(chain(&error)))?;
        let engine = &target.engine;
        let pulled = match target.host().engine {
            EngineKind::Docker => engine.pull_image_as(&reference, &access).await,
            EngineKind::Podman | EngineKind::PodmanRootless => {
                engine.pull_from(&reference, &access, |_| {}).await
            }
        };
        pulled.map_err(|error| failed(chain(&error)))?;
        if engine.image_id(id).await?.is_none() {
            return Err(failed("what came has another id".to_owned()));
        }
        // An earlier release's name means another image by now; it keeps the name that it came by.
        if shared
            .images
            .ids
            .get(image)
            .is_some_and(|now| bare(now) == bare(id))
        {
            engine.tag_image(id, image).await?;
            engine.remove_image(&reference).await?;
        }
        shared.progress.report(Event::Shipped {
            task: target.name(),
            image,
            sent_bytes: 0,
            image_bytes: 0,
            way: &Way::Registry,
        });
        Ok(())
    }

    /// An image of an earlier release that is not on this machine: the registry may still have it under its name.
    async fn pull_that(&mut self, image: &str, id: &str) -> Result<(), HostError> {
        let target = self.target.clone();
        if target.engine.image_id(image).await?.is_none() {
            let undo = Undo::RemoveImage {
                image: image.to_owned(),
            };
            self.journal.record(&target, undo).await?;
        }
        let pulled = target.engine.pull_image(image).await;
        let instead = match pulled {
            Err(error) => format!(
                "it is neither on this machine nor can the host pull it: {}",
                chain(&error)
            ),
            Ok(()) if target.engine.image_id(id).await?.is_some() => return Ok(()),
            Ok(()) => "its registry has another one under that name by now".to_owned(),
        };
        Err(gone(image, id, instead))
    }
}

fn gone(image: &str, id: &str, instead: String) -> HostError {
    HostError::ImageGone {
        image: image.to_owned(),
        id: bare(id).chars().take(12).collect(),
        instead,
    }
}

/// Without the prefix that only some engines write.
fn bare(id: &str) -> &str {
    id.strip_prefix("sha256:").unwrap_or(id)
}
