//! Shows one reading of this machine: as a table for people, as JSON for programs.

mod document;
mod table;
mod units;

pub use document::json;
pub use table::table;
