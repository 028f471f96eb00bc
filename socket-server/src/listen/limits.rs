//! How many connections there may be, in all and from one address.

use std::{collections::HashMap, net::IpAddr, sync::Arc};

use parking_lot::Mutex;

use crate::config::Limits;

/// Counts open connections.
#[derive(Debug)]
pub struct ConnectionLimits {
    limits: Limits,
    open: Mutex<Open>,
}

#[derive(Debug, Default)]
struct Open {
    all: usize,
    by_address: HashMap<IpAddr, usize>,
}

/// One open connection, or one request on a proxy's; it counts until this is dropped.
#[derive(Debug)]
pub struct ConnectionPermit {
    limits: Arc<ConnectionLimits>,
    counted: Counted,
}

/// What a permit takes up.
#[derive(Debug)]
enum Counted {
    /// A connection from this address.
    From(IpAddr),
    /// A connection of a trusted proxy, which has many people behind it.
    Proxy,
    /// A request, or the socket that it became, of someone behind a proxy whose connection stays counted as well.
    Behind(
        IpAddr,
        #[expect(dead_code, reason = "kept for its drop")] Arc<ConnectionPermit>,
    ),
}

impl ConnectionLimits {
    /// Limits with nothing open.
    pub fn new(limits: Limits) -> Arc<Self> {
        Arc::new(Self {
            limits,
            open: Mutex::default(),
        })
    }

    /// Counts a connection, unless there are too many.
    pub fn admit(self: &Arc<Self>, address: IpAddr) -> Option<ConnectionPermit> {
        let address = address.to_canonical();
        let mut open = self.open.lock();
        if open.all >= self.limits.connections || !self.has_room(&open, address) {
            return None;
        }
        open.all += 1;
        Some(self.count(&mut open, address, Counted::From(address)))
    }

    /// Counts a trusted proxy's connection, unless there are too many in all.
    pub fn admit_proxy(self: &Arc<Self>) -> Option<ConnectionPermit> {
        let mut open = self.open.lock();
        if open.all >= self.limits.connections {
            return None;
        }
        open.all += 1;
        Some(ConnectionPermit {
            limits: Arc::clone(self),
            counted: Counted::Proxy,
        })
    }

    /// Counts a request of someone behind a proxy, unless that one has too many.
    pub fn admit_behind(
        self: &Arc<Self>,
        proxy: &Arc<ConnectionPermit>,
        address: IpAddr,
    ) -> Option<ConnectionPermit> {
        let address = address.to_canonical();
        let mut open = self.open.lock();
        self.has_room(&open, address)
            .then(|| self.count(&mut open, address, Counted::Behind(address, Arc::clone(proxy))))
    }

    fn has_room(&self, open: &Open, address: IpAddr) -> bool {
        let count = open.by_address.get(&address).copied().unwrap_or(0);
        count < self.limits.connections_per_address
    }

    fn count(self: &Arc<Self>, open: &mut Open, address: IpAddr, counted: Counted) -> ConnectionPermit {
        *open.by_address.entry(address).or_insert(0) += 1;
        ConnectionPermit {
            limits: Arc::clone(self),
            counted,
        }
    }
}

impl Drop for ConnectionPermit {
    fn drop(&mut self) {
        let mut open = self.limits.open.lock();
        if !matches!(self.counted, Counted::Behind(..)) {
            open.all = open.all.saturating_sub(1);
        }
        let (Counted::From(address) | Counted::Behind(address, _)) = &self.counted else {
            return;
        };
        if let Some(count) = open.by_address.get_mut(address) {
            *count -= 1;
            if *count == 0 {
                open.by_address.remove(address);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;

    #[test]
    fn a_connection_counts_until_it_ends() {
        let limits = ConnectionLimits::new(Limits {
            connections: 3,
            connections_per_address: 2,
        });
        let (here, there) = (
            IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1)),
            IpAddr::V4(Ipv4Addr::new(192, 0, 2, 2)),
        );
        let first = limits.admit(here);
        let _second = limits.admit(here);
        assert!(first.is_some());
        assert!(limits.admit(here).is_none(), "two from one address");
        let _third = limits.admit(there);
        assert!(limits.admit(there).is_none(), "three in all");
        drop(first);
        assert!(limits.admit(there).is_some());
    }

    #[test]
    fn a_proxy_has_many_people_behind_it() {
        let limits = ConnectionLimits::new(Limits {
            connections: 3,
            connections_per_address: 1,
        });
        let (ada, bob) = (
            IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1)),
            IpAddr::V4(Ipv4Addr::new(192, 0, 2, 2)),
        );
        let proxy: Vec<_> = (0..3).map_while(|_| limits.admit_proxy().map(Arc::new)).collect();
        assert_eq!(proxy.len(), 3, "one address, which is not counted");
        assert!(limits.admit_proxy().is_none(), "three in all");
        let first = limits.admit_behind(&proxy[0], ada);
        assert!(first.is_some());
        assert!(
            limits.admit_behind(&proxy[1], ada).is_none(),
            "one for each of them"
        );
        assert!(limits.admit_behind(&proxy[1], bob).is_some());
        drop(proxy);
        assert_eq!(limits.open.lock().all, 1, "the connection of a request that runs");
        drop(first);
        assert_eq!(limits.open.lock().all, 0);
        assert!(limits.open.lock().by_address.is_empty());
    }
}
