//! Frames for viewers: the JSON of a message, encoded once for all who get it.

use bytes::Bytes;
use metric_flow_protocol::{
    live::{HostSummary, LiveMessage, Welcome},
    version::{PROTOCOL_MAJOR, PROTOCOL_MINOR},
};

use super::host_entry::HostSketch;
use crate::clock::now_unix_ms;

/// Encodes a message for viewers. These types always have a JSON form; if that ever fails it is logged, and the
/// viewers miss one frame rather than the server its life.
pub fn encode(message: &LiveMessage) -> Option<Bytes> {
    match serde_json::to_vec(message) {
        Ok(json) => Some(Bytes::from(json)),
        Err(error) => {
            tracing::error!(%error, "a live frame has no JSON form");
            None
        }
    }
}

/// Encodes the whole state. That of thousands of hosts takes a tenth of a second: a thread of its own does it, while
/// samples go on coming in.
pub(super) async fn encode_welcome(sketches: Vec<HostSketch>) -> Option<Bytes> {
    let encoding = tokio::task::spawn_blocking(|| {
        encode(&LiveMessage::Welcome(Welcome {
            protocol_major: PROTOCOL_MAJOR,
            protocol_minor: PROTOCOL_MINOR,
            server_unix_ms: now_unix_ms(),
            server_version: env!("CARGO_PKG_VERSION").to_owned(),
            hosts: summaries(sketches),
        }))
    });
    match encoding.await {
        Ok(frame) => frame,
        Err(error) => {
            tracing::error!(%error, "the whole state could not be encoded");
            None
        }
    }
}

/// Hosts as the fleet page shows them, by name.
pub(super) fn summaries(sketches: Vec<HostSketch>) -> Vec<HostSummary> {
    let mut hosts: Vec<_> = sketches.into_iter().map(HostSketch::into_summary).collect();
    hosts.sort_by(|left, right| (&left.name, &left.id).cmp(&(&right.name, &right.id)));
    hosts
}
