//! Keeps a connection to the server, and says how it stands.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use metric_flow_protocol::{
    metrics::Sample,
    node::{HostFacts, Label},
};
use secrecy::SecretString;
use tokio::sync::mpsc;
use tokio_rustls::rustls::ClientConfig;
use tokio_util::sync::CancellationToken;

use super::{backoff::Backoff, connect::connect, endpoint::Endpoint, session::Session, trouble::Trouble};
use crate::{host_root::HostRoot, spool::Spool};

/// A connection that lived this long has proved itself: the next failure is a first one.
const PROVED_AFTER: Duration = Duration::from_secs(10);

/// How often the same trouble is said again while it lasts.
const SAY_AGAIN_AFTER: Duration = Duration::from_secs(300);

/// How the connection stands.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Link {
    /// The server has accepted the hello and the connection is open.
    pub connected: bool,
    /// Why there is no connection, as one sentence; empty while there is one.
    pub problem: String,
}

/// What the recorder and the connection share.
#[derive(Debug)]
pub struct Shared {
    spool: Mutex<Spool>,
    link: Mutex<Link>,
}

impl Shared {
    /// Around a spool.
    pub fn new(spool: Spool) -> Self {
        Self {
            spool: Mutex::new(spool),
            link: Mutex::new(Link::default()),
        }
    }

    /// The spool. Never held across an await.
    pub fn spool(&self) -> MutexGuard<'_, Spool> {
        self.spool.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How the connection stands.
    pub fn link(&self) -> Link {
        self.link.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(super) fn set_link(&self, link: Link) {
        *self.link.lock().unwrap_or_else(PoisonError::into_inner) = link;
    }
}

/// Everything that a connection needs.
#[derive(Debug)]
pub struct Uplink {
    /// Where the server is.
    pub endpoint: Endpoint,
    /// Whom to trust, for an encrypted connection.
    pub tls: Option<Arc<ClientConfig>>,
    /// Proves which account this host belongs to.
    pub api_key: SecretString,
    /// Which machine this is.
    pub machine_identity: String,
    /// What the machine is.
    pub facts: HostFacts,
    /// Labels that the host gives itself.
    pub labels: Vec<Label>,
    /// Where the host's files are, for answers to the server's questions.
    pub host_root: HostRoot,
    /// How many times sooner than usual a connection counts as proved, and is tried again; at least 1.
    pub hurry: u32,
    /// The spool, and how the connection stands.
    pub shared: Arc<Shared>,
}

impl Uplink {
    /// Connects, sends, connects again, until `shutdown` is cancelled and what is held has been sent.
    pub async fn run(self, mut live: mpsc::Receiver<Sample>, shutdown: CancellationToken) {
        let mut backoff = Backoff::default();
        let mut said: Option<(String, Instant)> = None;
        loop {
            let started = Instant::now();
            let trouble = tokio::select! {
                biased;
                ended = self.connection(&mut live, &shutdown) => match ended {
                    Ok(()) => break,
                    Err(trouble) => trouble,
                },
                // An open session sees the token itself and takes its leave; a connection that is being made does not.
                () = cancelled_while_apart(&shutdown, &self.shared) => break,
            };
            if self.shared.link().connected && started.elapsed() >= PROVED_AFTER / self.hurry {
                backoff.succeeded();
            }
            let wait = backoff.failed(trouble.retry(), rand::random()) / self.hurry;
            let problem = trouble.to_string();
            let again = said
                .as_ref()
                .is_none_or(|(before, when)| *before != problem || when.elapsed() > SAY_AGAIN_AFTER);
            if again {
                tracing::warn!("{problem}");
                said = Some((problem.clone(), Instant::now()));
            }
            self.shared.set_link(Link {
                connected: false,
                problem,
            });
            tokio::select! {
                () = shutdown.cancelled() => break,
                () = tokio::time::sleep(wait) => {}
            }
        }
        self.shared.set_link(Link::default());
    }

    async fn connection(
        &self,
        live: &mut mpsc::Receiver<Sample>,
        shutdown: &CancellationToken,
    ) -> Result<(), Trouble> {
        let socket = connect(&self.endpoint, self.tls.as_ref(), &self.api_key).await?;
        Box::pin(Session::greet(self, socket))
            .await?
            .run(live, shutdown)
            .await
    }
}

async fn cancelled_while_apart(shutdown: &CancellationToken, shared: &Shared) {
    shutdown.cancelled().await;
    if shared.link().connected {
        std::future::pending::<()>().await;
    }
}
