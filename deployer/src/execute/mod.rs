//! Doing what a plan says: hosts side by side, the steps of a host in order, and back again when one fails.

mod account;
mod apply;
mod batches;
mod down;
mod ending;
mod enrolment;
mod error;
mod health;
mod journal;
mod layers;
mod lease;
mod link;
mod local;
mod lock;
mod observe;
mod rollout;
mod server;
mod ship;
mod state;
mod target;
mod tell;
mod undo;

pub use down::take_down;
pub use error::{HostError, Outcome};
pub use journal::{Journal, Undo};
pub use lease::Lease;
pub use link::Link;
pub use local::{LocalImages, contents};
pub use lock::{Lock, LockError, Owner, break_lock};
pub use observe::{Sight, observe};
pub use rollout::{Order, Rollout};
pub use state::{HostState, Release, State};
pub use target::{Fleet, Target};
pub use undo::undo_all;
