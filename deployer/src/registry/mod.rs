//! Registries: one of a single image, for as long as it takes a host's engine to pull it, so that only the layers that it
//! lacks travel; and what it takes to use another's: names and log-ins.

mod credentials;
mod endpoint;
mod image_files;
mod reference;

pub use credentials::{CredentialsError, access};
pub use endpoint::Endpoint;
pub use image_files::{Blob, ImageFiles, ImageFilesError};
pub use reference::{content_reference, tagged_reference};
