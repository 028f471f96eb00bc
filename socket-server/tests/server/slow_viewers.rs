//! Viewers that read slowly or never: they cost the others nothing, and miss only what was old.

use std::time::Duration;

use metric_flow_protocol::{
    live::LiveMessage,
    metrics::{FileSystem, Sample},
};

use crate::support::{Http, TestNode, TestServer, TestViewer, hello, sample, soon};

/// Samples that together are more than all buffers between the server and a viewer that does not read.
const SAMPLES: u64 = 200;

/// Samples for which the slow viewer reads one message: far less than it is sent, and enough that the server never takes
/// it for gone, however long the samples take on a busy machine.
const SAMPLES_A_READ: u64 = 10;

/// Below the rate at which a host counts as flooding.
const BETWEEN_SAMPLES: Duration = Duration::from_millis(50);

/// A sample of some 50 KB.
fn large(seq: u64) -> Sample {
    let file_systems = (0..500).map(|number| FileSystem {
        mount_point: format!("/{number:0>80}"),
        used_bytes: seq,
        ..FileSystem::default()
    });
    Sample {
        file_systems: file_systems.collect(),
        ..sample(seq)
    }
}

/// Opens the host in the viewer, then lets the host send more than the viewer's buffers hold. Returns the little that the
/// viewer has read meanwhile.
async fn overwhelm(viewer: &mut TestViewer, node: &mut TestNode) -> Vec<LiveMessage> {
    viewer.subscribe(&[&node.welcome.host_id]).await;
    viewer.detail().await;
    let mut read = Vec::new();
    for seq in 1..=SAMPLES {
        node.report_samples(vec![large(seq)]).await;
        if seq % SAMPLES_A_READ == 0 {
            read.push(viewer.next().await.expect("it is not taken for gone"));
        }
    }
    read
}

/// What a viewer that fell behind has been told so far.
#[derive(Default)]
struct Told {
    missed: u64,
    has_newest: bool,
}

impl Told {
    fn hear(&mut self, message: &LiveMessage) {
        let newest = sample(SAMPLES).time_unix_ms;
        match message {
            LiveMessage::Notice(notice) if notice.code == "missed_frames" => {
                self.missed += notice.missed_frames;
            }
            LiveMessage::Welcome(welcome) => {
                assert!(
                    self.missed > 0,
                    "the whole state came without a word of what was missed"
                );
                let latest = welcome.hosts[0].latest.as_ref();
                self.has_newest = latest.is_some_and(|row| row.time_unix_ms == newest);
            }
            // It has caught up before the last sample came.
            LiveMessage::Fleet(frame) if self.missed > 0 => {
                self.has_newest = frame.rows.iter().any(|row| row.time_unix_ms == newest);
            }
            _ => {}
        }
    }
}

#[tokio::test]
async fn a_viewer_that_falls_behind_is_told_how_far_and_gets_the_newest_state() {
    let server = TestServer::start().await;
    let token = server.account().await;
    let (_, key) = server.key(&token).await;
    let mut node = TestNode::join(server.address, &key, hello("m1", "e1")).await;
    let mut viewer = TestViewer::watch(&server, &token).await;
    let mut told = Told::default();
    for message in overwhelm(&mut viewer, &mut node).await {
        told.hear(&message);
    }
    while !told.has_newest {
        let message = viewer.next().await.expect("it is not closed");
        told.hear(&message);
    }
}

#[tokio::test]
async fn a_viewer_that_never_reads_is_closed_and_costs_others_nothing() {
    let server = TestServer::start().await;
    let token = server.account().await;
    let (_, key) = server.key(&token).await;
    let mut node = TestNode::join(server.address, &key, hello("m1", "e1")).await;
    let mut silent = TestViewer::watch(&server, &token).await;
    let mut other = TestViewer::watch(&server, &token).await;
    silent.subscribe(&[&node.welcome.host_id]).await;
    silent.detail().await;
    let one_is_left = async || {
        let metrics = server.send(Http::new("GET", "/metrics")).await;
        String::from_utf8_lossy(&metrics.body).contains("metric_flow_viewers 1\n")
    };
    let mut seq = 0;
    soon("the end of the silent viewer", async {
        while !one_is_left().await {
            seq += 1;
            node.report_samples(vec![large(seq)]).await;
            tokio::time::sleep(BETWEEN_SAMPLES).await;
        }
    })
    .await;
    node.report([seq + 1]).await;
    let newest = sample(seq + 1).time_unix_ms;
    other.row(|row| row.time_unix_ms == newest).await;
    drop(silent);
}
