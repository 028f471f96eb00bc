//! Binary frames from a peer that may send anything.
#![no_main]

use libfuzzer_sys::fuzz_target;
use metric_flow_protocol::{
    codec::{Frame, decode, encode},
    node::{NodeMessage, ServerMessage},
    version::NodeEncoding,
};
use prost::Message;
use serde::{Serialize, de::DeserializeOwned};

fuzz_target!(|input: &[u8]| {
    match input.split_first() {
        Some((kind, payload)) if kind % 2 == 0 => node_side::<NodeMessage>(payload),
        Some((_, payload)) => node_side::<ServerMessage>(payload),
        None => {}
    }
});

/// What can be read can be written, and what was written reads as the same message: its bytes are the same again.
///
/// Bytes are compared and not messages, because a message may hold a number that is not equal to itself. JSON has no
/// form for such numbers, so that writing it as JSON may fail, but must not panic.
fn node_side<M: Message + Serialize + DeserializeOwned + Default>(payload: &[u8]) {
    let Ok(message) = decode::<M>(NodeEncoding::Protobuf, payload) else {
        return;
    };
    let Ok(Frame::Binary(written)) = encode(NodeEncoding::Protobuf, &message) else {
        return;
    };
    let again: M = decode(NodeEncoding::Protobuf, &written).expect("what was written can be read");
    assert_eq!(again.encode_to_vec(), written);
    drop(encode(NodeEncoding::Json, &message));
}
