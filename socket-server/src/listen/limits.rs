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

/// One open connection; it counts until this is dropped.
#[derive(Debug)]
pub struct ConnectionPermit {
    limits: Arc<ConnectionLimits>,
    address: IpAddr,
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
        if open.all >= self.limits.connections {
            return None;
        }
        let from_address = open.by_address.entry(address).or_insert(0);
        if *from_address >= self.limits.connections_per_address {
            return None;
        }
        *from_address += 1;
        open.all += 1;
        Some(ConnectionPermit {
            limits: Arc::clone(self),
            address,
        })
    }
}

impl Drop for ConnectionPermit {
    fn drop(&mut self) {
        let mut open = self.limits.open.lock();
        open.all = open.all.saturating_sub(1);
        if let Some(count) = open.by_address.get_mut(&self.address) {
            *count -= 1;
            if *count == 0 {
                open.by_address.remove(&self.address);
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
}
