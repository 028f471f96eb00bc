//! One viewer's connection: the room's frames out, subscriptions in.

use std::{pin::pin, sync::Arc, time::Instant};

use hyper::upgrade::OnUpgrade;
use metric_flow_protocol::live::{LiveMessage, Notice, ViewerMessage};
use tokio_tungstenite::tungstenite::{Bytes, Message, Utf8Bytes};

use super::{
    peer::{CLOSE_TOO_LARGE, Incoming, Peer, SocketError},
    rate::Bucket,
};
use crate::{
    accounts::Identity,
    fleet::{CloseReason, Fleet, Viewer, encode},
    listen::ConnectionPermit,
    telemetry::Telemetry,
};

/// Messages that a viewer may send: people click, they do not flood.
const MESSAGES_PER_SECOND: f32 = 10.0;
const MESSAGES_BURST: f32 = 100.0;
const CLOSE_UNSUPPORTED: u16 = 1003;
const CLOSE_POLICY: u16 = 1008;

enum End {
    Goodbye(u16, &'static str),
    Gone,
}

impl From<SocketError> for End {
    fn from(error: SocketError) -> Self {
        if matches!(error, SocketError::TooLarge) {
            return Self::Goodbye(CLOSE_TOO_LARGE, "the message is larger than 65536 bytes");
        }
        tracing::debug!(%error, "a viewer's connection broke");
        Self::Gone
    }
}

impl From<CloseReason> for End {
    fn from(reason: CloseReason) -> Self {
        Self::Goodbye(reason.code(), reason.sentence())
    }
}

/// Serves one viewer until either side ends the connection.
pub async fn run_viewer_session(
    fleet: Arc<Fleet>,
    telemetry: Arc<Telemetry>,
    on_upgrade: OnUpgrade,
    identity: Identity,
    permit: Arc<ConnectionPermit>,
) {
    let peer = match Box::pin(Peer::open(on_upgrade)).await {
        Ok(peer) => peer,
        Err(error) => {
            tracing::debug!(%error, "a viewer's upgrade failed");
            return;
        }
    };
    let viewer = Arc::new(Viewer::new(
        identity.session_family.clone(),
        identity.session_expires_unix_ms,
    ));
    fleet.join_viewer(&identity.account, Arc::clone(&viewer));
    let mut session = ViewerSession {
        messages: Bucket::new(MESSAGES_PER_SECOND, MESSAGES_BURST, Instant::now()),
        fleet: &fleet,
        telemetry: &telemetry,
        peer,
        viewer: &viewer,
        identity: &identity,
    };
    let end = session.run().await;
    let peer = session.peer;
    fleet.leave_viewer(&identity.account, &viewer);
    match end {
        // A viewer that does not read cannot be told anything either.
        End::Gone => {}
        End::Goodbye(code, reason) => Box::pin(peer.close(code, reason)).await,
    }
    // Until here the connection counts.
    drop(permit);
}

struct ViewerSession<'a> {
    fleet: &'a Fleet,
    telemetry: &'a Telemetry,
    peer: Peer,
    viewer: &'a Viewer,
    identity: &'a Identity,
    messages: Bucket,
}

impl ViewerSession<'_> {
    async fn run(&mut self) -> End {
        loop {
            let turn = tokio::select! {
                incoming = self.peer.next() => match incoming {
                    Ok(incoming) => self.heard(incoming).await,
                    Err(error) => Err(error.into()),
                },
                () = self.viewer.mailbox.woken() => self.woken().await,
            };
            if let Err(end) = turn {
                return end;
            }
        }
    }

    async fn heard(&mut self, incoming: Incoming) -> Result<(), End> {
        let text = match incoming {
            Incoming::Text(text) => text,
            Incoming::Control => return Ok(()),
            Incoming::Closed => return Err(End::Gone),
            Incoming::Binary(_) => {
                return Err(End::Goodbye(CLOSE_UNSUPPORTED, "viewers send text frames only"));
            }
        };
        if !self.messages.take(1.0, Instant::now()) {
            return Err(End::Goodbye(
                CLOSE_POLICY,
                "too many messages: send at most 10 a second",
            ));
        }
        let frames: Vec<Bytes> = match serde_json::from_str(&text) {
            Ok(ViewerMessage::Subscribe(subscribe)) => {
                let details = self
                    .fleet
                    .subscribe(&self.identity.account, self.viewer, subscribe.open_hosts);
                details
                    .into_iter()
                    .filter_map(|detail| encode(&LiveMessage::Detail(detail)))
                    .collect()
            }
            Err(error) => {
                let notice = Notice {
                    code: "bad_message".to_owned(),
                    message: format!("the message was not understood: {error}"),
                    missed_frames: 0,
                };
                encode(&LiveMessage::Notice(notice)).into_iter().collect()
            }
        };
        self.write(frames.into_iter()).await
    }

    async fn woken(&mut self) -> Result<(), End> {
        loop {
            if let Some(reason) = self.viewer.mailbox.closing() {
                return Err(reason.into());
            }
            if self.viewer.mailbox.take_probe() && !self.peer.probe().await? {
                return Err(End::Gone);
            }
            let delivery = self.viewer.take();
            let mut frames = delivery.frames;
            if delivery.missed_frames > 0 {
                self.telemetry.frames_missed.inc_by(delivery.missed_frames);
                frames.extend(encode(&missed(delivery.missed_frames)));
                self.fleet.refresh(&self.identity.account);
            }
            if frames.is_empty() {
                return Ok(());
            }
            self.write(frames.into_iter()).await?;
        }
    }

    /// Writes frames with one flush for all of them; stops when the viewer is to be closed meanwhile.
    async fn write(&mut self, frames: impl ExactSizeIterator<Item = Bytes>) -> Result<(), End> {
        if frames.len() == 0 {
            return Ok(());
        }
        self.telemetry.frames_sent.inc_by(frames.len() as u64);
        let peer = &mut self.peer;
        let mut writing = pin!(async move {
            for frame in frames {
                // JSON by serde_json is UTF-8, so the check cannot fail; it is cheap next to the write.
                if let Ok(text) = Utf8Bytes::try_from(frame) {
                    peer.feed(Message::Text(text)).await?;
                }
            }
            peer.flush().await
        });
        loop {
            tokio::select! {
                biased;
                written = &mut writing => break written?,
                () = self.viewer.mailbox.woken() => {
                    // What wakes the session here waits in the outbox; only an end cannot wait.
                    if self.viewer.mailbox.closing().is_some() {
                        return Err(End::Gone);
                    }
                }
            }
        }
        // Wake-ups were used up while writing: look again.
        self.viewer.mailbox.wake();
        Ok(())
    }
}

fn missed(missed_frames: u64) -> LiveMessage {
    LiveMessage::Notice(Notice {
        code: "missed_frames".to_owned(),
        message: format!("{missed_frames} frames were skipped: the newest state follows"),
        missed_frames,
    })
}
