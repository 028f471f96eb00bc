//! The part of the registry's HTTP API that a pull needs (OCI distribution specification, "Pull"): manifests and blobs,
//! read only, parts of blobs too, so that an engine whose connection broke goes on where it was.

use std::{convert::Infallible, io::SeekFrom, sync::Arc};

use bytes::Bytes;
use futures_util::TryStreamExt as _;
use http::{HeaderValue, Method, Request, Response, StatusCode, header};
use http_body_util::{BodyExt as _, Full, StreamBody, combinators::BoxBody};
use hyper::{body::Frame, server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncSeekExt as _, AsyncWrite};
use tokio_util::io::ReaderStream;

use super::image_files::{ImageFiles, MANIFEST_TYPE};

/// What every repository here begins with, so that a name that a cut-off pull has left is known again.
const REPOSITORY: &str = "deployer-";
/// The tag that the image has here.
const TAG: &str = "shipped";
/// Read and sent at once: a part of the SSH channel's window.
const PIECE_BYTES: usize = 64 * 1024;

type Body = BoxBody<Bytes, std::io::Error>;

/// Offers one image to whoever knows its name.
#[derive(Clone)]
pub struct Endpoint {
    image: Arc<ImageFiles>,
    repository: String,
    report: Arc<dyn Fn(u64) + Send + Sync>,
}

impl Endpoint {
    /// An endpoint under a name that cannot be guessed: the port is open to everyone on the host. `report` hears of
    /// each piece of a layer that goes, how many bytes it has.
    #[must_use]
    pub fn new(image: Arc<ImageFiles>, report: impl Fn(u64) + Send + Sync + 'static) -> Self {
        Self {
            image,
            repository: format!("{REPOSITORY}{:032x}", rand::random::<u128>()),
            report: Arc::new(report),
        }
    }

    /// The name to pull, when the endpoint is reached by that port of the puller's own loopback.
    #[must_use]
    pub fn reference(&self, port: u16) -> String {
        format!("localhost:{port}/{}:{TAG}", self.repository)
    }

    /// Whether a name is one that [`Endpoint::reference`] makes.
    #[must_use]
    pub fn is_reference(name: &str) -> bool {
        name.strip_prefix("localhost:")
            .and_then(|rest| rest.split_once('/'))
            .is_some_and(|(_, repository)| repository.starts_with(REPOSITORY))
    }

    /// Answers the requests of one connection until it ends.
    pub async fn serve(&self, stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static) {
        let answer = service_fn(|request: Request<hyper::body::Incoming>| async move {
            Ok::<_, Infallible>(
                self.answer(request.method(), request.uri().path(), request.headers())
                    .await,
            )
        });
        let served = http1::Builder::new()
            .serve_connection(TokioIo::new(stream), answer)
            .await;
        if let Err(error) = served {
            // The engine tries again, or says what it missed.
            tracing::debug!(%error, "a pull's connection broke");
        }
    }

    async fn answer(&self, method: &Method, path: &str, headers: &http::HeaderMap) -> Response<Body> {
        if method != Method::GET && method != Method::HEAD {
            return plain(StatusCode::METHOD_NOT_ALLOWED);
        }
        let with_body = method == Method::GET;
        if path.trim_end_matches('/') == "/v2" {
            return plain(StatusCode::OK);
        }
        let inside = path
            .strip_prefix("/v2/")
            .and_then(|path| path.strip_prefix(self.repository.as_str()));
        match inside.and_then(|path| path.trim_start_matches('/').split_once('/')) {
            Some(("manifests", name)) if name == TAG || name == self.image.manifest_digest => {
                let mut answer = plain(StatusCode::OK);
                let length = self.image.manifest.len() as u64;
                describe(&mut answer, MANIFEST_TYPE, length, &self.image.manifest_digest);
                if with_body {
                    *answer.body_mut() = full(Bytes::from(self.image.manifest.clone()));
                }
                answer
            }
            Some(("blobs", digest)) => self
                .blob(digest, headers, with_body)
                .await
                .unwrap_or_else(|_| plain(StatusCode::INTERNAL_SERVER_ERROR)),
            _ => plain(StatusCode::NOT_FOUND),
        }
    }

    async fn blob(
        &self,
        digest: &str,
        headers: &http::HeaderMap,
        with_body: bool,
    ) -> std::io::Result<Response<Body>> {
        let Some(blob) = self.image.blob(digest) else {
            return Ok(plain(StatusCode::NOT_FOUND));
        };
        let asked = headers.get(header::RANGE).and_then(|range| range.to_str().ok());
        let (mut answer, start, end) = match asked.map(|range| part(range, blob.size)) {
            None => (plain(StatusCode::OK), 0, blob.size),
            Some(None) => return Ok(plain(StatusCode::RANGE_NOT_SATISFIABLE)),
            Some(Some((start, end))) => {
                let mut answer = plain(StatusCode::PARTIAL_CONTENT);
                let range = format!("bytes {start}-{}/{}", end - 1, blob.size);
                insert(&mut answer, header::CONTENT_RANGE, &range);
                (answer, start, end)
            }
        };
        describe(&mut answer, "application/octet-stream", end - start, digest);
        insert(&mut answer, header::ACCEPT_RANGES, "bytes");
        if with_body {
            let mut file = tokio::fs::File::open(&blob.path).await?;
            file.seek(SeekFrom::Start(start)).await?;
            let report = Arc::clone(&self.report);
            let pieces = ReaderStream::with_capacity(file.take(end - start), PIECE_BYTES);
            let frames = pieces
                .inspect_ok(move |piece| report(piece.len() as u64))
                .map_ok(Frame::data);
            *answer.body_mut() = StreamBody::new(frames).boxed();
        }
        Ok(answer)
    }
}

/// The part of a blob that `bytes=FROM-TO` asks for, its end not included. The engines ask for one part at a time.
fn part(range: &str, size: u64) -> Option<(u64, u64)> {
    let (from, to) = range.strip_prefix("bytes=")?.split_once('-')?;
    let start: u64 = from.parse().ok()?;
    let end = match to {
        "" => size,
        to => to.parse::<u64>().ok()?.checked_add(1)?.min(size),
    };
    (start < end).then_some((start, end))
}

fn full(bytes: Bytes) -> Body {
    Full::new(bytes).map_err(|never| match never {}).boxed()
}

fn plain(status: StatusCode) -> Response<Body> {
    let mut answer = Response::new(full(Bytes::new()));
    *answer.status_mut() = status;
    // Docker takes a server for a registry by this header.
    answer.headers_mut().insert(
        "docker-distribution-api-version",
        HeaderValue::from_static("registry/2.0"),
    );
    answer
}

fn describe(answer: &mut Response<Body>, kind: &'static str, length: u64, digest: &str) {
    insert(answer, header::CONTENT_TYPE, kind);
    insert(answer, header::CONTENT_LENGTH, &length.to_string());
    if let Ok(digest) = HeaderValue::from_str(digest) {
        answer.headers_mut().insert("docker-content-digest", digest);
    }
}

fn insert(answer: &mut Response<Body>, name: header::HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        answer.headers_mut().insert(name, value);
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::expect_used, reason = "a test fails by panicking")]

    use std::sync::atomic::{AtomicU64, Ordering};

    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

    use super::*;
    use crate::registry::image_files::tests::archive;

    fn endpoint() -> (Endpoint, Arc<AtomicU64>) {
        let image = ImageFiles::unpack(archive(b"0123456789").as_slice()).expect("an image");
        let sent = Arc::new(AtomicU64::new(0));
        let count = Arc::clone(&sent);
        let endpoint = Endpoint::new(Arc::new(image), move |bytes| {
            count.fetch_add(bytes, Ordering::Relaxed);
        });
        (endpoint, sent)
    }

    async fn ask(endpoint: &Endpoint, method: &str, path: &str, range: &str) -> String {
        let (mut near, far) = tokio::io::duplex(4096);
        let request =
            format!("{method} {path} HTTP/1.1\r\nhost: localhost\r\n{range}connection: close\r\n\r\n");
        let asking = async {
            near.write_all(request.as_bytes()).await.expect("a request");
            let mut answer = Vec::new();
            near.read_to_end(&mut answer).await.expect("an answer");
            String::from_utf8_lossy(&answer).into_owned()
        };
        tokio::join!(endpoint.serve(far), asking).1
    }

    #[tokio::test]
    async fn a_pull_finds_manifest_and_layers_and_a_part_of_a_layer() {
        let (endpoint, sent) = endpoint();
        let reference = endpoint.reference(5000);
        assert!(Endpoint::is_reference(&reference), "{reference}");
        let top = format!("/v2/{}", endpoint.repository);
        assert!(
            ask(&endpoint, "GET", "/v2/", "")
                .await
                .starts_with("HTTP/1.1 200")
        );
        let manifest = ask(&endpoint, "GET", &format!("{top}/manifests/shipped"), "").await;
        assert!(manifest.contains(&endpoint.image.id), "{manifest}");
        let layer = manifest
            .rsplit_once("\"layers\"")
            .map(|(_, rest)| rest)
            .and_then(|rest| rest.split('"').find(|word| word.starts_with("sha256:")))
            .expect("a layer")
            .to_owned();
        let blob = format!("{top}/blobs/{layer}");
        assert!(
            ask(&endpoint, "HEAD", &blob, "")
                .await
                .contains("content-length: 10")
        );
        assert_eq!(sent.load(Ordering::Relaxed), 0);
        assert!(ask(&endpoint, "GET", &blob, "").await.ends_with("0123456789"));
        let rest = ask(&endpoint, "GET", &blob, "range: bytes=6-\r\n").await;
        assert!(
            rest.starts_with("HTTP/1.1 206") && rest.ends_with("\r\n\r\n6789"),
            "{rest}"
        );
        assert!(rest.contains("bytes 6-9/10"), "{rest}");
        let beyond = ask(&endpoint, "GET", &blob, "range: bytes=10-\r\n").await;
        assert!(beyond.starts_with("HTTP/1.1 416"), "{beyond}");
        assert_eq!(sent.load(Ordering::Relaxed), 14);
    }

    #[tokio::test]
    async fn nothing_else_is_served_and_nothing_is_taken() {
        let (endpoint, _) = endpoint();
        for path in [
            "/v2/library/x/manifests/shipped",
            "/etc/passwd",
            "/v2/deployer-/blobs/sha256:0",
        ] {
            assert!(
                ask(&endpoint, "GET", path, "").await.starts_with("HTTP/1.1 404"),
                "{path}"
            );
        }
        let upload = format!("/v2/{}/blobs/uploads/", endpoint.repository);
        assert!(
            ask(&endpoint, "POST", &upload, "")
                .await
                .starts_with("HTTP/1.1 405")
        );
    }
}
