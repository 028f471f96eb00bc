//! Ports of the host that lead back here: whoever connects to them there is a stream here.

use std::{
    collections::HashMap,
    io,
    sync::{Arc, Mutex, PoisonError},
};

use russh::{Channel, client::Msg};
use tokio::sync::mpsc;

use super::session::{EngineStream, Session};

/// Connections that wait to be taken; more are refused, and an engine tries again.
const WAITING: usize = 16;
/// Only the host itself may connect.
pub(super) const LOOPBACK: &str = "127.0.0.1";

/// Who takes the connections to which port of the host.
#[derive(Clone, Default)]
pub(super) struct Forwards(Arc<Mutex<HashMap<u32, mpsc::Sender<EngineStream>>>>);

impl Forwards {
    fn open(&self, port: u32) -> mpsc::Receiver<EngineStream> {
        let (sender, receiver) = mpsc::channel(WAITING);
        self.lock().insert(port, sender);
        receiver
    }

    fn close(&self, port: u32) {
        self.lock().remove(&port);
    }

    /// A place for a connection to that port, if somebody takes it.
    pub(super) fn place(&self, port: u32) -> Option<mpsc::OwnedPermit<EngineStream>> {
        let sender = self.lock().get(&port).cloned()?;
        sender.try_reserve_owned().ok()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<u32, mpsc::Sender<EngineStream>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Hands a connection over.
pub(super) fn hand_over(place: mpsc::OwnedPermit<EngineStream>, channel: Channel<Msg>) {
    place.send(Box::new(channel.into_stream()));
}

/// An open port of the host. Dropped, it takes no more connections; the host closes it at [`Forward::close`] or with the
/// connection.
pub struct Forward {
    session: Arc<Session>,
    port: u16,
    incoming: mpsc::Receiver<EngineStream>,
}

impl Forward {
    /// Has the host listen on a free port of its loopback.
    ///
    /// # Errors
    ///
    /// When its sshd forbids forwarding.
    pub async fn open(session: &Arc<Session>) -> io::Result<Self> {
        let port = session.listen(LOOPBACK).await?;
        let incoming = session.forwards().open(u32::from(port));
        Ok(Self {
            session: Arc::clone(session),
            port,
            incoming,
        })
    }

    /// Its number.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The next connection; none when the host is gone.
    pub async fn next(&mut self) -> Option<EngineStream> {
        self.incoming.recv().await
    }

    /// Has the host stop listening.
    pub async fn close(self) {
        self.session.stop_listening(LOOPBACK, self.port).await;
    }
}

impl Drop for Forward {
    fn drop(&mut self) {
        self.session.forwards().close(u32::from(self.port));
    }
}
