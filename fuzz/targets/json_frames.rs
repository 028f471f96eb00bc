//! JSON from a peer that may send anything: a host that speaks JSON, a viewer, and a server in the eyes of both.
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
    match kind % 4 {
        0 => node_side::<NodeMessage>(payload),
        1 => node_side::<ServerMessage>(payload),
        2 => viewer_side::<ViewerMessage>(payload),
        _ => viewer_side::<LiveMessage>(payload),
    }
});

/// What a host or a server said in JSON means the same once it went through protobuf.
fn node_side<M: Message + Serialize + DeserializeOwned + Default>(payload: &[u8]) {
    let Ok(message) = decode::<M>(NodeEncoding::Json, payload) else {
        return;
    };
    let Ok(Frame::Binary(written)) = encode(NodeEncoding::Protobuf, &message) else {
        return;
    };
    let again: M = decode(NodeEncoding::Protobuf, &written).expect("what was written can be read");
    assert_eq!(again.encode_to_vec(), written);
    drop(encode(NodeEncoding::Json, &message));
}

/// What was read can be written.
fn viewer_side<M: Serialize + DeserializeOwned>(payload: &[u8]) {
    if let Ok(message) = serde_json::from_slice::<M>(payload) {
        serde_json::to_vec(&message).expect("what was read can be written");
    }
}
