//! Waiting until the machine has nothing else to do.

use std::{io, time::Duration};

use tokio::time::Instant;

/// Busy share of all processors below which the machine is at rest: twenty idle hosts take about a tenth.
const BUSY_MAX: f64 = 0.2;
/// The stretch over which the share is taken.
const LOOK: Duration = Duration::from_secs(2);
/// A machine that is not at rest by then is busy for other reasons: what is measured is measured on it as it is.
const PATIENCE: Duration = Duration::from_secs(120);

/// Waits until what was started before has settled, so that the one that is measured first does not pay for it.
///
/// # Errors
/// When the kernel's numbers cannot be read.
pub async fn machine_at_rest() -> io::Result<()> {
    let deadline = Instant::now() + PATIENCE;
    let mut before = ticks()?;
    while Instant::now() < deadline {
        tokio::time::sleep(LOOK).await;
        let now = ticks()?;
        if busy_share(before, now) < BUSY_MAX {
            break;
        }
        before = now;
    }
    Ok(())
}

/// Ticks of all processors together: all of them, and the idle ones.
#[derive(Clone, Copy)]
struct Ticks {
    all: f64,
    idle: f64,
}

fn ticks() -> io::Result<Ticks> {
    Ok(read(&std::fs::read_to_string("/proc/stat")?))
}

/// The first line of `/proc/stat` (`proc_stat(5)`): user, nice, system, idle, iowait, irq, softirq, steal; the two after
/// them are in the first two already.
fn read(stat: &str) -> Ticks {
    let line = stat.lines().next().unwrap_or_default();
    let fields: Vec<f64> = line
        .split_whitespace()
        .skip(1)
        .take(8)
        .filter_map(|field| field.parse().ok())
        .collect();
    Ticks {
        all: fields.iter().sum(),
        idle: fields.iter().skip(3).take(2).sum(),
    }
}

fn busy_share(before: Ticks, now: Ticks) -> f64 {
    let all = (now.all - before.all).max(1.0);
    1.0 - (now.idle - before.idle) / all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waiting_for_a_disk_is_rest_and_a_guest_is_not_counted_twice() {
        let before = read("cpu  100 0 100 500 100 0 0 0 50 0\ncpu0 1 1 1 1");
        let now = read("cpu  130 0 110 540 120 0 0 0 80 0\n");
        assert!((busy_share(before, now) - 0.4).abs() < 1e-9);
    }
}
