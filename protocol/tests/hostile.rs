//! Frames from outside: whatever comes, reading ends with a message or an error.
#![expect(clippy::expect_used, reason = "a test fails by panicking")]

use metric_flow_protocol::{
    codec,
    metrics::{Memory, Sample},
    node::{Batch, NodeBody, NodeMessage},
    version::NodeEncoding,
};
use proptest::prelude::*;

proptest! {
    #[test]
    fn no_bytes_make_the_reader_panic(bytes in prop::collection::vec(any::<u8>(), 0..512)) {
        // Both outcomes are fine; a panic is not.
        let _ = codec::decode::<NodeMessage>(NodeEncoding::Protobuf, &bytes);
        let _ = codec::decode::<NodeMessage>(NodeEncoding::Json, &bytes);
    }

    #[test]
    fn every_batch_survives_both_encodings(
        epoch in "[a-z0-9]{1,16}",
        samples in prop::collection::vec((1_u64.., any::<i64>(), any::<u64>(), any::<u64>()), 0..5),
    ) {
        let samples = samples
            .into_iter()
            .map(|(seq, time_unix_ms, total_bytes, used_bytes)| Sample {
                seq,
                time_unix_ms,
                memory: Some(Memory { total_bytes, used_bytes, ..Memory::default() }),
                ..Sample::default()
            })
            .collect();
        let batch = Batch { epoch, samples, ..Batch::default() };
        let message = NodeMessage { body: Some(NodeBody::Batch(batch)) };
        for encoding in [NodeEncoding::Protobuf, NodeEncoding::Json] {
            let payload = match codec::encode(encoding, &message).expect("small enough") {
                codec::Frame::Binary(bytes) => bytes,
                codec::Frame::Text(text) => text.into_bytes(),
            };
            prop_assert_eq!(&codec::decode::<NodeMessage>(encoding, &payload).expect("readable"), &message);
        }
    }
}
