//! One file per verb of the command line, and what several of them do: `scene` and `look` begin, `carry_out` ends.

pub mod build;
pub mod check;
pub mod completions;
pub mod down;
pub mod exec;
pub mod firewall;
pub mod history;
pub mod init;
pub mod keys;
pub mod logs;
pub mod man;
pub mod plan;
pub mod push;
pub mod restart;
pub mod rollback;
pub mod rollout;
pub mod status;
pub mod trust;
pub mod unlock;

mod carry_out;
mod look;
mod scene;
