//! Joins the sampler, the spool and the uplink.

mod clock;
mod recorder;
mod run;

pub use clock::{Ticks, wait_until_next};
pub use recorder::{LIVE_QUEUE, Recorder};
pub use run::{AgentError, run};
