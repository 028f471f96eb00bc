//! An image out of an engine, in pieces.

use futures_util::{StreamExt as _, TryStreamExt as _};
use tokio_util::io::{StreamReader, SyncIoBridge};

use super::{engine::Engine, error::EngineError};
use crate::registry::ImageFiles;

impl Engine {
    /// Takes an image of this engine to pieces.
    ///
    /// # Errors
    ///
    /// When the engine does not have it, or there is no room for it here.
    pub async fn image_files(&self, image: &str) -> Result<ImageFiles, EngineError> {
        let action = format!("give out image {image}");
        let local = |source| EngineError::Local {
            what: format!("take image {image} to pieces"),
            source,
        };
        let (engine, name) = (self.clone(), image.to_owned());
        // The thread that unpacks must own what it reads from.
        let (sender, receiver) = tokio::sync::mpsc::channel(CHUNKS);
        let reading = async move {
            let mut chunks = std::pin::pin!(engine.docker().export_image(&name));
            while let Some(chunk) = chunks.next().await {
                match chunk {
                    // Nobody listens any more when the unpacking has failed.
                    Ok(chunk) => _ = sender.send(Ok(chunk)).await,
                    Err(error) => {
                        let broken = std::io::Error::other("the engine broke off");
                        _ = sender.send(Err(broken)).await;
                        return Err(error);
                    }
                }
            }
            Ok(())
        };
        let chunks = futures_util::stream::unfold(receiver, |mut receiver| async {
            receiver.recv().await.map(|chunk| (chunk, receiver))
        });
        let archive = SyncIoBridge::new(StreamReader::new(Box::pin(
            chunks.map_ok(|chunk: bytes::Bytes| chunk),
        )));
        let unpacking = tokio::task::spawn_blocking(move || ImageFiles::unpack(archive));
        let (read, unpacked) = tokio::join!(reading, unpacking);
        read.map_err(self.failed(&action))?;
        unpacked
            .map_err(|error| local(std::io::Error::other(error)))?
            .map_err(|error| local(std::io::Error::other(error)))
    }
}

/// Pieces between the engine and the thread that unpacks.
const CHUNKS: usize = 16;
