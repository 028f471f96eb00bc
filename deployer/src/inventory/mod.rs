//! hosts.toml: which machines there are, how to reach them, and what they are for.

mod checked;
mod problem;
mod raw;
mod write;

pub use checked::{EngineKind, Host, Inventory, LabSettings};
pub(crate) use problem::nearest;
pub use problem::{InventoryError, Problem};
pub use write::example;
