//! A door to a server: an address that stays while servers behind it come and go.

use std::net::SocketAddr;

use tokio::{
    io::copy_bidirectional,
    net::{TcpListener, TcpStream},
    sync::watch,
    task::AbortHandle,
};

/// Hands every connection on; each change of where it leads ends those that are open.
pub(crate) struct Door {
    pub(crate) address: SocketAddr,
    leads_to: watch::Sender<Option<SocketAddr>>,
    task: AbortHandle,
}

impl Door {
    pub(crate) async fn new() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("an address");
        let (leads_to, place) = watch::channel(None);
        let task = tokio::spawn(async move {
            while let Ok((caller, _)) = listener.accept().await {
                tokio::spawn(hand_on(caller, place.clone()));
            }
        });
        Self {
            address,
            leads_to,
            task: task.abort_handle(),
        }
    }

    /// Where it leads from now on; nowhere ends each connection at once.
    pub(crate) fn lead_to(&self, place: Option<SocketAddr>) {
        self.leads_to.send_replace(place);
    }

    /// Ends every connection; new ones are handed on as before.
    pub(crate) fn drop_connections(&self) {
        self.leads_to.send_modify(|_| {});
    }
}

impl Drop for Door {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn hand_on(mut caller: TcpStream, mut place: watch::Receiver<Option<SocketAddr>>) {
    let Some(address) = *place.borrow_and_update() else {
        return;
    };
    let Ok(mut server) = TcpStream::connect(address).await else {
        return;
    };
    tokio::select! {
        _ = copy_bidirectional(&mut caller, &mut server) => {}
        _ = place.changed() => {}
    }
}
