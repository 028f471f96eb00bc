//! Viewers that read every frame and note how old its rows are.

use std::time::Duration;

use futures_util::StreamExt;
use metric_flow_protocol::{
    codec,
    node::{NodeBody, NodeMessage},
    version::NodeEncoding,
};
use serde::Deserialize;
use tokio::{net::TcpStream, time::Instant};
use tokio_tungstenite::{WebSocketStream, tungstenite::Message};
use tokio_util::sync::CancellationToken;

use super::{dialect::keep_alive, sample::now_unix_ms};

/// Viewers' sockets take source addresses far from the hosts'.
pub const VIEWER_INDEX: usize = 500_000;

/// Ages of rows, from the host's clock at sending to the viewer's at reading, in milliseconds.
#[derive(Debug, Clone, Default)]
pub struct Latencies {
    ages_ms: Vec<u32>,
    /// Frames read.
    pub frames: u64,
    /// Bytes read.
    pub bytes: u64,
    /// Whether the server ended the socket.
    pub closed: bool,
}

impl Latencies {
    /// Rows read.
    pub fn rows(&self) -> usize {
        self.ages_ms.len()
    }

    /// Adds another viewer's.
    pub fn absorb(&mut self, other: Self) {
        self.ages_ms.extend(other.ages_ms);
        self.frames += other.frames;
        self.bytes += other.bytes;
        self.closed |= other.closed;
    }

    /// The age that `share` (0 to 1) of the rows do not exceed, by the nearest-rank method.
    pub fn quantile_ms(&mut self, share: f64) -> u32 {
        self.ages_ms.sort_unstable();
        let rank = (self.ages_ms.len() as f64 * share).ceil() as usize;
        self.ages_ms.get(rank.saturating_sub(1)).copied().unwrap_or(0)
    }
}

/// What of a frame is looked at; reading all of it would cost this process more than sending costs the server.
/// Only frames of the fleet have rows.
#[derive(Deserialize)]
struct Ages {
    #[serde(default)]
    rows: Vec<Age>,
}

#[derive(Deserialize)]
struct Age {
    time_unix_ms: i64,
}

/// Reads until told to stop or the server ends the socket. Counts what comes later than `after`.
pub async fn watch(
    mut socket: WebSocketStream<TcpStream>,
    after: Duration,
    stop: CancellationToken,
) -> Latencies {
    let start = Instant::now() + after;
    let mut seen = Latencies::default();
    loop {
        let Some(frame) = stop.run_until_cancelled(socket.next()).await else {
            return seen;
        };
        match frame {
            Some(Ok(frame)) if carries_rows(&frame) && Instant::now() >= start => {
                seen.frames += 1;
                seen.bytes += frame.len() as u64;
                let now = now_unix_ms();
                let ages = times(&frame)
                    .into_iter()
                    .map(|time_unix_ms| now.saturating_sub(time_unix_ms).max(0));
                seen.ages_ms
                    .extend(ages.map(|age| u32::try_from(age).unwrap_or(u32::MAX)));
                seen.closed |= keep_alive(&mut socket, &frame).await.is_err();
            }
            Some(Ok(_)) => {}
            Some(Err(_)) | None => {
                seen.closed = true;
                return seen;
            }
        }
    }
}

/// Reads without looking inside, so that many viewers cost this process little. Counts what comes between
/// `after` and the end of `counted`.
pub async fn drain(mut socket: WebSocketStream<TcpStream>, after: Duration, counted: Duration) -> Latencies {
    let start = Instant::now() + after;
    let mut seen = Latencies::default();
    loop {
        let Ok(frame) = tokio::time::timeout_at(start + counted, socket.next()).await else {
            return seen;
        };
        match frame {
            Some(Ok(frame)) if carries_rows(&frame) && start.elapsed() > Duration::ZERO => {
                seen.frames += 1;
                seen.bytes += frame.len() as u64;
                seen.closed |= keep_alive(&mut socket, &frame).await.is_err();
            }
            Some(Ok(_)) => {}
            Some(Err(_)) | None => {
                seen.closed = true;
                return seen;
            }
        }
    }
}

/// Our server's frames are text; the peer passes the hosts' batches on as they are.
fn carries_rows(frame: &Message) -> bool {
    matches!(frame, Message::Text(_) | Message::Binary(_))
}

/// The hosts' time of each row of a frame.
fn times(frame: &Message) -> Vec<i64> {
    match frame {
        Message::Text(text) => serde_json::from_str::<Ages>(text)
            .map(|frame| frame.rows.iter().map(|row| row.time_unix_ms).collect())
            .unwrap_or_default(),
        Message::Binary(bytes) => match codec::decode::<NodeMessage>(NodeEncoding::Protobuf, bytes) {
            Ok(NodeMessage {
                body: Some(NodeBody::Batch(batch)),
            }) => batch.samples.iter().map(|sample| sample.time_unix_ms).collect(),
            _ => Vec::new(),
        },
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::expect_used, reason = "a test fails by panicking")]

    use metric_flow_protocol::node::Batch;

    use super::*;
    use crate::load::{dialect, simulated_sample};

    #[test]
    fn rows_of_our_frames_and_of_a_hosts_batch_have_their_times() {
        let ours = Message::Text(r#"{"rows":[{"time_unix_ms":5},{"time_unix_ms":7}]}"#.into());
        assert_eq!(times(&ours), [5, 7]);
        let batch = Batch {
            samples: vec![simulated_sample(0, 1, 9)],
            ..Batch::default()
        };
        let message = NodeMessage {
            body: Some(NodeBody::Batch(batch)),
        };
        let frame = codec::encode(NodeEncoding::Protobuf, &message).expect("encoded");
        assert_eq!(times(&dialect::message(frame)), [9]);
    }
}
