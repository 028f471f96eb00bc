//! The container engine of a machine, by its Docker-compatible API. The only user of bollard.
//!
//! One [`Engine`] is the same whether the API is behind a local socket or at the far end of an SSH channel: it is given
//! something that opens byte streams, and speaks HTTP over them.

mod base_image;
mod body;
mod build;
mod engine;
mod error;
mod export;
mod images;
mod labelled;
mod libpod;
mod listing;
mod machine;
mod output;
mod service;
mod transfer;
mod transport;
mod workload;

pub use base_image::BuildSpec;
pub use build::BuildError;
pub use engine::Engine;
pub use error::EngineError;
pub use labelled::{Labels, Network};
pub use libpod::{Credentials, RegistryAccess};
pub use machine::{Machine, MachineSpec};
pub use output::{Exec, LogLine, Stream};
pub use service::LocalService;
pub use workload::{
    Condition, LABEL_HASH, LABEL_PROJECT, LABEL_RELEASE, LABEL_SERVICE, Listed, NewContainer,
};
