//! Frozen frames of version 1: what was written once must be readable, and written the same way, for ever.
#![expect(clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

use std::{fmt::Debug, fmt::Write as _, path::PathBuf};

use metric_flow_protocol::{
    codec::{self, CodecError, FRAME_BYTES_MAX, Frame},
    live::{FleetFrame, HostEvent, HostEventKind, HostRow, LiveMessage, Subscribe, ViewerMessage, Welcome},
    metrics::{Cpu, Disk, FileSystem, Interface, Load, Memory, Pressure, Processes, Sample, Temperature},
    node::{
        Ack, Answer, Batch, DropReason, Dropped, Hello, HelloAck, HostFacts, Label, NodeBody, NodeMessage,
        Question, Request, ServerBody, ServerMessage,
    },
    version::{NodeEncoding, check_major},
};
use prost::Message;
use serde::{Serialize, de::DeserializeOwned};

fn hello() -> NodeMessage {
    NodeMessage {
        body: Some(NodeBody::Hello(Hello {
            protocol_major: 1,
            protocol_minor: 0,
            machine_identity: "9f86d081".to_owned(),
            epoch: "5c1e0f7a".to_owned(),
            acknowledged_seq: 41,
            facts: Some(HostFacts {
                host_name: "rack-3".to_owned(),
                os: "Rocky Linux 9.6".to_owned(),
                kernel: "5.14.0".to_owned(),
                architecture: "x86_64".to_owned(),
                cpu_model: "EPYC 7302".to_owned(),
                cpu_cores: 16,
                cpu_clock_max_mhz: Some(3_300),
                memory_total_bytes: 68_719_476_736,
                boot_unix_ms: 1_767_225_600_000,
                mac_addresses: vec!["52:54:00:12:34:56".to_owned()],
                ip_addresses: vec!["192.0.2.7".to_owned(), "2001:db8::7".to_owned()],
                client_version: "0.1.0".to_owned(),
            }),
            labels: vec![Label {
                name: "role".to_owned(),
                value: "db".to_owned(),
            }],
            sent_unix_ms: 1_767_225_601_234,
        })),
    }
}

fn batch() -> NodeMessage {
    let sample = Sample {
        seq: 42,
        time_unix_ms: 1_767_225_602_000,
        cpu: Some(Cpu {
            used_percent: 12.5,
            user_percent: 8.25,
            system_percent: 4.25,
            iowait_percent: 0.5,
            steal_percent: 0.0,
            core_used_percent: vec![25.0, 0.0],
            clock_mhz: Some(2_400),
            clock_max_mhz: Some(3_300),
        }),
        load: Some(Load {
            one_minute: 0.5,
            five_minutes: 0.25,
            fifteen_minutes: 0.125,
        }),
        memory: Some(Memory {
            total_bytes: 68_719_476_736,
            used_bytes: 4_294_967_296,
            available_bytes: 64_424_509_440,
            cached_bytes: 1_073_741_824,
            swap_total_bytes: 2_147_483_648,
            swap_used_bytes: 4_096,
        }),
        file_systems: vec![FileSystem {
            mount_point: "/".to_owned(),
            device: "/dev/vda1".to_owned(),
            total_bytes: 107_374_182_400,
            used_bytes: 53_687_091_200,
        }],
        disks: vec![Disk {
            name: "vda".to_owned(),
            read_bytes_total: 1_000,
            written_bytes_total: 2_000,
            read_operations_total: 3,
            write_operations_total: 4,
        }],
        interfaces: vec![Interface {
            name: "eth0".to_owned(),
            received_bytes_total: 10_000,
            sent_bytes_total: 20_000,
            received_packets_total: 30,
            sent_packets_total: 40,
            received_errors_total: 5,
            sent_errors_total: 6,
        }],
        temperatures: vec![Temperature {
            sensor: "coretemp Package id 0".to_owned(),
            celsius: 48.5,
        }],
        pressure: Some(Pressure {
            cpu_some_percent: 1.5,
            memory_some_percent: 0.25,
            memory_full_percent: 0.125,
            io_some_percent: 2.5,
            io_full_percent: 0.75,
        }),
        processes: Some(Processes {
            total: 180,
            running: 2,
        }),
        uptime_seconds: Some(86_400.5),
    };
    let dropped = Dropped {
        first_seq: 7,
        last_seq: 9,
        from_unix_ms: 1_767_225_500_000,
        to_unix_ms: 1_767_225_502_000,
        reason: DropReason::SpoolFull.into(),
    };
    NodeMessage {
        body: Some(NodeBody::Batch(Batch {
            epoch: "5c1e0f7a".to_owned(),
            samples: vec![sample],
            dropped: vec![dropped],
            sent_unix_ms: 1_767_225_602_001,
        })),
    }
}

fn answer() -> NodeMessage {
    NodeMessage {
        body: Some(NodeBody::Answer(Answer {
            request_id: 7,
            json: "[]".to_owned(),
            error: String::new(),
        })),
    }
}

fn hello_ack() -> ServerMessage {
    ServerMessage {
        body: Some(ServerBody::HelloAck(HelloAck {
            protocol_major: 1,
            protocol_minor: 0,
            host_id: "h1".to_owned(),
            durable_seq: 41,
            server_unix_ms: 1_767_225_601_250,
            batch_samples_max: 100,
            replay_samples_per_second: 1_000,
        })),
    }
}

fn ack() -> ServerMessage {
    ServerMessage {
        body: Some(ServerBody::Ack(Ack {
            epoch: "5c1e0f7a".to_owned(),
            seq: 42,
        })),
    }
}

fn request() -> ServerMessage {
    ServerMessage {
        body: Some(ServerBody::Request(Request {
            request_id: 7,
            question: Question::Processes.into(),
        })),
    }
}

/// Compares with the file, or writes it when it is missing and `WRITE_FIXTURES` is set.
fn frozen(name: &str, text: &str) -> String {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("tests/fixtures")
        .join(name);
    if !path.exists() && std::env::var_os("WRITE_FIXTURES").is_some() {
        std::fs::write(&path, format!("{text}\n")).expect("a writable fixture");
    }
    let kept = std::fs::read_to_string(&path).expect("a fixture of version 1: it must never be removed");
    assert_eq!(
        text,
        kept.trim_end(),
        "{name} is written in another way than version 1 was"
    );
    kept.trim_end().to_owned()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").expect("a String takes all");
        text
    })
}

fn stays_frozen<M: Message + Default + Serialize + DeserializeOwned + PartialEq + Debug>(
    name: &str,
    message: &M,
) {
    let Frame::Binary(bytes) = codec::encode(NodeEncoding::Protobuf, message).expect("protobuf") else {
        panic!("protobuf goes in binary frames")
    };
    let kept = frozen(&format!("{name}.hex"), &hex(&bytes));
    let bytes: Vec<u8> = (0..kept.len())
        .step_by(2)
        .map(|at| u8::from_str_radix(&kept[at..at + 2], 16).expect("hex"))
        .collect();
    assert_eq!(
        &codec::decode::<M>(NodeEncoding::Protobuf, &bytes).expect("a v1 frame"),
        message
    );

    let Frame::Text(text) = codec::encode(NodeEncoding::Json, message).expect("JSON") else {
        panic!("JSON goes in text frames")
    };
    let kept = frozen(&format!("{name}.json"), &text);
    assert_eq!(
        &codec::decode::<M>(NodeEncoding::Json, kept.as_bytes()).expect("a v1 frame"),
        message
    );
}

#[test]
fn node_messages_of_version_1_are_frozen() {
    stays_frozen("hello", &hello());
    stays_frozen("batch", &batch());
    stays_frozen("answer", &answer());
}

#[test]
fn server_messages_of_version_1_are_frozen() {
    stays_frozen("hello_ack", &hello_ack());
    stays_frozen("ack", &ack());
    stays_frozen("request", &request());
}

#[test]
fn viewer_messages_of_version_1_are_frozen() {
    let row = HostRow {
        id: "h1".to_owned(),
        time_unix_ms: 5,
        cpu_used_percent: 1.5,
        ..HostRow::default()
    };
    let fleet = LiveMessage::Fleet(FleetFrame {
        server_unix_ms: 6,
        rows: vec![row],
    });
    let event = LiveMessage::Event(HostEvent {
        id: "h1".to_owned(),
        kind: HostEventKind::Offline,
        host: None,
    });
    for (name, message) in [
        ("welcome.json", LiveMessage::Welcome(Welcome::default())),
        ("fleet.json", fleet),
        ("event.json", event),
    ] {
        let kept = frozen(name, &serde_json::to_string(&message).expect("JSON"));
        assert_eq!(
            serde_json::from_str::<LiveMessage>(&kept).expect("a v1 frame"),
            message
        );
    }
    let subscribe = ViewerMessage::Subscribe(Subscribe {
        open_hosts: vec!["h1".to_owned()],
    });
    let kept = frozen(
        "subscribe.json",
        &serde_json::to_string(&subscribe).expect("JSON"),
    );
    assert_eq!(
        serde_json::from_str::<ViewerMessage>(&kept).expect("a v1 frame"),
        subscribe
    );
}

#[test]
fn fields_of_a_newer_writer_are_skipped() {
    let mut bytes = ack().encode_to_vec();
    // Field 99, a string, in the outer message: tag 794 as a varint, then its length and bytes.
    bytes.extend([0x9a, 0x06, 0x03, b'n', b'e', b'w']);
    assert_eq!(
        codec::decode::<ServerMessage>(NodeEncoding::Protobuf, &bytes).expect("readable"),
        ack()
    );
    let json = r#"{"ack": {"epoch": "5c1e0f7a", "seq": 42, "later": [1, 2]}, "also": true}"#;
    assert_eq!(
        codec::decode::<ServerMessage>(NodeEncoding::Json, json.as_bytes()).expect("readable"),
        ack()
    );
}

#[test]
fn a_message_of_a_newer_writer_is_no_message_to_an_older_reader() {
    let json = r#"{"farewell": {"until": 5}}"#;
    let message: ServerMessage = codec::decode(NodeEncoding::Json, json.as_bytes()).expect("readable");
    assert_eq!(message.body, None);
    // Field 15 of the outer message, a length-delimited message.
    let message: NodeMessage =
        codec::decode(NodeEncoding::Protobuf, &[0x7a, 0x02, 0x08, 0x05]).expect("readable");
    assert_eq!(message.body, None);
}

#[test]
fn a_field_of_the_wrong_type_is_refused_by_name() {
    for (json, field) in [
        (r#"{"hello": {"epoch": 7}}"#, "hello.epoch"),
        (
            r#"{"batch": {"samples": [{"seq": 1}, {"seq": "2"}]}}"#,
            "batch.samples[1].seq",
        ),
        (
            r#"{"batch": {"samples": [{"cpu": {"used_percent": "12"}}]}}"#,
            "cpu.used_percent",
        ),
        (r#"{"answer": 7}"#, "answer"),
    ] {
        let refused = codec::decode::<NodeMessage>(NodeEncoding::Json, json.as_bytes());
        let reason = refused.expect_err(json).to_string();
        assert!(reason.contains(field), "{reason}");
    }
    let absent: NodeMessage = codec::decode(NodeEncoding::Json, br#"{"hello": null}"#).expect("readable");
    assert_eq!(absent.body, None);
}

#[test]
fn fields_that_an_older_writer_lacks_have_defaults() {
    let json = r#"{"hello": {"machine_identity": "m", "epoch": "e"}}"#;
    let message: NodeMessage = codec::decode(NodeEncoding::Json, json.as_bytes()).expect("readable");
    let Some(NodeBody::Hello(hello)) = message.body else {
        panic!("a hello")
    };
    assert_eq!(
        (hello.protocol_major, hello.acknowledged_seq, hello.facts),
        (0, 0, None)
    );
    assert!(check_major(hello.protocol_major).is_ok());
}

#[test]
fn another_major_version_is_refused_in_words() {
    let refusal = check_major(2).expect_err("version 2 is not spoken");
    assert!(
        refusal.to_string().contains("bring both to the same release"),
        "{refusal}"
    );
}

#[test]
fn frames_above_the_cap_are_neither_read_nor_written() {
    let huge = vec![b' '; FRAME_BYTES_MAX + 1];
    for encoding in [NodeEncoding::Protobuf, NodeEncoding::Json] {
        let refusal = codec::decode::<NodeMessage>(encoding, &huge).expect_err("too large");
        assert!(matches!(refusal, CodecError::TooLarge { .. }), "{refusal}");
        let answer = Answer {
            json: "x".repeat(FRAME_BYTES_MAX),
            ..Answer::default()
        };
        let message = NodeMessage {
            body: Some(NodeBody::Answer(answer)),
        };
        let refusal = codec::encode(encoding, &message).expect_err("too large");
        assert!(matches!(refusal, CodecError::TooLarge { .. }), "{refusal}");
    }
}
