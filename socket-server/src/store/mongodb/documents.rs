//! Records as documents, whatever they hold.
//!
//! BSON has no unsigned 64-bit number and no zero byte in a name. A value that it cannot hold is kept as the nearest
//! one that it can: a number above 2^63 - 1 as 2^63 - 1, a zero byte as U+FFFD. A record that could not be written at
//! all would be tried again for ever.

use mongodb::bson::{Bson, Document, serialize_to_document};
use serde::Serialize;
use serde_json::Value;

use super::connect::unreadable;
use crate::store::StoreError;

/// A record as a document.
pub(super) fn to_document(record: &impl Serialize) -> Result<Document, StoreError> {
    if let Ok(document) = serialize_to_document(record) {
        return Ok(document);
    }
    match serde_json::to_value(record).map_err(unreadable)? {
        Value::Object(fields) => Ok(document(fields)),
        other => Err(unreadable(format!("{other} is no record"))),
    }
}

/// What has no value is left out: not-a-number is `null` in JSON, and a reader takes the default for it.
fn document(fields: serde_json::Map<String, Value>) -> Document {
    let known = fields.into_iter().filter(|(_, value)| !value.is_null());
    known
        .map(|(name, value)| (name.replace('\0', "\u{fffd}"), bson(value)))
        .collect()
}

fn bson(value: Value) -> Bson {
    match value {
        Value::Null => Bson::Null,
        Value::Bool(value) => Bson::Boolean(value),
        Value::String(text) => Bson::String(text),
        Value::Array(values) => Bson::Array(values.into_iter().map(bson).collect()),
        Value::Object(fields) => Bson::Document(document(fields)),
        Value::Number(number) => match (number.as_i64(), number.as_u64(), number.as_f64()) {
            (Some(number), _, _) => Bson::Int64(number),
            (None, Some(_), _) => Bson::Int64(i64::MAX),
            (None, None, Some(number)) => Bson::Double(number),
            (None, None, None) => Bson::Null,
        },
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::expect_used, reason = "a test fails by panicking")]

    use metric_flow_protocol::metrics::{Cpu, Interface, Memory, Sample};
    use mongodb::bson::deserialize_from_document;

    use super::*;

    #[test]
    fn a_number_that_bson_cannot_hold_is_kept_as_the_largest_that_it_can() {
        let sample = Sample {
            seq: 7,
            time_unix_ms: 1_795_262_400_000,
            cpu: Some(Cpu {
                used_percent: 12.5,
                ..Cpu::default()
            }),
            memory: Some(Memory {
                total_bytes: u64::MAX,
                used_bytes: 1 << 30,
                ..Memory::default()
            }),
            interfaces: vec![Interface {
                name: "eth0".to_owned(),
                received_bytes_total: (1 << 63) + 5,
                ..Interface::default()
            }],
            ..Sample::default()
        };
        let document = to_document(&sample).expect("is written");
        let read: Sample = deserialize_from_document(document).expect("is read");
        let mut expected = sample;
        if let Some(memory) = &mut expected.memory {
            memory.total_bytes = i64::MAX as u64;
        }
        expected.interfaces[0].received_bytes_total = i64::MAX as u64;
        assert_eq!(read, expected);
    }

    #[test]
    fn a_name_with_a_zero_byte_and_a_large_number_inside_are_written_too() {
        let body = serde_json::json!({ "a\0b": [{ "n": u64::MAX }, null, -1.5], "c": null });
        let document = to_document(&body).expect("is written");
        let read: Value = deserialize_from_document(document).expect("is read");
        let expected = serde_json::json!({ "a\u{fffd}b": [{ "n": i64::MAX }, null, -1.5] });
        assert_eq!(read, expected);
    }
}
