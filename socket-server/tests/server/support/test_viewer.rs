//! A browser with an open live socket.

use std::net::SocketAddr;

use futures_util::{SinkExt as _, StreamExt as _};
use metric_flow_protocol::live::{
    HostDetail, HostEventKind, HostRow, HostSummary, LiveMessage, Subscribe, ViewerMessage, Welcome,
};
use tokio::net::TcpStream;
use tokio_tungstenite::{
    WebSocketStream, client_async,
    tungstenite::{self, Message, client::IntoClientRequest as _, http::Response},
};

use super::{Http, TestServer, soon};

/// A viewer with an open connection.
pub(crate) struct TestViewer {
    socket: WebSocketStream<TcpStream>,
    pub(crate) welcome: Welcome,
}

/// A live ticket of an account.
pub(crate) async fn ticket(server: &TestServer, token: &str) -> String {
    let answer = server
        .send(Http::new("POST", "/api/v1/live/ticket").bearer(token))
        .await;
    answer.json()["ticket"].as_str().expect("a ticket").to_owned()
}

impl TestViewer {
    /// Takes a ticket, connects, and waits for the welcome.
    pub(crate) async fn watch(server: &TestServer, token: &str) -> Self {
        let ticket = ticket(server, token).await;
        let mut viewer = Self::open(server.address, &ticket, Some(&server.origin()))
            .await
            .expect("accepted");
        match viewer.next().await {
            Ok(LiveMessage::Welcome(welcome)) => viewer.welcome = welcome,
            other => panic!("the first frame is {other:?}"),
        }
        viewer
    }

    /// Connects with a ticket and an origin.
    pub(crate) async fn open(
        server: SocketAddr,
        ticket: &str,
        origin: Option<&str>,
    ) -> Result<Self, tungstenite::Error> {
        let mut request = format!("ws://{server}/api/v1/live?ticket={ticket}").into_client_request()?;
        let headers = request.headers_mut();
        headers.insert(
            "sec-websocket-protocol",
            "metric-flow.live.v1".parse().expect("a header"),
        );
        if let Some(origin) = origin {
            headers.insert("origin", origin.parse().expect("a header"));
        }
        let stream = TcpStream::connect(server).await.expect("connected");
        let (socket, _) = soon("the handshake", client_async(request, stream)).await?;
        Ok(Self {
            socket,
            welcome: Welcome::default(),
        })
    }

    /// The next message, or the close code.
    pub(crate) async fn next(&mut self) -> Result<LiveMessage, Option<u16>> {
        loop {
            match soon("a frame", self.socket.next()).await {
                Some(Ok(Message::Text(text))) => {
                    return Ok(serde_json::from_str(&text).expect("a live message"));
                }
                Some(Ok(Message::Close(frame))) => return Err(frame.map(|frame| frame.code.into())),
                Some(Ok(_)) => {}
                Some(Err(_)) | None => return Err(None),
            }
        }
    }

    /// Waits for a row that fits.
    pub(crate) async fn row(&mut self, fits: impl Fn(&HostRow) -> bool) -> HostRow {
        loop {
            match self.next().await {
                Ok(LiveMessage::Fleet(frame)) => {
                    if let Some(row) = frame.rows.into_iter().find(&fits) {
                        return row;
                    }
                }
                Ok(_) => {}
                Err(code) => panic!("closed with {code:?} before the row came"),
            }
        }
    }

    /// Waits for an event of that kind; returns the host as it is then.
    pub(crate) async fn event(&mut self, kind: HostEventKind) -> Option<HostSummary> {
        loop {
            match self.next().await {
                Ok(LiveMessage::Event(event)) if event.kind == kind => return event.host,
                Ok(_) => {}
                Err(code) => panic!("closed with {code:?} before the event came"),
            }
        }
    }

    /// Waits for samples of an open host.
    pub(crate) async fn detail(&mut self) -> HostDetail {
        loop {
            match self.next().await {
                Ok(LiveMessage::Detail(detail)) => return detail,
                Ok(_) => {}
                Err(code) => panic!("closed with {code:?} before the detail came"),
            }
        }
    }

    /// Waits for the server's close frame.
    pub(crate) async fn closed(&mut self) -> Option<u16> {
        loop {
            if let Err(code) = self.next().await {
                return code;
            }
        }
    }

    /// Opens hosts.
    pub(crate) async fn subscribe(&mut self, hosts: &[&str]) {
        let open_hosts = hosts.iter().map(|host| (*host).to_owned()).collect();
        let message = ViewerMessage::Subscribe(Subscribe { open_hosts });
        self.say(&serde_json::to_string(&message).expect("encodes"))
            .await
            .expect("sent");
    }

    /// Sends any text.
    pub(crate) async fn say(&mut self, text: &str) -> Result<(), tungstenite::Error> {
        self.socket.send(Message::text(text)).await
    }
}

/// The status of a refused handshake.
pub(crate) fn refusal<T>(result: Result<T, tungstenite::Error>) -> u16 {
    match result {
        Err(tungstenite::Error::Http(response)) => {
            let response: &Response<Option<Vec<u8>>> = &response;
            response.status().as_u16()
        }
        Err(other) => panic!("refused with {other}"),
        Ok(_) => panic!("it was accepted"),
    }
}
