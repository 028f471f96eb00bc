//! What every handler gets: the server's parts, and what is known of the request.

use std::{net::IpAddr, sync::Arc, time::Duration};

use bytes::{Buf, Bytes, BytesMut};
use futures_util::{Stream, StreamExt as _};
use http::{HeaderMap, header};
use serde::de::DeserializeOwned;
use warp::{Filter, Rejection, filters::BoxedFilter};

use super::{Api, ApiError};
use crate::{accounts::Identity, listen::PeerInfo};

/// Largest body that the API reads: passwords, labels, names.
const BODY_BYTES_MAX: usize = 16 * 1024;
/// A body must come within this time: a slow one holds a connection. 16 KiB take a second on the slowest of lines.
const BODY_DEADLINE: Duration = Duration::from_secs(20);

/// One request to the API.
#[derive(Clone)]
pub(super) struct Call {
    pub(super) api: Arc<Api>,
    pub(super) headers: HeaderMap,
    pub(super) peer: PeerInfo,
}

impl Call {
    /// Whom the request's access token speaks for.
    pub(super) fn identity(&self) -> Result<Identity, ApiError> {
        let token = self.bearer().ok_or_else(ApiError::unauthenticated)?;
        Ok(self.api.accounts.authenticate(token)?)
    }

    /// The token of the Authorization header.
    pub(super) fn bearer(&self) -> Option<&str> {
        let value = self.headers.get(header::AUTHORIZATION)?.to_str().ok()?;
        let (scheme, token) = value.split_once(' ')?;
        scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
    }

    /// The address of whoever asks.
    pub(super) fn address(&self) -> IpAddr {
        self.peer.address
    }

    /// The body as JSON.
    pub(super) fn json<T: DeserializeOwned>(&self, body: &[u8]) -> Result<T, ApiError> {
        let is_json = self
            .headers
            .get(header::CONTENT_TYPE)
            .and_then(|value| value.to_str().ok())
            .is_some_and(|value| {
                value
                    .split(';')
                    .next()
                    .is_some_and(|kind| kind.trim() == "application/json")
            });
        if !is_json {
            return Err(ApiError::not_json());
        }
        serde_json::from_slice(body).map_err(|error| {
            ApiError::bad_request(
                format!("the body is not as expected: {error}"),
                "docs/protocol.md says how",
            )
        })
    }
}

/// Takes what every handler needs.
pub(super) fn call(api: Arc<Api>) -> BoxedFilter<(Call,)> {
    warp::header::headers_cloned()
        .and(warp::ext::get::<PeerInfo>())
        .map(move |headers, peer| Call {
            api: Arc::clone(&api),
            headers,
            peer,
        })
        .boxed()
}

/// Reads the body, at most [`BODY_BYTES_MAX`] of it and for [`BODY_DEADLINE`], whatever its head says about its length.
pub(super) fn body() -> BoxedFilter<(Bytes,)> {
    warp::body::stream().and_then(read_in_time).boxed()
}

async fn read_in_time(stream: impl Stream<Item = Result<impl Buf, warp::Error>>) -> Result<Bytes, Rejection> {
    match tokio::time::timeout(BODY_DEADLINE, read_body(stream)).await {
        Ok(body) => body,
        Err(_) => Err(warp::reject::custom(ApiError::body_too_slow(BODY_DEADLINE))),
    }
}

async fn read_body(stream: impl Stream<Item = Result<impl Buf, warp::Error>>) -> Result<Bytes, Rejection> {
    let mut stream = std::pin::pin!(stream);
    let mut body = BytesMut::new();
    while let Some(part) = stream.next().await {
        let mut part = part.map_err(|error| {
            let told = ApiError::bad_request(format!("the body broke off: {error}"), "send it again");
            warp::reject::custom(told)
        })?;
        let bytes = part.copy_to_bytes(part.remaining());
        if body.len() + bytes.len() > BODY_BYTES_MAX {
            return Err(warp::reject::custom(ApiError::body_too_large(BODY_BYTES_MAX)));
        }
        body.extend_from_slice(&bytes);
    }
    Ok(body.freeze())
}
