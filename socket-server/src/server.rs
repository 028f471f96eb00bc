//! The server put together, its life and its end.

use std::{path::PathBuf, sync::Arc, time::Duration};

use metric_flow_lifecycle::{Drained, Shutdown, reload_requests};
use thiserror::Error;
use tokio::{net::TcpListener, time::Instant};

use crate::{
    accounts::{Accounts, AccountsError, SigningKey, SigningKeyError},
    clock::now_unix_ms,
    config::{Config, StoreLocation},
    fleet::{CloseReason, Fleet},
    http::{Api, routes},
    listen::{ConnectionLimits, Tls, TlsError, TrustedProxies, serve_connections},
    store::{Store, StoreError},
    telemetry::Telemetry,
};

/// How often every connection is asked whether its peer lives, and keys and log-ins are looked through.
const SWEEP_EVERY: Duration = Duration::from_secs(10);
/// How often the store rolls up and drops what is past retention.
const MAINTAIN_EVERY: Duration = Duration::from_secs(60);
/// The part of the shutdown's time that is kept for the last commit.
const STORAGE_SHARE: u32 = 3;

/// Why the server cannot start.
#[derive(Debug, Error)]
pub enum ServerError {
    /// The store cannot be read.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Accounts cannot be looked after.
    #[error(transparent)]
    Accounts(#[from] AccountsError),
    /// There is no secret to sign tokens with.
    #[error(transparent)]
    SigningKey(#[from] SigningKeyError),
    /// TLS cannot be offered.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// A signal handler cannot be installed.
    #[error("cannot listen for signals: {0}")]
    Signals(std::io::Error),
}

/// A server that is ready to serve.
pub struct Server {
    api: Arc<Api>,
    tls: Option<Arc<Tls>>,
    sockets: Shutdown,
    storage: Shutdown,
    shutdown: Shutdown,
}

impl Server {
    /// Puts the server together. It ends with `shutdown`.
    ///
    /// # Errors
    /// When the store cannot be read, or a file of the configuration cannot.
    pub async fn build(
        config: Config,
        store: Arc<dyn Store>,
        shutdown: Shutdown,
    ) -> Result<Self, ServerError> {
        // Sockets end before the store's writer does; both are ended by `serve`, in that order.
        let (sockets, storage) = (Shutdown::new(), Shutdown::new());
        let tls = config.tls.clone().map(Tls::load).transpose()?.map(Arc::new);
        let key = signing_key(&config)?;
        let fleet = Fleet::load(Arc::clone(&store), &sockets, &storage).await?;
        let accounts = Accounts::new(
            Arc::clone(&store),
            Arc::clone(&fleet),
            config.accounts,
            &key,
            config.registration_open,
        )?;
        let telemetry = Arc::new(Telemetry::default());
        let api = Api {
            config,
            accounts,
            fleet,
            store,
            telemetry,
            sockets: sockets.clone(),
        };
        Ok(Self {
            api: Arc::new(api),
            tls,
            sockets,
            storage,
            shutdown,
        })
    }

    /// A one-time token for setting up the first account, when there is none yet.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn open_setup(&self) -> Result<Option<String>, ServerError> {
        Ok(self.api.accounts.open_setup().await?)
    }

    /// Whether it speaks TLS.
    pub fn is_secure(&self) -> bool {
        self.tls.is_some()
    }

    /// Serves until the shutdown begins, then ends in order: no new connections; sockets closed with 1001 and
    /// awaited; the last samples stored.
    ///
    /// # Errors
    /// When the signal for reloading the certificate cannot be listened for.
    pub async fn serve(self, listener: TcpListener) -> Result<Drained, ServerError> {
        self.start_chores()?;
        let accepting = self.sockets.spawn(serve_connections(
            listener,
            warp::service(routes(&self.api)),
            self.tls.clone(),
            ConnectionLimits::new(self.api.config.limits),
            Arc::new(TrustedProxies::new(self.api.config.trusted_proxies.clone())),
            Arc::clone(&self.api.telemetry),
            self.sockets.clone(),
        ));
        tokio::select! {
            () = self.shutdown.begun() => {}
            ended = accepting => tracing::error!(?ended, "the accept loop ended by itself"),
        }
        Ok(self.end().await)
    }

    async fn end(self) -> Drained {
        let deadline = self.api.config.shutdown_deadline;
        let began = Instant::now();
        self.sockets.begin();
        self.api.fleet.close_all(CloseReason::GoingAway);
        let sockets = self.sockets.drain(deadline - deadline / STORAGE_SHARE).await;
        let storage = self.storage.drain(deadline.saturating_sub(began.elapsed())).await;
        for (part, drained) in [("connections", sockets), ("the store's writer", storage)] {
            if let Drained::DeadlinePassed { tasks_left } = drained {
                tracing::warn!(tasks_left, "{part} did not end in time");
            }
        }
        if sockets == Drained::Complete {
            storage
        } else {
            sockets
        }
    }

    fn start_chores(&self) -> Result<(), ServerError> {
        let api = Arc::clone(&self.api);
        self.repeat(SWEEP_EVERY, move || {
            api.fleet.sweep(now_unix_ms());
            std::future::ready(())
        });
        let store = Arc::clone(&self.api.store);
        self.repeat(MAINTAIN_EVERY, move || {
            let store = Arc::clone(&store);
            async move {
                let now = now_unix_ms();
                let expired = store.remove_expired_sessions(now).await.map(drop);
                for result in [expired, store.maintain(now).await] {
                    if let Err(error) = result {
                        tracing::warn!(%error, "the store's upkeep failed");
                    }
                }
            }
        });
        // Also without TLS: a signal without a handler would end the server.
        let mut reloads = reload_requests().map_err(ServerError::Signals)?;
        let (tls, ending) = (self.tls.clone(), self.sockets.token().clone());
        self.sockets.spawn(async move {
            while let Some(Some(())) = ending.run_until_cancelled(reloads.recv()).await {
                match tls.as_ref().map(|tls| tls.reload()) {
                    Some(Ok(())) => tracing::info!("the certificate was read again"),
                    Some(Err(error)) => tracing::error!(%error, "the certificate in use stays in use"),
                    None => tracing::info!("nothing to reload: this server has no certificate"),
                }
            }
        });
        Ok(())
    }

    fn repeat<F: Future<Output = ()> + Send + 'static>(
        &self,
        every: Duration,
        mut chore: impl FnMut() -> F + Send + 'static,
    ) {
        let ending = self.sockets.token().clone();
        self.sockets.spawn(async move {
            while ending
                .run_until_cancelled(tokio::time::sleep(every))
                .await
                .is_some()
            {
                chore().await;
            }
        });
    }
}

fn signing_key(config: &Config) -> Result<SigningKey, SigningKeyError> {
    match (&config.token_secret_file, &config.store) {
        (Some(file), _) => SigningKey::from_file(file, false),
        (None, StoreLocation::Embedded(folder)) => {
            let file: PathBuf = folder.join("token-secret");
            SigningKey::from_file(&file, true)
        }
        (None, StoreLocation::Memory | StoreLocation::MongoDb(_)) => Ok(SigningKey::random()),
    }
}
