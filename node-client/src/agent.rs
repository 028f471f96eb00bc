//! Joins the sampler, the spool and the uplink.

use thiserror::Error;
use tokio_util::sync::CancellationToken;

use crate::config::Config;

/// The client had to stop.
#[derive(Debug, Error)]
pub enum AgentError {}

/// Samples and sends until `shutdown` is cancelled; sends what it holds before it returns.
///
/// # Errors
/// When going on cannot help, such as after a refused key.
pub async fn run(_config: Config, shutdown: CancellationToken) -> Result<(), AgentError> {
    shutdown.cancelled().await;
    Ok(())
}
