//! HTTP over any byte stream: what lets one engine client work on a socket and inside SSH.

use std::{
    future::Future,
    io,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use bollard::{BollardRequest, Docker, errors::Error};
use bytes::Bytes;
use http::{HeaderMap, Request, Response, Uri};
use http_body_util::{BodyExt as _, Either, Full, StreamBody};
use hyper::{
    body::{Frame, Incoming},
    rt::{Read, ReadBufCursor, Write},
};
use hyper_util::{
    client::legacy::{
        Client,
        connect::{Connected, Connection},
    },
    rt::{TokioExecutor, TokioIo, TokioTimer},
};
use tokio::io::{AsyncRead, AsyncWrite};
use tower_service::Service;

/// How long an idle connection is kept. Shorter than Podman's own idle time, so that no request meets a closing socket.
const IDLE: Duration = Duration::from_secs(2);
/// The longest wait for the first byte of an answer. It includes the upload of a body, so it has room for an image.
const ANSWER_SECONDS: u64 = 900;
/// The address in the requests. Nothing resolves it; HTTP only needs one.
const ADDRESS: &str = "http://engine";

/// Both directions of a connection to an engine.
pub(super) trait Both: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Both for T {}

type Opening = Pin<Box<dyn Future<Output = io::Result<Stream>> + Send>>;

/// Opens one more connection to the engine.
#[derive(Clone)]
pub(super) struct Connector(Arc<dyn Fn() -> Opening + Send + Sync>);

impl Connector {
    /// A connector that calls `open` for each connection.
    pub(super) fn new<O, F, S>(open: O) -> Self
    where
        O: Fn() -> F + Send + Sync + 'static,
        F: Future<Output = io::Result<S>> + Send + 'static,
        S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
    {
        Self(Arc::new(move || {
            let opening = open();
            Box::pin(async move { Ok(Stream(TokioIo::new(Box::new(opening.await?)))) })
        }))
    }

    /// A client whose connections this opens.
    pub(super) fn into_asker(self) -> Asker {
        Asker(
            Client::builder(TokioExecutor::new())
                .pool_timer(TokioTimer::new())
                .pool_idle_timeout(IDLE)
                .build(self),
        )
    }
}

/// The HTTP client under bollard's, for requests that are put in our own words.
#[derive(Clone)]
pub(super) struct Asker(Client<Connector, Body>);

/// What bollard's requests carry.
type Body = Either<
    Full<Bytes>,
    StreamBody<Pin<Box<dyn futures_util::Stream<Item = Result<Frame<Bytes>, io::Error>> + Send>>>,
>;

impl Asker {
    /// A bollard client over the same connections.
    pub(super) fn docker(&self) -> Result<Docker, Error> {
        let client = self.0.clone();
        Docker::connect_with_custom_transport(
            move |request: BollardRequest| {
                let answer = client.request(request);
                async move { answer.await.map_err(Error::from) }
            },
            Some(ADDRESS),
            ANSWER_SECONDS,
            bollard::API_DEFAULT_VERSION,
        )
    }

    /// The answer to a request without a body, whatever it says; its own body is still to be read.
    pub(super) async fn post(&self, path: &str, headers: HeaderMap) -> Result<Response<Incoming>, Error> {
        let mut request = Request::post(format!("{ADDRESS}{path}")).body(bollard::body_full(Bytes::new()))?;
        request.headers_mut().extend(headers);
        Ok(self.0.request(request).await?)
    }

    /// The whole body of an answer; an answer other than success is an error as bollard has it.
    pub(super) async fn get(&self, path: &str) -> Result<Bytes, Error> {
        let request = Request::builder()
            .uri(format!("{ADDRESS}{path}"))
            .body(bollard::body_full(Bytes::new()))?;
        let answer = self.0.request(request).await?;
        let status = answer.status();
        let body = answer.into_body().collect().await?.to_bytes();
        if status.is_success() {
            return Ok(body);
        }
        let said: serde_json::Value = serde_json::from_slice(&body).unwrap_or_default();
        let message = said.get("message").and_then(serde_json::Value::as_str);
        Err(Error::DockerResponseServerError {
            status_code: status.as_u16(),
            message: message.unwrap_or("no reason is given").to_owned(),
        })
    }
}

impl Service<Uri> for Connector {
    type Response = Stream;
    type Error = io::Error;
    type Future = Opening;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: Uri) -> Opening {
        (self.0)()
    }
}

/// A connection in the form that hyper reads and writes.
pub(super) struct Stream(TokioIo<Box<dyn Both>>);

impl Connection for Stream {
    fn connected(&self) -> Connected {
        Connected::new()
    }
}

impl Read for Stream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: ReadBufCursor<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_read(context, buffer)
    }
}

impl Write for Stream {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(context)
    }
}
