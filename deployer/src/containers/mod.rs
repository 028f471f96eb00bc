//! The container engine of a machine, by its Docker-compatible API. The only user of bollard.
//!
//! One [`Engine`] is the same whether the API is behind a local socket or at the far end of an SSH channel: it is given
//! something that opens byte streams, and speaks HTTP over them.

mod base_image;
mod engine;
mod error;
mod images;
mod labelled;
mod machine;
mod service;
mod transport;

pub use base_image::BuildSpec;
pub use engine::Engine;
pub use error::EngineError;
pub use labelled::{Labels, Network};
pub use machine::{Machine, MachineSpec};
pub use service::LocalService;
