//! What a host is: facts that do not change while it is up.

mod addresses;
#[cfg(target_os = "linux")]
mod linux;
#[cfg(not(target_os = "linux"))]
mod portable;

pub use addresses::{Link, links};
#[cfg(target_os = "linux")]
pub use linux::hello_facts;
#[cfg(not(target_os = "linux"))]
pub use portable::hello_facts;

/// Version of this program, as the hello and `--version` say it.
pub const CLIENT_VERSION: &str = env!("CARGO_PKG_VERSION");
