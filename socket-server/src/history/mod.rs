//! Questions about the past: which resolution answers them, and what is missing.

mod columns;
mod csv;
mod error;
mod fleet;
mod gaps;
mod plan;
mod query;

pub use csv::to_csv;
pub use error::HistoryError;
pub use fleet::{FleetAggregate, FleetGroup, FleetHistory, FleetRequest, fleet};
pub use plan::{HISTORY_POINTS_MAX, HISTORY_SERIES_MAX, HistoryRequest};
pub use query::query;
