//! The live stream of one account: hosts put changes in, a tick encodes them once for all viewers.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
    time::{Duration, Instant},
};

use bytes::Bytes;
use metric_flow_lifecycle::Shutdown;
use metric_flow_protocol::{
    live::{FleetFrame, HostDetail, HostEvent, HostEventKind, HostRow, LiveMessage},
    metrics::Sample,
};
use parking_lot::{Mutex, MutexGuard};
use tokio::sync::Notify;

use super::{
    frame::{encode, encode_welcome},
    host_entry::{HostEntry, HostSketch, OpenHost},
    link::CloseReason,
    outbox::Viewer,
};
use crate::{clock::now_unix_ms, store::HostId};

/// Shortest time between two frames: gathers the samples of many hosts into one write for each viewer, and stays
/// below one frame of a screen.
const TICK_MIN: Duration = Duration::from_millis(10);
/// Longest time between two frames that carry samples: above it people see the delay.
const TICK_MAX: Duration = Duration::from_millis(50);
/// A room may keep a processor busy for one part in this many: a frame that cost 2 ms is followed by 20 ms of rest.
const TICK_COST_SHARE: u32 = 10;
/// What a frame costs for each viewer beside its encoding, which all share: the write to its socket, done by the
/// viewer's own task after the tick.
const WRITE_COST: Duration = Duration::from_micros(10);
/// The whole state may keep a processor busy for one part in this many: viewers that fall behind again and again
/// must not cost the others their frames.
const WELCOME_COST_SHARE: u32 = 20;
/// Longest time between two whole states while a viewer waits for one.
const WELCOME_REST_MAX: Duration = Duration::from_secs(5);
/// Events in one tick above which every viewer gets the whole state instead.
const EVENTS_PER_TICK_MAX: usize = 64;
/// A viewer that takes nothing for this long is closed: its browser is gone or hangs.
const VIEWER_STALL_MAX: Duration = Duration::from_secs(30);
/// Hosts that one viewer may have open: a page shows one, a wall of screens a few.
const OPEN_HOSTS_MAX: usize = 16;

/// The live stream of one account.
#[derive(Debug, Default)]
pub(super) struct Room {
    state: Mutex<RoomState>,
    changed: Notify,
}

/// What the room knows, behind its lock.
#[derive(Debug, Default)]
pub(super) struct RoomState {
    /// On the heap each: a table of thousands is half empty.
    pub(super) hosts: HashMap<HostId, Box<HostEntry>>,
    rows_waiting: Vec<HostId>,
    details_waiting: HashSet<HostId>,
    events: Vec<(HostId, HostEventKind)>,
    events_overflowed: bool,
    viewers: Vec<Arc<Viewer>>,
    welcome_after: Option<Instant>,
    ticking: bool,
}

/// What one tick has to send, taken out of the room so that encoding holds no lock.
#[derive(Debug, Default)]
struct Changes {
    viewers: Vec<Arc<Viewer>>,
    rows: Vec<HostRow>,
    details: Vec<(HostId, HostDetail)>,
    events: Vec<HostEvent>,
}

impl Room {
    pub(super) fn lock(&self) -> MutexGuard<'_, RoomState> {
        self.state.lock()
    }

    /// Whether it has this host still.
    pub(super) fn has(&self, host: &HostId) -> bool {
        self.state.lock().hosts.contains_key(host)
    }

    /// Tells the tick that there is something to send.
    pub(super) fn wake(&self) {
        self.changed.notify_one();
    }

    /// Publishes samples of a host, in the order in which they came.
    pub(super) fn publish(
        &self,
        host: &HostId,
        sent_unix_ms: i64,
        received_unix_ms: i64,
        samples: &[Sample],
    ) {
        let mut guard = self.state.lock();
        let state = &mut *guard;
        let Some(entry) = state.hosts.get_mut(host) else {
            return;
        };
        entry.clock.read(sent_unix_ms, received_unix_ms);
        entry.record.last_seen_unix_ms = received_unix_ms;
        let mut newest = false;
        for sample in samples {
            newest |= entry.take(sample);
        }
        if !newest || state.viewers.is_empty() {
            return;
        }
        let first_change = state.rows_waiting.is_empty();
        if !entry.row_waits {
            entry.row_waits = true;
            state.rows_waiting.push(host.clone());
        }
        if entry.open.is_some() {
            state.details_waiting.insert(host.clone());
        }
        drop(guard);
        if first_change {
            self.wake();
        }
    }

    /// Adds a viewer, and starts the room's tick with the first one.
    pub(super) fn join(self: &Arc<Self>, viewer: Arc<Viewer>, shutdown: &Shutdown) {
        let mut state = self.state.lock();
        state.viewers.push(viewer);
        if !state.ticking {
            state.ticking = true;
            let room = Arc::clone(self);
            let ending = shutdown.token().clone();
            shutdown.spawn(async move {
                tokio::select! { () = room.run() => {} () = ending.cancelled() => {} }
            });
        }
        drop(state);
        self.wake();
    }

    /// Removes a viewer and closes the hosts that it had open.
    pub(super) fn leave(&self, viewer: &Arc<Viewer>) {
        let opened = viewer.replace_open_hosts(HashSet::new());
        let mut state = self.state.lock();
        state.viewers.retain(|other| !Arc::ptr_eq(other, viewer));
        for host in &opened {
            state.close_host(host);
        }
        drop(state);
        self.wake();
    }

    /// Replaces the hosts that a viewer has open; returns the recent samples of those that are new to it.
    pub(super) fn subscribe(&self, viewer: &Viewer, hosts: Vec<String>) -> Vec<HostDetail> {
        let mut state = self.state.lock();
        let wanted: HashSet<HostId> = hosts
            .into_iter()
            .map(HostId)
            .filter(|id| state.hosts.contains_key(id))
            .take(OPEN_HOSTS_MAX)
            .collect();
        let before = viewer.replace_open_hosts(wanted.clone());
        let mut details = Vec::new();
        for id in wanted.difference(&before) {
            let Some(entry) = state.hosts.get_mut(id) else {
                continue;
            };
            let epoch = entry.record.epoch.to_string();
            let open = entry.open.get_or_insert_with(Box::default);
            open.viewers += 1;
            details.push(HostDetail {
                id: id.0.clone(),
                epoch,
                samples: open.recent(),
            });
        }
        for id in before.difference(&wanted) {
            state.close_host(id);
        }
        details
    }

    async fn run(&self) {
        let mut rest = TICK_MIN;
        loop {
            self.changed.notified().await;
            // The first change of a tick waits for its neighbours, so that they share a frame.
            tokio::time::sleep(rest).await;
            let started = Instant::now();
            let Some((changes, whole_state)) = self.take_changes(started) else {
                return;
            };
            let welcomed = whole_state.is_some();
            let writes = WRITE_COST.saturating_mul(u32::try_from(changes.viewers.len()).unwrap_or(u32::MAX));
            let welcome = match whole_state {
                Some(sketches) => encode_welcome(sketches).await,
                None => None,
            };
            changes.deliver(welcome.as_ref(), started);
            if welcomed {
                let pause = (started.elapsed() * WELCOME_COST_SHARE).min(WELCOME_REST_MAX);
                self.state.lock().welcome_after = Some(Instant::now() + pause);
            }
            let cost = started.elapsed().saturating_add(writes);
            rest = cost.saturating_mul(TICK_COST_SHARE).clamp(TICK_MIN, TICK_MAX);
        }
    }

    /// Takes what is to be sent, and the whole state when a viewer waits for it; `None` when the last viewer has left
    /// and the tick ends.
    fn take_changes(&self, now: Instant) -> Option<(Changes, Option<Vec<HostSketch>>)> {
        let mut guard = self.state.lock();
        let state = &mut *guard;
        if state.viewers.is_empty() {
            state.stop_ticking();
            return None;
        }
        let mut changes = Changes {
            viewers: state.viewers.clone(),
            ..Changes::default()
        };
        for id in state.rows_waiting.drain(..) {
            if let Some(entry) = state.hosts.get_mut(&id) {
                entry.row_waits = false;
                changes.rows.extend(entry.latest.clone());
            }
        }
        for id in state.details_waiting.drain() {
            let Some(entry) = state.hosts.get_mut(&id) else {
                continue;
            };
            let Some(open) = &mut entry.open else { continue };
            let samples = std::mem::take(&mut open.pending);
            let detail = HostDetail {
                id: id.0.clone(),
                epoch: entry.record.epoch.to_string(),
                samples,
            };
            changes.details.push((id, detail));
        }
        let overflowed = std::mem::take(&mut state.events_overflowed);
        for (id, kind) in state.events.drain(..) {
            let host = state.hosts.get(&id).map(|entry| entry.summary());
            changes.events.push(HostEvent { id: id.0, kind, host });
        }
        for viewer in &changes.viewers {
            if overflowed {
                viewer.ask_for_welcome();
            }
            if viewer
                .waiting_since()
                .is_some_and(|since| now.duration_since(since) > VIEWER_STALL_MAX)
            {
                viewer.mailbox.close(CloseReason::NotReading);
            }
        }
        let mut whole_state = None;
        if changes.viewers.iter().any(|viewer| viewer.wants_welcome()) {
            if state.welcome_after.is_none_or(|after| after <= now) {
                whole_state = Some(state.sketches());
            } else {
                self.wake();
            }
        }
        Some((changes, whole_state))
    }
}

impl RoomState {
    /// Every host as it is now, in no order.
    pub(super) fn sketches(&self) -> Vec<HostSketch> {
        self.hosts.values().map(|entry| entry.sketch()).collect()
    }

    /// Every viewer.
    pub(super) fn viewers(&self) -> &[Arc<Viewer>] {
        &self.viewers
    }

    /// Puts an event into the next frame, if anyone looks.
    pub(super) fn note(&mut self, host: &HostId, kind: HostEventKind) {
        if self.viewers.is_empty() {
            return;
        }
        if self.events.len() < EVENTS_PER_TICK_MAX {
            self.events.push((host.clone(), kind));
        } else {
            self.events_overflowed = true;
        }
    }

    fn close_host(&mut self, host: &HostId) {
        let Some(entry) = self.hosts.get_mut(host) else {
            return;
        };
        let Some(open) = &mut entry.open else { return };
        open.viewers = open.viewers.saturating_sub(1);
        if open.viewers == 0 {
            entry.open = None::<Box<OpenHost>>;
        }
    }

    fn stop_ticking(&mut self) {
        self.ticking = false;
        self.events.clear();
        self.details_waiting.clear();
        for id in self.rows_waiting.drain(..) {
            if let Some(entry) = self.hosts.get_mut(&id) {
                entry.row_waits = false;
            }
        }
    }
}

impl Changes {
    /// Encodes each frame once and puts it into the outbox of every viewer that it is for.
    fn deliver(self, welcome: Option<&Bytes>, now: Instant) {
        let Self {
            viewers,
            rows,
            details,
            events,
        } = self;
        // Frames for viewers that have their welcome come first: a welcome of this tick holds these changes.
        for event in events {
            deliver_to_all(&viewers, &LiveMessage::Event(event), now);
        }
        if !rows.is_empty() {
            let frame = FleetFrame {
                server_unix_ms: now_unix_ms(),
                rows,
            };
            deliver_to_all(&viewers, &LiveMessage::Fleet(frame), now);
        }
        for (host, detail) in details {
            if let Some(frame) = encode(&LiveMessage::Detail(detail)) {
                for viewer in &viewers {
                    viewer.offer_detail(&host, &frame, now);
                }
            }
        }
        if let Some(frame) = welcome {
            for viewer in &viewers {
                viewer.offer_welcome(frame, now);
            }
        }
    }
}

fn deliver_to_all(viewers: &[Arc<Viewer>], message: &LiveMessage, now: Instant) {
    if let Some(frame) = encode(message) {
        for viewer in viewers {
            viewer.offer(&frame, now);
        }
    }
}
