//! The threads that serve: how many, and how they rest under load.

use std::{
    cell::Cell,
    io,
    num::NonZero,
    thread,
    time::{Duration, Instant},
};

use socket_server::is_anyone_waiting;
use tokio::runtime::{Builder, Runtime};

/// How long a busy thread rests before it looks for work: a thousand hosts send a sample each millisecond, and a
/// wake-up for every one costs more than the sample. What came meanwhile is done in one go.
const REST: Duration = Duration::from_millis(2);
/// Times that a thread runs out of work within [`LOOK`] from which on it is busy: far above what people and a few
/// hosts cause, so that these wait for nothing.
const BUSY_TURNS: u32 = 60;
const LOOK: Duration = Duration::from_millis(200);

/// The runtime of the server. One processor is left to the store's writer, the packing of history and the hashing
/// of passwords, which have threads of their own.
///
/// # Errors
/// When the system gives no thread.
pub(super) fn build() -> io::Result<Runtime> {
    let processors = thread::available_parallelism().map_or(1, NonZero::get);
    Builder::new_multi_thread()
        .worker_threads(processors.saturating_sub(1).max(1))
        .enable_all()
        .on_thread_park(rest_if_busy)
        .build()
}

#[derive(Clone, Copy)]
struct Turns {
    since: Instant,
    count: u32,
    busy: bool,
}

thread_local! {
    static TURNS: Cell<Option<Turns>> = const { Cell::new(None) };
}

/// Called each time that a thread has nothing to do.
fn rest_if_busy() {
    let now = Instant::now();
    let mut turns = TURNS.get().unwrap_or(Turns {
        since: now,
        count: 0,
        busy: false,
    });
    turns.count += 1;
    let elapsed = now.saturating_duration_since(turns.since);
    if elapsed >= LOOK {
        // A long time without a turn is a quiet one, whatever the turns at its end.
        turns.busy = elapsed < LOOK * 2 && turns.count >= BUSY_TURNS;
        turns.since = now;
        turns.count = 0;
    }
    TURNS.set(Some(turns));
    // A question of the past takes many small steps, and a rest before each would be most of its time.
    if turns.busy && !is_anyone_waiting() {
        thread::sleep(REST);
    }
}
