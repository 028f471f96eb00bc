//! A relay between a client and its server: counts bytes, and cuts connections when told to.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    task::JoinSet,
};
use tokio_util::sync::CancellationToken;

/// What went through a relay.
#[derive(Debug, Default)]
pub struct RelayCounts {
    /// Bytes from clients to the server.
    pub up_bytes: AtomicU64,
    /// Connections that clients made and the server answered.
    pub connections: AtomicU64,
}

/// A running relay.
pub struct Relay {
    /// Where clients connect to.
    pub address: SocketAddr,
    /// What went through so far.
    pub counts: Arc<RelayCounts>,
    stop: CancellationToken,
    tasks: JoinSet<()>,
}

impl Relay {
    /// Starts to relay to `server`. With `life`, each connection is cut that long after the server's first bytes.
    ///
    /// # Errors
    /// When no port can be had.
    pub async fn start(server: SocketAddr, life: Option<Duration>) -> std::io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let counts = Arc::new(RelayCounts::default());
        let stop = CancellationToken::new();
        let mut tasks = JoinSet::new();
        let (shared, ending) = (Arc::clone(&counts), stop.clone());
        tasks.spawn(async move {
            let accepting = async {
                // One client: its next connection comes after the end of the one before.
                while let Ok((client, _)) = listener.accept().await {
                    relay(client, server, life, &shared).await;
                }
            };
            ending.run_until_cancelled(accepting).await;
        });
        Ok(Self {
            address,
            counts,
            stop,
            tasks,
        })
    }

    /// Ends all connections.
    pub async fn stop(mut self) {
        self.stop.cancel();
        while self.tasks.join_next().await.is_some() {}
    }
}

/// Relays until either side ends or the life is over. Dropping both sockets then is the cut.
async fn relay(mut client: TcpStream, server: SocketAddr, life: Option<Duration>, counts: &RelayCounts) {
    let Ok(mut server) = TcpStream::connect(server).await else {
        return;
    };
    // Small frames are not to wait for company.
    let _ = (client.set_nodelay(true), server.set_nodelay(true));
    let (mut from_client, mut to_client) = client.split();
    let (mut from_server, mut to_server) = server.split();
    let up = async {
        let mut buffer = vec![0; 16 * 1024];
        while let Ok(read) = from_client.read(&mut buffer).await {
            if read == 0 || to_server.write_all(&buffer[..read]).await.is_err() {
                return;
            }
            counts.up_bytes.fetch_add(read as u64, Ordering::Relaxed);
        }
    };
    let down = async {
        let mut buffer = vec![0; 16 * 1024];
        let mut answered = false;
        while let Ok(read) = from_server.read(&mut buffer).await {
            if read == 0 || to_client.write_all(&buffer[..read]).await.is_err() {
                return;
            }
            if !answered {
                answered = true;
                counts.connections.fetch_add(1, Ordering::Relaxed);
            }
        }
    };
    let over = async {
        match life {
            Some(life) => tokio::time::sleep(life).await,
            None => std::future::pending().await,
        }
    };
    tokio::select! { () = up => {} () = down => {} () = over => {} }
}
