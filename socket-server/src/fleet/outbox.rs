//! What a viewer is still to be sent: bounded; one that falls behind gets the newest state, never a backlog.

use std::{
    collections::{HashSet, VecDeque},
    time::Instant,
};

use bytes::Bytes;
use parking_lot::Mutex;

use super::link::Mailbox;
use crate::store::HostId;

/// Most frames that wait for one viewer: more than a second of the fastest ticks, so that a short stall of a
/// browser loses nothing.
const OUTBOX_FRAMES_MAX: usize = 64;
/// Most bytes that wait for one viewer, a lone larger frame excepted (a welcome is shared by all who wait for it).
const OUTBOX_BYTES_MAX: usize = 256 * 1024;

/// One viewer's connection, as its room knows it.
#[derive(Debug)]
pub struct Viewer {
    /// The log-in that it belongs to: ending the family closes the viewer.
    pub session_family: String,
    /// When that log-in ends.
    pub session_expires_unix_ms: i64,
    /// The mailbox of the session's task.
    pub mailbox: Mailbox,
    state: Mutex<Outbox>,
}

#[derive(Debug)]
struct Outbox {
    frames: VecDeque<Bytes>,
    bytes: usize,
    missed_frames: u64,
    wants_welcome: bool,
    open_hosts: HashSet<HostId>,
    waiting_since: Option<Instant>,
}

/// What a viewer takes from its outbox in one go.
#[derive(Debug, Default)]
pub struct Delivery {
    /// Frames in order.
    pub frames: VecDeque<Bytes>,
    /// How many frames it missed; the newest state is on its way.
    pub missed_frames: u64,
}

impl Viewer {
    /// A viewer that waits for its welcome.
    pub fn new(session_family: String, session_expires_unix_ms: i64) -> Self {
        Self {
            session_family,
            session_expires_unix_ms,
            mailbox: Mailbox::default(),
            state: Mutex::new(Outbox {
                frames: VecDeque::new(),
                bytes: 0,
                missed_frames: 0,
                wants_welcome: true,
                open_hosts: HashSet::new(),
                waiting_since: None,
            }),
        }
    }

    /// Queues the whole state, if the viewer waits for it.
    pub(super) fn offer_welcome(&self, frame: &Bytes, now: Instant) {
        let mut state = self.state.lock();
        if state.wants_welcome {
            state.wants_welcome = false;
            state.push(frame, now);
            drop(state);
            self.mailbox.wake();
        }
    }

    /// Makes the viewer wait for the whole state: single changes were too many.
    pub(super) fn ask_for_welcome(&self) {
        self.state.lock().wants_welcome = true;
    }

    /// Whether the viewer waits for the whole state.
    pub(super) fn wants_welcome(&self) -> bool {
        self.state.lock().wants_welcome
    }

    /// Queues a change; one that does not fit is counted, and so is all that waited.
    pub(super) fn offer(&self, frame: &Bytes, now: Instant) {
        let mut state = self.state.lock();
        if state.wants_welcome {
            // The whole state is still to come and will hold this change.
            return;
        }
        if state.missed_frames > 0 {
            state.missed_frames += 1;
            return;
        }
        let full = state.frames.len() >= OUTBOX_FRAMES_MAX
            || (!state.frames.is_empty() && state.bytes + frame.len() > OUTBOX_BYTES_MAX);
        if full {
            state.missed_frames = state.frames.len() as u64 + 1;
            state.frames.clear();
            state.bytes = 0;
            return;
        }
        state.push(frame, now);
        drop(state);
        self.mailbox.wake();
    }

    /// Queues a frame for a host that the viewer has opened.
    pub(super) fn offer_detail(&self, host: &HostId, frame: &Bytes, now: Instant) {
        if self.state.lock().open_hosts.contains(host) {
            self.offer(frame, now);
        }
    }

    /// Takes all that waits. After missed frames the viewer waits for the whole state again.
    pub fn take(&self) -> Delivery {
        let mut state = self.state.lock();
        state.waiting_since = None;
        state.bytes = 0;
        let missed_frames = std::mem::take(&mut state.missed_frames);
        if missed_frames > 0 {
            state.wants_welcome = true;
        }
        Delivery {
            frames: std::mem::take(&mut state.frames),
            missed_frames,
        }
    }

    /// Since when frames wait that the viewer did not take.
    pub(super) fn waiting_since(&self) -> Option<Instant> {
        self.state.lock().waiting_since
    }

    /// Replaces the open hosts; returns those before.
    pub(super) fn replace_open_hosts(&self, hosts: HashSet<HostId>) -> HashSet<HostId> {
        std::mem::replace(&mut self.state.lock().open_hosts, hosts)
    }
}

impl Outbox {
    fn push(&mut self, frame: &Bytes, now: Instant) {
        self.bytes += frame.len();
        self.frames.push_back(frame.clone());
        self.waiting_since.get_or_insert(now);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn welcomed() -> Viewer {
        let viewer = Viewer::new("family".into(), 0);
        viewer.offer_welcome(&Bytes::from_static(b"welcome"), Instant::now());
        assert_eq!(viewer.take().frames.len(), 1);
        viewer
    }

    #[test]
    fn changes_before_the_welcome_are_part_of_it() {
        let viewer = Viewer::new("family".into(), 0);
        viewer.offer(&Bytes::from_static(b"frame"), Instant::now());
        assert!(viewer.take().frames.is_empty());
        assert!(viewer.wants_welcome());
    }

    #[test]
    fn a_viewer_that_falls_behind_gets_a_count_and_the_newest_state() {
        let viewer = welcomed();
        for _ in 0..OUTBOX_FRAMES_MAX + 3 {
            viewer.offer(&Bytes::from_static(b"frame"), Instant::now());
        }
        let delivery = viewer.take();
        assert!(delivery.frames.is_empty());
        assert_eq!(delivery.missed_frames, OUTBOX_FRAMES_MAX as u64 + 3);
        assert!(viewer.wants_welcome());
    }

    #[test]
    fn bytes_are_bounded_too_but_a_lone_large_frame_passes() {
        let viewer = welcomed();
        let large = Bytes::from(vec![b'x'; OUTBOX_BYTES_MAX + 1]);
        viewer.offer(&large, Instant::now());
        viewer.offer(&Bytes::from_static(b"frame"), Instant::now());
        assert_eq!(viewer.take().missed_frames, 2);
    }

    #[test]
    fn it_is_known_since_when_a_viewer_does_not_take() {
        let viewer = welcomed();
        assert!(viewer.waiting_since().is_none());
        viewer.offer(&Bytes::from_static(b"frame"), Instant::now());
        assert!(viewer.waiting_since().is_some());
        viewer.take();
        assert!(viewer.waiting_since().is_none());
    }
}
