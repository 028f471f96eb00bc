//! What crosses a wire between a host, the socket server and a viewer: types, encodings, versions.
//!
//! Wire types are a promise: a field keeps its meaning and its protobuf tag for ever, an unknown field is
//! skipped, and a missing one takes its default. Nothing here does IO or knows async.

pub mod codec;
pub mod deploy;
pub mod live;
pub mod metrics;
pub mod node;
mod one_of;
pub mod series;
pub mod version;
