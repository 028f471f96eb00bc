//! What was measured, kept between runs, and the table that bench/README.md holds.

mod figure;
mod machine;
mod markdown;
mod results;

pub use figure::{Figure, rounded};
pub use machine::Machine;
pub use markdown::{markdown, replace_between};
pub use results::{Results, ResultsError};
