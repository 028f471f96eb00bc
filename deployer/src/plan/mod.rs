//! What is wanted against what is there: steps as data, without any IO.

mod compare;
mod desired;
mod observed;
mod step;

pub use compare::{Plan, Scope, compare};
pub use desired::{DesiredContainer, DesiredFile, DesiredHost, FileOrigin, place, spec_hash};
pub use observed::{ObservedContainer, ObservedHost};
pub use step::{Action, Stage, Step};
