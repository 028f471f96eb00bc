//! One GET over a container engine's local socket.

use std::{io, path::Path};

/// How long an engine may take: one with thousands of containers needs a second.
#[cfg(unix)]
const ANSWER_WITHIN: std::time::Duration = std::time::Duration::from_secs(5);

/// Most bytes of an answer that are read: some thousand containers.
#[cfg(unix)]
const ANSWER_BYTES_MAX: u64 = 4 << 20;

/// The body of the answer. HTTP/1.0 makes the engine send it in one piece and close.
///
/// # Errors
/// When the engine cannot be reached, is too slow, or refuses.
#[cfg(unix)]
pub(super) fn get(socket: &Path, path: &str) -> io::Result<Vec<u8>> {
    use std::{
        io::{Read as _, Write as _},
        os::unix::net::UnixStream,
    };

    let mut stream = UnixStream::connect(socket)?;
    stream.set_read_timeout(Some(ANSWER_WITHIN))?;
    stream.set_write_timeout(Some(ANSWER_WITHIN))?;
    stream.write_all(format!("GET {path} HTTP/1.0\r\nHost: localhost\r\n\r\n").as_bytes())?;
    let mut answer = Vec::new();
    stream.take(ANSWER_BYTES_MAX).read_to_end(&mut answer)?;
    body(answer)
}

/// Engines listen on local sockets of another kind there.
///
/// # Errors
/// Always.
#[cfg(not(unix))]
pub(super) fn get(_socket: &Path, _path: &str) -> io::Result<Vec<u8>> {
    Err(io::Error::from(io::ErrorKind::Unsupported))
}

#[cfg(unix)]
fn body(mut answer: Vec<u8>) -> io::Result<Vec<u8>> {
    let invalid = |message: String| io::Error::new(io::ErrorKind::InvalidData, message);
    let head_end = answer
        .windows(4)
        .position(|four| four == b"\r\n\r\n")
        .ok_or_else(|| invalid("it does not speak HTTP".to_owned()))?;
    let body = answer.split_off(head_end + 4);
    let head = String::from_utf8_lossy(&answer);
    let status = head.split_whitespace().nth(1).unwrap_or_default();
    if status == "200" {
        Ok(body)
    } else {
        Err(invalid(format!("it answered with status {status}")))
    }
}

#[cfg(all(test, unix))]
mod tests {
    #![expect(clippy::expect_used, reason = "a test fails by panicking")]

    use super::*;

    #[test]
    fn only_a_good_answer_has_a_body() {
        let good = body(b"HTTP/1.0 200 OK\r\nA: b\r\n\r\n[]".to_vec()).expect("a body");
        assert_eq!(good, b"[]");
        let refused = body(b"HTTP/1.0 403 Forbidden\r\n\r\nno".to_vec()).expect_err("refused");
        assert!(refused.to_string().contains("403"));
        assert!(body(b"SSH-2.0".to_vec()).is_err());
        assert!(body(Vec::new()).is_err());
    }
}
