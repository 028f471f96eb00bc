//! What the server is told: raw as it was written, then checked. Every problem is reported at once.

mod checked;
mod network;
mod parse;
mod raw;
mod reference;
mod settings;

pub use checked::{Config, ConfigProblem, Limits, StoreLocation, TlsFiles};
pub use network::Network;
pub use raw::{Environment, ProcessEnvironment, RawConfig};
pub use reference::configuration_reference;
pub use settings::{SETTINGS, Setting};
