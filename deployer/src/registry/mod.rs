//! A registry of one image, for as long as it takes a host's engine to pull it: the engine asks for the layers that it
//! lacks, and only these travel.

mod endpoint;
mod image_files;

pub use endpoint::Endpoint;
pub use image_files::{Blob, ImageFiles, ImageFilesError};
