//! A TCP proxy that fails on command: between a host and the server, in the middle of a frame if need be.

use std::{io, net::SocketAddr, time::Duration};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{
        TcpListener, TcpStream,
        tcp::{OwnedReadHalf, OwnedWriteHalf},
    },
    sync::watch,
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use crate::tap::{Account, Tap};

/// Bytes read at once: small, so that a cut can fall inside any frame.
const CHUNK_BYTES: usize = 512;

/// What the network does to every connection, old and new, until told otherwise.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Fault {
    /// Nothing: bytes pass.
    #[default]
    None,
    /// Each chunk waits this long.
    Delay(Duration),
    /// Connections stay open, but nothing passes: a cable pulled.
    Stall,
    /// Connections are reset, and new ones are too.
    Reset,
    /// This many more bytes go up, then the connection is reset: a frame cut in the middle.
    Truncate(usize),
    /// The way up is closed in an orderly manner; the way down stays open.
    HalfClose,
}

/// The proxy; ends when it is dropped.
#[derive(Debug)]
pub struct FaultProxy {
    /// Where hosts connect.
    pub address: SocketAddr,
    /// What passed through it.
    pub account: Account,
    fault: watch::Sender<Fault>,
    upstream: watch::Sender<SocketAddr>,
    stop: CancellationToken,
    tasks: TaskTracker,
}

impl FaultProxy {
    /// Listens on a port of its own and passes everything to `upstream`.
    ///
    /// # Errors
    /// When no port can be had.
    pub async fn start(upstream: SocketAddr) -> io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let (fault, fault_seen) = watch::channel(Fault::None);
        let (upstream, upstream_seen) = watch::channel(upstream);
        let (stop, tasks) = (CancellationToken::new(), TaskTracker::new());
        let account = Account::default();
        let accepting = Accepting {
            listener,
            account: account.clone(),
            fault: fault_seen,
            upstream: upstream_seen,
            stop: stop.clone(),
            tasks: tasks.clone(),
        };
        tasks.spawn(accepting.run());
        Ok(Self {
            address,
            account,
            fault,
            upstream,
            stop,
            tasks,
        })
    }

    /// Changes what the network does, from now on and for all connections.
    pub fn set(&self, fault: Fault) {
        self.fault.send_replace(fault);
    }

    /// Where new connections lead: a server that restarts may have another port.
    pub fn lead_to(&self, upstream: SocketAddr) {
        self.upstream.send_replace(upstream);
    }

    /// Ends all connections and waits for their tasks.
    pub async fn stop(self) {
        self.stop.cancel();
        self.tasks.close();
        self.tasks.wait().await;
    }
}

impl Drop for FaultProxy {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

struct Accepting {
    listener: TcpListener,
    account: Account,
    fault: watch::Receiver<Fault>,
    upstream: watch::Receiver<SocketAddr>,
    stop: CancellationToken,
    tasks: TaskTracker,
}

impl Accepting {
    async fn run(self) {
        while let Some(Ok((down, _peer))) = self.stop.run_until_cancelled(self.listener.accept()).await {
            let tap = Tap::new(self.account.clone());
            let connection = connect(down, *self.upstream.borrow(), self.fault.clone(), tap);
            let stop = self.stop.clone();
            self.tasks.spawn(async move {
                // The end of a connection, however it comes, is what the test is about.
                let _ = stop.run_until_cancelled(connection).await;
            });
        }
    }
}

async fn connect(
    down: TcpStream,
    upstream: SocketAddr,
    fault: watch::Receiver<Fault>,
    tap: Tap,
) -> io::Result<()> {
    if *fault.borrow() == Fault::Reset {
        return down.set_zero_linger();
    }
    let up = TcpStream::connect(upstream).await?;
    // Dropping a socket with zero linger sends a reset, which is what every ending here shall look like.
    down.set_zero_linger()?;
    up.set_zero_linger()?;
    let (down_read, down_write) = down.into_split();
    let (up_read, up_write) = up.into_split();
    tokio::select! {
        ended = pass(down_read, up_write, fault.clone(), Way::Up, &tap) => ended,
        ended = pass(up_read, down_write, fault, Way::Down, &tap) => ended,
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Way {
    Up,
    Down,
}

async fn pass(
    mut from: OwnedReadHalf,
    mut to: OwnedWriteHalf,
    mut fault: watch::Receiver<Fault>,
    way: Way,
    tap: &Tap,
) -> io::Result<()> {
    let mut chunk = [0_u8; CHUNK_BYTES];
    let mut half_closed = false;
    let mut left = None;
    loop {
        let now = *fault.borrow_and_update();
        match (now, way) {
            (Fault::Reset, _) => return Ok(()),
            (Fault::Stall, _) => {
                changed(&mut fault).await;
                continue;
            }
            (Fault::HalfClose, Way::Up) => {
                if !half_closed {
                    to.shutdown().await?;
                    half_closed = true;
                }
                changed(&mut fault).await;
                continue;
            }
            (Fault::Truncate(bytes), Way::Up) => {
                left.get_or_insert(bytes);
            }
            _ => left = None,
        }
        if half_closed {
            return Ok(());
        }
        let read = tokio::select! {
            () = changed(&mut fault) => continue,
            read = from.read(&mut chunk) => read?,
        };
        if read == 0 {
            return Ok(());
        }
        match way {
            Way::Up => tap.sent(&chunk[..read]),
            Way::Down => tap.answered(&chunk[..read]),
        }
        if let Fault::Delay(delay) = now {
            tokio::time::sleep(delay).await;
        }
        let passed = left.map_or(read, |left: usize| read.min(left));
        to.write_all(&chunk[..passed]).await?;
        if let Some(left) = &mut left {
            *left -= passed;
            if *left == 0 {
                to.flush().await?;
                return Ok(());
            }
        }
    }
}

/// Waits for another fault; for ever, once the proxy is gone, since its token ends the connection.
async fn changed(fault: &mut watch::Receiver<Fault>) {
    if fault.changed().await.is_err() {
        std::future::pending::<()>().await;
    }
}
