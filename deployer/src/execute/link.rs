//! The connection to a host, which can be made again: a host that was cut off or has rebooted comes back on another one.

use std::{
    sync::{Arc, PoisonError, RwLock},
    time::Duration,
};

use tokio::time::{Instant, sleep};

use crate::{
    inventory::{Host, Inventory},
    remote::{ConnectError, Connector, Session},
};

/// Between two tries to reach a host again.
const PAUSE: Duration = Duration::from_secs(1);

/// The connection that is in use now.
pub struct Link {
    connector: Connector,
    host: Host,
    inventory: Inventory,
    session: RwLock<Arc<Session>>,
}

impl Link {
    /// Connects.
    ///
    /// # Errors
    ///
    /// Why there is no connection.
    pub async fn open(
        connector: &Connector,
        host: &Host,
        inventory: &Inventory,
    ) -> Result<Self, ConnectError> {
        let session = connector.connect(host, inventory).await?;
        Ok(Self {
            connector: connector.clone(),
            host: host.clone(),
            inventory: inventory.clone(),
            session: RwLock::new(Arc::new(session)),
        })
    }

    /// Where it leads.
    #[must_use]
    pub fn host(&self) -> &Host {
        &self.host
    }

    /// The connection.
    #[must_use]
    pub fn session(&self) -> Arc<Session> {
        Arc::clone(&self.session.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Sees to it that there is a connection: when it has ended, another is made as soon as the host answers.
    ///
    /// # Errors
    ///
    /// Why there is none after `patience`.
    pub async fn again(&self, patience: Duration) -> Result<(), ConnectError> {
        let until = Instant::now() + patience;
        while self.session().is_closed() {
            match self.connector.connect(&self.host, &self.inventory).await {
                Ok(session) => {
                    *self.session.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(session);
                }
                Err(error) if Instant::now() >= until => return Err(error),
                Err(error) => {
                    tracing::debug!(host = self.host.name, %error, "it does not answer yet");
                    sleep(PAUSE).await;
                }
            }
        }
        Ok(())
    }
}
