//! Live tickets: a browser cannot send a header with a WebSocket, so it shows a ticket in the address, good once
//! and for half a minute, worth nothing in a log.

use std::{
    collections::HashMap,
    time::{Duration, Instant},
};

use parking_lot::Mutex;

use super::{
    Identity,
    secrets::{random_secret, sha256_hex},
};

/// Tickets that may be open: above it the oldest are forgotten.
const TICKETS_MAX: usize = 10_000;

/// Issues and takes tickets; in memory only, since they live for seconds.
#[derive(Debug)]
pub(super) struct Tickets {
    life: Duration,
    open: Mutex<HashMap<String, (Instant, Identity)>>,
}

/// A ticket for a person's browser.
#[derive(Debug, Clone)]
pub struct TicketGrant {
    /// The secret to show.
    pub ticket: String,
    /// How long it is good for.
    pub life: Duration,
}

impl Tickets {
    pub(super) fn new(life: Duration) -> Self {
        Self {
            life,
            open: Mutex::new(HashMap::new()),
        }
    }

    /// Makes a ticket.
    pub(super) fn issue(&self, identity: Identity, now: Instant) -> TicketGrant {
        let ticket = random_secret();
        let mut open = self.open.lock();
        open.retain(|_, (issued, _)| now.duration_since(*issued) < self.life);
        while open.len() >= TICKETS_MAX {
            let Some(oldest) = open
                .iter()
                .min_by_key(|(_, (issued, _))| *issued)
                .map(|(hash, _)| hash.clone())
            else {
                break;
            };
            open.remove(&oldest);
        }
        open.insert(sha256_hex(&ticket), (now, identity));
        TicketGrant {
            ticket,
            life: self.life,
        }
    }

    /// Takes a ticket: the same one is not taken twice.
    pub(super) fn take(&self, ticket: &str, now: Instant) -> Option<Identity> {
        let (issued, identity) = self.open.lock().remove(&sha256_hex(ticket))?;
        (now.duration_since(issued) < self.life).then_some(identity)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::AccountId;

    fn identity() -> Identity {
        Identity {
            account: AccountId("a".into()),
            session_family: "f".into(),
            session_expires_unix_ms: 0,
            issued_unix_ms: 0,
        }
    }

    #[test]
    fn a_ticket_is_good_once() {
        let (tickets, now) = (Tickets::new(Duration::from_secs(30)), Instant::now());
        let grant = tickets.issue(identity(), now);
        assert_eq!(tickets.take(&grant.ticket, now), Some(identity()));
        assert_eq!(tickets.take(&grant.ticket, now), None);
    }

    #[test]
    fn a_ticket_is_good_for_half_a_minute() {
        let (tickets, now) = (Tickets::new(Duration::from_secs(30)), Instant::now());
        let grant = tickets.issue(identity(), now);
        assert_eq!(tickets.take(&grant.ticket, now + Duration::from_secs(30)), None);
    }
}
