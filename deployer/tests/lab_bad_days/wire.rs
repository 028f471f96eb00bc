//! A wire that is cut after so many bytes: a way to a host that stays silent from then on, as a network does.

use std::{
    io::{Read, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    thread,
    time::Duration,
};

use crate::{day::Day, support::wait::eventually};

/// Listens here and leads to a host. Only its first connection that reaches the limit is cut.
pub(crate) struct Wire {
    /// Where it begins, on 127.0.0.1.
    pub(crate) port: u16,
    cut: Arc<AtomicBool>,
    whole_again: Arc<AtomicBool>,
}

impl Wire {
    /// A wire to the sshd of a host that lets so many bytes pass towards it.
    pub(crate) fn to_ssh_of(day: &Day, host: &str, limit: u64) -> Self {
        let address = format!("{}:22", day.stage.address_of(host));
        Self::to(address.parse().expect("an address"), limit)
    }

    /// A wire to `address` that lets so many bytes pass towards it.
    fn to(address: SocketAddr, limit: u64) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let cut = Arc::new(AtomicBool::new(false));
        let whole_again = Arc::new(AtomicBool::new(false));
        let (flag, whole) = (Arc::clone(&cut), Arc::clone(&whole_again));
        // It ends with the test's process.
        thread::spawn(move || {
            for near in listener.incoming().flatten() {
                if let Ok(far) = TcpStream::connect(address) {
                    join(&near, &far, limit, (&flag, &whole));
                }
            }
        });
        Self {
            port,
            cut,
            whole_again,
        }
    }

    /// Waits until the limit is reached.
    pub(crate) fn is_cut(&self) {
        eventually("the wire is cut", || {
            self.cut.load(Ordering::SeqCst).then_some(())
        });
    }

    /// What was held back passes, and all that comes after.
    pub(crate) fn is_whole_again(&self) {
        self.whole_again.store(true, Ordering::SeqCst);
    }
}

/// How often a silent connection looks whether it may go on.
const LOOK_EVERY: Duration = Duration::from_millis(20);

fn join(
    near: &TcpStream,
    far: &TcpStream,
    limit: u64,
    (cut, whole_again): (&Arc<AtomicBool>, &Arc<AtomicBool>),
) {
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
        let whole_again = Arc::clone(whole_again);
        thread::spawn(move || {
            let mut buffer = vec![0; 65_536];
            while let Ok(length @ 1..) = from.read(&mut buffer) {
                if passed.fetch_add(length as u64, Ordering::SeqCst) + length as u64 > limit {
                    silent.store(true, Ordering::SeqCst);
                    cut.store(true, Ordering::SeqCst);
                }
                while silent.load(Ordering::SeqCst) && !whole_again.load(Ordering::SeqCst) {
                    thread::sleep(LOOK_EVERY);
                }
                if to.write_all(&buffer[..length]).is_err() {
                    break;
                }
            }
            let _ = to.shutdown(std::net::Shutdown::Both);
        });
    }
}
