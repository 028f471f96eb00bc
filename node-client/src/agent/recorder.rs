//! The thread that samples: reading counters and writing disks may block, and must not hold up the connection.

use std::{
    path::PathBuf,
    sync::{Arc, mpsc::RecvTimeoutError},
    time::{Duration, Instant},
};

use metric_flow_lifecycle::now_unix_ms;
use metric_flow_protocol::metrics::Sample;
use prost::Message as _;
use tokio::sync::mpsc;

use super::clock::{Ticks, wait_until_next};
use crate::{
    collect::Sampler,
    health::{ClientState, STATE_WRITE_EVERY_MS, write_state},
    spool::SYNC_EVERY,
    uplink::Shared,
};

/// Samples that may wait for a connection that is busy. A sample that finds no place is replayed from the spool.
pub const LIVE_QUEUE: usize = 4;

/// Most bytes of one sample: it has to fit into a frame with room for the losses of its batch. A host with
/// thousands of interfaces or mounts loses the last of them.
const SAMPLE_BYTES_MAX: usize = 40 * 1024;

/// Samples once per interval until it is told to stop.
#[derive(Debug)]
pub struct Recorder {
    /// The spool and the state of the connection.
    pub shared: Arc<Shared>,
    /// Where the state for `healthcheck` goes.
    pub state_folder: PathBuf,
    /// What does not change in that state.
    pub state: ClientState,
    /// Distance of two samples.
    pub interval: Duration,
    /// Where samples go that can be sent at once.
    pub live: mpsc::Sender<Sample>,
}

impl Recorder {
    /// Runs until `stop` says something or hangs up; closes the spool, waits until `left` does the same, which means
    /// that the connection has taken its leave, and writes the state for the last time.
    pub fn run(
        mut self,
        mut sampler: Sampler,
        stop: &std::sync::mpsc::Receiver<()>,
        left: &std::sync::mpsc::Receiver<()>,
    ) {
        let started = Instant::now();
        let started_unix_ms = now_unix_ms();
        let mut ticks = Ticks::default();
        let mut synced_at = started;
        let mut state_at: Option<(Instant, bool)> = None;
        while let Err(RecvTimeoutError::Timeout) =
            stop.recv_timeout(wait_until_next(now_unix_ms(), self.interval))
        {
            // A clock that does not jump decides what is too old: the wall clock at the start, and the time since.
            let steady_unix_ms = started_unix_ms.saturating_add(millis(started.elapsed()));
            if ticks.is_due(now_unix_ms(), self.interval) {
                self.record(&mut sampler, steady_unix_ms);
            }
            if synced_at.elapsed() >= SYNC_EVERY {
                synced_at = Instant::now();
                self.sync(steady_unix_ms);
            }
            let connected = self.shared.link().connected;
            let state_is_due = state_at.is_none_or(|(at, was_connected)| {
                was_connected != connected || millis(at.elapsed()).unsigned_abs() >= STATE_WRITE_EVERY_MS
            });
            if state_is_due {
                state_at = Some((Instant::now(), connected));
                self.write_state();
            }
        }
        // The connection takes its leave when it knows that nothing more will come.
        let (nobody, _) = mpsc::channel(1);
        drop(std::mem::replace(&mut self.live, nobody));
        self.shared.spool().close(now_unix_ms());
        // Either way it is over: a connection that was dropped has hung up.
        let _ = left.recv();
        self.write_state();
    }

    fn record(&mut self, sampler: &mut Sampler, steady_unix_ms: i64) {
        let mut sample = sampler.read();
        fit(&mut sample);
        self.state.last_sample_unix_ms = sample.time_unix_ms;
        self.shared.spool().append(&mut sample, steady_unix_ms);
        if let Err(mpsc::error::TrySendError::Full(_)) = self.live.try_send(sample) {
            tracing::debug!("the connection is busy: the sample is sent later");
        }
    }

    fn sync(&self, steady_unix_ms: i64) {
        let handle = self.shared.spool().sync_handle();
        // The disk is waited for without the lock.
        if let Some(Err(error)) = handle.map(crate::spool::SyncHandle::sync) {
            self.shared.spool().sync_failed(&error, steady_unix_ms);
        }
    }

    fn write_state(&mut self) {
        let link = self.shared.link();
        {
            let spool = self.shared.spool();
            self.state.acknowledged_seq = spool.acknowledged();
            self.state.waiting_samples = spool.waiting();
            self.state.dropped_samples = spool.drops().total();
            self.state.unreported_samples = spool.drops().unreported();
            self.state.problem = [
                Some(link.problem.as_str()).filter(|text| !text.is_empty()),
                spool.problem(),
            ]
            .into_iter()
            .flatten()
            .collect::<Vec<_>>()
            .join("; ");
        }
        self.state.connected = link.connected;
        self.state.written_unix_ms = now_unix_ms();
        if let Err(error) = write_state(&self.state_folder, &self.state) {
            tracing::debug!("{error}");
        }
    }
}

/// Shortens the longest lists until the sample fits into a frame.
fn fit(sample: &mut Sample) {
    while sample.encoded_len() > SAMPLE_BYTES_MAX {
        let longest = [
            sample.interfaces.len(),
            sample.disks.len(),
            sample.file_systems.len(),
            sample.temperatures.len(),
        ]
        .into_iter()
        .max()
        .unwrap_or(0);
        let keep = longest / 2;
        sample.interfaces.truncate(keep);
        sample.disks.truncate(keep);
        sample.file_systems.truncate(keep);
        sample.temperatures.truncate(keep);
        if keep == 0 {
            if let Some(cpu) = &mut sample.cpu {
                cpu.core_used_percent.clear();
            }
            return;
        }
    }
}

fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use metric_flow_protocol::metrics::Interface;

    use super::*;

    #[test]
    fn a_sample_of_a_huge_host_is_made_to_fit() {
        let interface = Interface {
            name: "veth0123456789".to_owned(),
            received_bytes_total: u64::MAX,
            ..Interface::default()
        };
        let mut sample = Sample {
            interfaces: vec![interface; 5000],
            ..Sample::default()
        };
        fit(&mut sample);
        assert!(sample.encoded_len() <= SAMPLE_BYTES_MAX && sample.interfaces.len() > 500);
    }
}
