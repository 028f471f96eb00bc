//! One run of the client: from a checked configuration to an orderly end.

use std::{sync::Arc, thread};

use metric_flow_lifecycle::now_unix_ms;
use thiserror::Error;
use tokio::sync::{mpsc, oneshot};
use tokio_util::sync::CancellationToken;

use super::recorder::{LIVE_QUEUE, Recorder};
use crate::{
    collect::Sampler,
    config::Config,
    facts::CLIENT_VERSION,
    health::ClientState,
    identity::IdentityError,
    spool::{Spool, SpoolError, SpoolLimits},
    uplink::{Endpoint, Shared, TlsError, Uplink, client_tls},
};

/// Stack of the recorder's thread: it reads small files, and the client's memory is counted.
const RECORDER_STACK_BYTES: usize = 256 * 1024;

/// The client had to stop.
#[derive(Debug, Error)]
pub enum AgentError {
    /// This host's identity is not to be had.
    #[error(transparent)]
    Identity(#[from] IdentityError),
    /// Another client uses the spool.
    #[error(transparent)]
    Spool(#[from] SpoolError),
    /// Nobody to trust.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// The address has no host.
    #[error("--server has no host name: use an address such as https://metrics.example.org:8000")]
    NoHost,
    /// No thread.
    #[error("the system gives no thread for sampling: {0}")]
    Thread(std::io::Error),
    /// A defect.
    #[error("sampling has stopped by a defect; please report what the log says before this")]
    RecorderEnded,
}

/// Samples and sends until `shutdown` is cancelled; sends what it holds before it returns.
///
/// # Errors
/// When going on cannot help, such as with a spool that another client uses.
pub async fn run(config: Config, shutdown: CancellationToken) -> Result<(), AgentError> {
    let endpoint = Endpoint::of(&config.server).ok_or(AgentError::NoHost)?;
    let tls = match endpoint.tls {
        true => Some(client_tls(config.ca_file.as_deref())?),
        false => None,
    };
    let machine_identity = config.machine_identity()?;
    let now_unix_ms = now_unix_ms();
    let spool = Spool::open(
        &config.spool_dir,
        SpoolLimits::with_bytes(config.spool_bytes_max),
        now_unix_ms,
    )?;
    if let Some(problem) = spool.problem() {
        tracing::warn!("{problem}");
    }
    if spool.torn_bytes() > 0 {
        tracing::warn!("{} damaged bytes were cut from the spool", spool.torn_bytes());
    }
    let shared = Arc::new(Shared::new(spool));
    let (live_sender, live) = mpsc::channel(LIVE_QUEUE);
    let recorder = Recorder {
        shared: Arc::clone(&shared),
        state_folder: config.spool_dir.clone(),
        state: ClientState {
            started_unix_ms: now_unix_ms,
            interval_ms: u64::try_from(config.interval.as_millis()).unwrap_or(u64::MAX),
            pid: std::process::id(),
            version: CLIENT_VERSION.to_owned(),
            server: config.server.to_string(),
            ..ClientState::default()
        },
        interval: config.interval,
        live: live_sender,
    };
    let uplink = Uplink {
        endpoint,
        tls,
        api_key: config.api_key.clone(),
        machine_identity,
        facts: config.facts(),
        labels: config.labels.clone(),
        host_root: config.host_root.clone(),
        hurry: config.hurry,
        shared,
    };
    drive(recorder, uplink, live, config.host_root, &shutdown).await
}

async fn drive(
    recorder: Recorder,
    uplink: Uplink,
    live: mpsc::Receiver<metric_flow_protocol::metrics::Sample>,
    host_root: crate::host_root::HostRoot,
    shutdown: &CancellationToken,
) -> Result<(), AgentError> {
    let (stop, stopped) = std::sync::mpsc::channel();
    let (left_sender, left) = std::sync::mpsc::channel::<()>();
    let (ended_sender, mut ended) = oneshot::channel();
    thread::Builder::new()
        .name("recorder".to_owned())
        .stack_size(RECORDER_STACK_BYTES)
        .spawn(move || {
            recorder.run(Sampler::new(host_root), &stopped, &left);
            // Nobody waits any more when the program is already leaving.
            let _ = ended_sender.send(());
        })
        .map_err(AgentError::Thread)?;
    let mut sending = std::pin::pin!(uplink.run(live, shutdown.clone()));
    tokio::select! {
        biased;
        // It returns only after a shutdown.
        () = &mut sending => {}
        _ = &mut ended => return Err(AgentError::RecorderEnded),
        () = shutdown.cancelled() => {
            // The recorder ends and hangs up; the connection sends what is left when it sees that.
            drop(stop);
            sending.await;
            drop(left_sender);
            // A disk that hangs is left to the caller's deadline.
            drop(ended.await);
            return Ok(());
        }
    }
    drop((stop, left_sender));
    drop(ended.await);
    Ok(())
}
