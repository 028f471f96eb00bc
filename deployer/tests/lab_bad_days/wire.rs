//! A wire that is cut after so many bytes: a way to a host that stays silent from then on, as a network does.

use std::{
    io::{Read, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    thread,
};

use crate::support::wait::eventually;

/// Listens here and leads to a host. Only its first connection that reaches the limit is cut.
pub(crate) struct Wire {
    /// Where it begins, on 127.0.0.1.
    pub(crate) port: u16,
    cut: Arc<AtomicBool>,
}

impl Wire {
    /// A wire to `address` that lets so many bytes pass towards it.
    pub(crate) fn to(address: SocketAddr, limit: u64) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let cut = Arc::new(AtomicBool::new(false));
        let flag = Arc::clone(&cut);
        // It ends with the test's process.
        thread::spawn(move || {
            for near in listener.incoming().flatten() {
                if let Ok(far) = TcpStream::connect(address) {
                    join(&near, &far, limit, &flag);
                }
            }
        });
        Self { port, cut }
    }

    /// Waits until the limit is reached.
    pub(crate) fn is_cut(&self) {
        eventually("the wire is cut", || {
            self.cut.load(Ordering::SeqCst).then_some(())
        });
    }
}

fn join(near: &TcpStream, far: &TcpStream, limit: u64, cut: &Arc<AtomicBool>) {
    let silent = Arc::new(AtomicBool::new(false));
    let limit = if cut.load(Ordering::SeqCst) {
        u64::MAX
    } else {
        limit
    };
    for (from, to, limit) in [(near, far, limit), (far, near, u64::MAX)] {
        let (mut from, mut to) = (
            from.try_clone().expect("a socket"),
            to.try_clone().expect("a socket"),
        );
        let (silent, cut, passed) = (Arc::clone(&silent), Arc::clone(cut), AtomicU64::new(0));
        thread::spawn(move || {
            let mut buffer = vec![0; 65_536];
            while let Ok(length @ 1..) = from.read(&mut buffer) {
                if passed.fetch_add(length as u64, Ordering::SeqCst) + length as u64 > limit {
                    silent.store(true, Ordering::SeqCst);
                    cut.store(true, Ordering::SeqCst);
                }
                while silent.load(Ordering::SeqCst) {
                    thread::park();
                }
                if to.write_all(&buffer[..length]).is_err() {
                    break;
                }
            }
            let _ = to.shutdown(std::net::Shutdown::Both);
        });
    }
}
