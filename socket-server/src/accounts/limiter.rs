//! Slows down guessing: failures are counted for each account from each address, so that an attacker elsewhere
//! cannot lock the owner out.

use std::{
    collections::HashMap,
    net::{IpAddr, Ipv6Addr},
    time::{Duration, Instant},
};

use parking_lot::Mutex;

use super::AccountsError;

/// Longest wait: a person who comes back after it can log in at once.
const WAIT_MAX: Duration = Duration::from_secs(15 * 60);
/// Failures from one address over all accounts that are as many as this times the free ones slow the address down:
/// it guesses names, or it is a school behind one address, which has that many typing errors in a while.
const ADDRESS_FACTOR: u32 = 10;
/// Pairs that are remembered; above it the oldest are forgotten, so that a flood of names cannot fill memory.
const PAIRS_MAX: usize = 10_000;

/// Counts failed log-ins.
#[derive(Debug)]
pub(super) struct LoginLimiter {
    failures_free: u32,
    wait_first: Duration,
    failures: Mutex<HashMap<Source, Failures>>,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Source {
    account: Option<String>,
    network: IpAddr,
}

#[derive(Debug, Clone, Copy)]
struct Failures {
    count: u32,
    last: Instant,
}

impl LoginLimiter {
    /// After `failures_free` failures each has to wait; `wait_first` doubles with each further one.
    pub(super) fn new(failures_free: u32, wait_first: Duration) -> Self {
        Self {
            failures_free,
            wait_first,
            failures: Mutex::new(HashMap::new()),
        }
    }

    /// Counts an attempt as failed before its password is checked, so that attempts at the same time cannot
    /// slip through together; [`succeeded`](Self::succeeded) takes it back.
    ///
    /// # Errors
    /// `TooManyAttempts` when the pair, or the address, has to wait.
    pub(super) fn attempt(&self, account: &str, address: IpAddr, now: Instant) -> Result<(), AccountsError> {
        let [pair, whole] = sources(account, address);
        let mut failures = self.failures.lock();
        for (source, free) in [
            (&pair, self.failures_free),
            (&whole, self.failures_free.saturating_mul(ADDRESS_FACTOR)),
        ] {
            let wait = |entry: &Failures| entry.wait_left(free, self.wait_first, now);
            if let Some(retry_after) = failures.get(source).and_then(wait) {
                return Err(AccountsError::TooManyAttempts { retry_after });
            }
        }
        if failures.len() + 2 > PAIRS_MAX {
            forget_oldest(&mut failures);
        }
        for source in [pair, whole] {
            let entry = failures.entry(source).or_insert(Failures { count: 0, last: now });
            if now.duration_since(entry.last) > WAIT_MAX {
                entry.count = 0;
            }
            entry.count = entry.count.saturating_add(1);
            entry.last = now;
        }
        Ok(())
    }

    /// Forgets the failures of a pair that got it right.
    pub(super) fn succeeded(&self, account: &str, address: IpAddr) {
        let [pair, whole] = sources(account, address);
        let mut failures = self.failures.lock();
        failures.remove(&pair);
        if let Some(entry) = failures.get_mut(&whole) {
            entry.count = entry.count.saturating_sub(1);
        }
    }
}

impl Failures {
    fn wait_left(&self, free: u32, first: Duration, now: Instant) -> Option<Duration> {
        let over = self.count.checked_sub(free)?;
        let wait = first.saturating_mul(1 << over.min(16)).min(WAIT_MAX);
        wait.checked_sub(now.duration_since(self.last))
            .filter(|left| !left.is_zero())
    }
}

fn sources(account: &str, address: IpAddr) -> [Source; 2] {
    // One household or one attacker has a whole /64 of IPv6.
    let network = match address.to_canonical() {
        IpAddr::V6(address) => IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() & !u128::from(u64::MAX))),
        IpAddr::V4(address) => IpAddr::V4(address),
    };
    let name = account.to_lowercase().chars().take(64).collect();
    [
        Source {
            account: Some(name),
            network,
        },
        Source {
            account: None,
            network,
        },
    ]
}

fn forget_oldest(failures: &mut HashMap<Source, Failures>) {
    let mut times: Vec<_> = failures.values().map(|entry| entry.last).collect();
    times.sort_unstable();
    if let Some(&middle) = times.get(times.len() / 2) {
        failures.retain(|_, entry| entry.last > middle);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WAIT: Duration = Duration::from_secs(2);
    const HERE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 1));
    const THERE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(198, 51, 100, 7));

    #[test]
    fn the_owner_elsewhere_is_not_locked_out() {
        let (limiter, now) = (LoginLimiter::new(2, WAIT), Instant::now());
        assert!(limiter.attempt("ada", HERE, now).is_ok());
        assert!(limiter.attempt("ADA", HERE, now).is_ok());
        assert!(limiter.attempt("ada", HERE, now).is_err());
        assert!(limiter.attempt("ada", THERE, now).is_ok());
    }

    #[test]
    fn the_wait_doubles_and_ends() {
        let (limiter, now) = (LoginLimiter::new(1, WAIT), Instant::now());
        assert!(limiter.attempt("ada", HERE, now).is_ok());
        assert!(
            limiter
                .attempt("ada", HERE, now + Duration::from_secs(1))
                .is_err()
        );
        assert!(limiter.attempt("ada", HERE, now + Duration::from_secs(3)).is_ok());
        assert!(
            limiter
                .attempt("ada", HERE, now + Duration::from_secs(6))
                .is_err()
        );
        assert!(limiter.attempt("ada", HERE, now + Duration::from_secs(8)).is_ok());
    }

    #[test]
    fn getting_it_right_forgets_the_failures() {
        let (limiter, now) = (LoginLimiter::new(1, WAIT), Instant::now());
        assert!(limiter.attempt("ada", HERE, now).is_ok());
        limiter.succeeded("ada", HERE);
        assert!(limiter.attempt("ada", HERE, now).is_ok());
    }

    #[test]
    fn guessing_many_names_from_one_address_is_slowed_down() {
        let (limiter, now) = (LoginLimiter::new(1, WAIT), Instant::now());
        let refused = (0..20)
            .filter(|n| limiter.attempt(&format!("name{n}"), HERE, now).is_err())
            .count();
        assert_eq!(refused, 10);
    }

    #[test]
    fn memory_is_bounded() {
        let (limiter, now) = (LoginLimiter::new(1, WAIT), Instant::now());
        for n in 0..PAIRS_MAX as u32 {
            let address = IpAddr::V4(std::net::Ipv4Addr::from_bits(n));
            assert!(
                limiter
                    .attempt("ada", address, now + Duration::from_millis(u64::from(n)))
                    .is_ok()
            );
        }
        assert!(limiter.failures.lock().len() <= PAIRS_MAX);
    }
}
