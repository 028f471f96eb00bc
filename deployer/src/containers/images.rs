//! Images of an engine.

use std::path::{Path, PathBuf};

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

    /// The file of this machine in which Podman lists its images: another one after each change. Nothing for other engines.
    ///
    /// # Errors
    ///
    /// When the engine does not answer.
    pub async fn list_of_images(&self) -> Result<Option<PathBuf>, EngineError> {
        let asked = self.docker().info().await;
        let info = asked.map_err(self.failed("tell where it keeps images"))?;
        let (Some(root), Some(driver)) = (info.docker_root_dir, info.driver) else {
            return Ok(None);
        };
        let list = Path::new(&root).join(format!("{driver}-images/images.json"));
        Ok(list.exists().then_some(list))
    }
}
