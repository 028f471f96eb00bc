//! Process plumbing with no domain in it: an orderly end, logging, the clock.

mod clock;
mod logging;
mod shutdown;

pub use clock::now_unix_ms;
pub use logging::{LogFormat, init_logging, is_log_filter};
pub use shutdown::{Drained, Shutdown, reload_requests};
