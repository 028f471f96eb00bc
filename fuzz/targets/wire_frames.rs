//! Frames from a peer that may send anything.
#![no_main]

use libfuzzer_sys::fuzz_target;
use metric_flow_protocol::{
    codec::{Frame, decode, encode},
    live::{LiveMessage, ViewerMessage},
    node::{NodeMessage, ServerMessage},
    version::NodeEncoding,
};
use prost::Message;
use serde::{Serialize, de::DeserializeOwned};

fuzz_target!(|input: &[u8]| {
    let Some((kind, payload)) = input.split_first() else {
        return;
    };
    match kind % 6 {
        0 => node_side::<NodeMessage>(NodeEncoding::Protobuf, payload),
        1 => node_side::<NodeMessage>(NodeEncoding::Json, payload),
        2 => node_side::<ServerMessage>(NodeEncoding::Protobuf, payload),
        3 => node_side::<ServerMessage>(NodeEncoding::Json, payload),
        4 => drop(serde_json::from_slice::<ViewerMessage>(payload)),
        _ => drop(serde_json::from_slice::<LiveMessage>(payload)),
    }
});

/// What can be read can be written, and what was written reads as the same message: its bytes are the same again.
///
/// Bytes are compared and not messages, because a message may hold a number that is not equal to itself. JSON has no
/// form for such numbers, so a message that came through JSON need not come through it again.
fn node_side<M: Message + Serialize + DeserializeOwned + Default>(encoding: NodeEncoding, payload: &[u8]) {
    let Ok(message) = decode::<M>(encoding, payload) else {
        return;
    };
    let Ok(Frame::Binary(written)) = encode(NodeEncoding::Protobuf, &message) else {
        return;
    };
    let again: M = decode(NodeEncoding::Protobuf, &written).expect("what was written can be read");
    assert_eq!(again.encode_to_vec(), written);
    drop(encode(NodeEncoding::Json, &message));
}
