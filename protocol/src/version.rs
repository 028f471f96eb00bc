//! Subprotocol names and the rule by which two versions agree.

use thiserror::Error;

/// Node side, protobuf in binary frames.
pub const NODE_SUBPROTOCOL: &str = "metric-flow.node.v1";
/// Node side, the same types as JSON in text frames.
pub const NODE_JSON_SUBPROTOCOL: &str = "metric-flow.node.v1+json";
/// Viewer side, JSON in text frames.
pub const LIVE_SUBPROTOCOL: &str = "metric-flow.live.v1";
/// The major version that this build speaks; it changes only when an old reader would misread.
pub const PROTOCOL_MAJOR: u32 = 1;
/// The minor version that this build speaks; it grows with each field that an old reader may skip.
pub const PROTOCOL_MINOR: u32 = 0;

/// How a node-client encodes its frames.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NodeEncoding {
    /// Protobuf in binary frames.
    Protobuf,
    /// JSON in text frames.
    Json,
}

impl NodeEncoding {
    /// The encoding that a subprotocol name stands for, if this build speaks it.
    pub fn from_subprotocol(name: &str) -> Option<Self> {
        match name {
            NODE_SUBPROTOCOL => Some(Self::Protobuf),
            NODE_JSON_SUBPROTOCOL => Some(Self::Json),
            _ => None,
        }
    }

    /// The subprotocol name of this encoding.
    pub fn subprotocol(self) -> &'static str {
        match self {
            Self::Protobuf => NODE_SUBPROTOCOL,
            Self::Json => NODE_JSON_SUBPROTOCOL,
        }
    }
}

/// The peer speaks a major version that this build does not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error(
    "the other side speaks protocol {theirs}, this program speaks {PROTOCOL_MAJOR}: bring both to the same release"
)]
pub struct IncompatibleVersion {
    /// The peer's major version.
    pub theirs: u32,
}

/// Accepts a peer's major version; 0 stands for a missing field and means version 1.
///
/// # Errors
/// When the peer's major version is another one than ours.
pub fn check_major(theirs: u32) -> Result<(), IncompatibleVersion> {
    if theirs == 0 || theirs == PROTOCOL_MAJOR {
        Ok(())
    } else {
        Err(IncompatibleVersion { theirs })
    }
}
