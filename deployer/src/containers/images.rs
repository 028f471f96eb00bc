//! Images of an engine.

use super::{engine::Engine, error::EngineError};

impl Engine {
    /// The id of an image, or nothing when the engine has none of that name.
    ///
    /// # Errors
    ///
    /// When the engine does not answer.
    pub async fn image_id(&self, name: &str) -> Result<Option<String>, EngineError> {
        let asked = self.docker().inspect_image(name).await;
        match asked.map_err(self.failed("look up an image")) {
            Ok(image) => Ok(image.id),
            Err(error) if error.is_missing() => Ok(None),
            Err(error) => Err(error),
        }
    }
}
