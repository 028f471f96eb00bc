//! The dashboard's files, embedded by the build: hashed names are kept by browsers for ever, pages are asked for
//! anew, and any address that is no file is the dashboard's own.

use http::{HeaderMap, HeaderValue, StatusCode, header};
use rust_embed::{EmbeddedFile, RustEmbed};
use warp::{Reply, reply::Response};

use super::ApiError;

#[derive(RustEmbed)]
#[folder = "../web/dist"]
struct Files;

const PAGE: &str = "index.html";
/// Vite puts files here whose names hold a hash of their content.
const HASHED_FOLDER: &str = "assets/";
const FOREVER: &str = "public, max-age=31536000, immutable";
const ASK_AGAIN: &str = "no-cache";
/// Encodings in the order in which they are preferred: name, and ending of the file compressed by the build.
const ENCODINGS: [(&str, &str); 2] = [("br", ".br"), ("gzip", ".gz")];

/// The file at a path, else the dashboard's page.
pub(super) fn file(path: &str, headers: &HeaderMap) -> Result<Response, ApiError> {
    let asked = path.trim_start_matches('/');
    let is_file = !asked.is_empty() && Files::get(asked).is_some();
    if !is_file && asked.starts_with(HASHED_FOLDER) {
        // A page of an older release asks for a file that is gone: the page in its place would be no script.
        return Err(ApiError::not_found("file"));
    }
    let name = if is_file { asked } else { PAGE };
    let plain = Files::get(name).ok_or_else(|| {
        ApiError::new(
            StatusCode::NOT_FOUND,
            "no_dashboard",
            "this server was built without the dashboard",
            "run `npm --prefix web run build`, then build the server again",
        )
    })?;
    let etag = etag(&plain);
    let known = headers
        .get(header::IF_NONE_MATCH)
        .is_some_and(|known| known.as_bytes() == etag.as_bytes());
    let mut response = if known {
        warp::reply::with_status("", StatusCode::NOT_MODIFIED).into_response()
    } else {
        let (content, encoding) = encoded(name, plain, headers);
        let mut response = Response::new(content.into());
        if let Some(encoding) = encoding {
            response
                .headers_mut()
                .insert(header::CONTENT_ENCODING, HeaderValue::from_static(encoding));
        }
        response
    };
    let answer = response.headers_mut();
    let keep = if name.starts_with(HASHED_FOLDER) {
        FOREVER
    } else {
        ASK_AGAIN
    };
    answer.insert(header::CACHE_CONTROL, HeaderValue::from_static(keep));
    answer.insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type(name)));
    answer.insert(header::VARY, HeaderValue::from_static("accept-encoding"));
    if let Ok(etag) = HeaderValue::from_str(&etag) {
        answer.insert(header::ETAG, etag);
    }
    Ok(response)
}

fn encoded(name: &str, plain: EmbeddedFile, headers: &HeaderMap) -> (Vec<u8>, Option<&'static str>) {
    let accepted = headers
        .get(header::ACCEPT_ENCODING)
        .and_then(|value| value.to_str().ok())
        .unwrap_or("");
    for (encoding, ending) in ENCODINGS {
        let accepts = accepted.split(',').any(|part| {
            let (coding, weight) = part.split_once(';').unwrap_or((part, ""));
            coding.trim() == encoding && weight.trim() != "q=0"
        });
        if accepts && let Some(file) = Files::get(&format!("{name}{ending}")) {
            return (file.data.into_owned(), Some(encoding));
        }
    }
    (plain.data.into_owned(), None)
}

/// From the build's own hash of the content.
fn etag(file: &EmbeddedFile) -> String {
    use std::fmt::Write as _;
    let mut etag = String::from("\"");
    for byte in &file.metadata.sha256_hash()[..16] {
        // Writing to a String cannot fail.
        let _ = write!(etag, "{byte:02x}");
    }
    etag.push('"');
    etag
}

fn content_type(name: &str) -> &'static str {
    match name.rsplit_once('.').map_or("", |(_, ending)| ending) {
        "html" => "text/html; charset=utf-8",
        "js" | "mjs" => "text/javascript; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "json" | "map" => "application/json",
        "webmanifest" => "application/manifest+json",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "ico" => "image/x-icon",
        "woff2" => "font/woff2",
        "txt" => "text/plain; charset=utf-8",
        _ => "application/octet-stream",
    }
}
