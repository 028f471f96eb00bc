//! Process plumbing with no domain in it: an orderly end, and logging.

mod logging;
mod shutdown;

pub use logging::{LogFormat, init_logging};
pub use shutdown::{Drained, Shutdown, reload_requests};
