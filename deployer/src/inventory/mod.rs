//! hosts.toml: which machines there are, how to reach them, and what they are for.

mod checked;
mod problem;
mod raw;
mod settings;
mod ssh_config;
mod write;

pub use checked::{EngineKind, Host, Inventory};
pub(crate) use problem::nearest;
pub use problem::{InventoryError, Problem};
pub use settings::LabSettings;
pub use ssh_config::SshConfig;
pub use write::example;
