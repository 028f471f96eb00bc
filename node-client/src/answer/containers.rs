//! Containers on the host, from the engine's own socket.

use std::path::PathBuf;

use serde_json::{Map, Value, json};

use super::{AnswerError, engine_socket};
use crate::host_root::HostRoot;

/// Where engines listen; Podman first, because it is what a Rocky Linux host has.
const SOCKETS: [(&str, &str); 2] = [
    ("podman", "run/podman/podman.sock"),
    ("docker", "run/docker.sock"),
];

/// The one thing that is asked of an engine. The path is fixed: a server cannot choose another.
const LIST: &str = "/v1.40/containers/json?all=true";

/// The containers of the first engine that answers. A host without an engine has none, and says so.
///
/// # Errors
/// When there is an engine but it does not answer, for example because only root may ask.
pub(super) fn containers(root: &HostRoot) -> Result<Map<String, Value>, AnswerError> {
    let mut document = Map::new();
    let present = |(engine, path): &(&'static str, &str)| {
        let path = root.join(path);
        path.exists().then_some((*engine, path))
    };
    let engines: Vec<(&str, PathBuf)> = SOCKETS.iter().filter_map(present).collect();
    let mut reason = None;
    for (engine, path) in &engines {
        match engine_socket::get(path, LIST).map(|body| serde_json::from_slice::<Vec<Value>>(&body)) {
            Ok(Ok(list)) => {
                document.insert("engine".to_owned(), json!(engine));
                document.insert("containers".to_owned(), list.iter().map(entry).collect());
                return Ok(document);
            }
            Ok(Err(error)) => reason = Some(format!("{engine} answers in words of its own: {error}")),
            Err(error) => reason = Some(format!("{engine} at {}: {error}", path.display())),
        }
    }
    if let Some(reason) = reason {
        return Err(AnswerError::Unavailable(reason));
    }
    document.insert("engine".to_owned(), Value::Null);
    document.insert("containers".to_owned(), json!([]));
    Ok(document)
}

/// What is worth showing of a container. Its command and environment are not: they may hold secrets.
fn entry(container: &Value) -> Value {
    let name = container["Names"][0]
        .as_str()
        .unwrap_or_default()
        .trim_start_matches('/');
    let id: String = container["Id"]
        .as_str()
        .unwrap_or_default()
        .chars()
        .take(12)
        .collect();
    json!({
        "id": id,
        "name": name,
        "image": container["Image"],
        "state": container["State"],
        "status": container["Status"],
        "created_unix_ms": container["Created"].as_i64().map(|seconds| seconds.saturating_mul(1_000)),
    })
}

#[cfg(all(test, unix))]
mod tests {
    #![expect(clippy::expect_used, reason = "a test fails by panicking")]

    use std::{
        io::{Read as _, Write as _},
        os::unix::net::UnixListener,
        thread,
    };

    use super::*;

    #[test]
    fn a_host_without_an_engine_has_no_containers() {
        let folder = tempfile::tempdir().expect("temp folder");
        let document = containers(&HostRoot::new(folder.path())).expect("an answer");
        assert_eq!(document["engine"], Value::Null);
        assert_eq!(document["containers"], json!([]));
    }

    #[test]
    fn the_engines_list_is_shown_without_commands() {
        let folder = tempfile::tempdir().expect("temp folder");
        std::fs::create_dir_all(folder.path().join("run/podman")).expect("folders");
        let listener = UnixListener::bind(folder.path().join("run/podman/podman.sock")).expect("bind");
        let engine = thread::spawn(move || {
            let (mut stream, _) = listener.accept().expect("a question");
            let mut question = [0; 512];
            let read = stream.read(&mut question).expect("read");
            let body = r#"[{"Id":"0123456789abcdef","Names":["/web"],"Image":"nginx","State":"running",
                "Status":"Up 2 hours","Created":1700000000,"Command":"serve --password x"}]"#;
            let head = format!("HTTP/1.0 200 OK\r\nContent-Length: {}\r\n\r\n", body.len());
            stream.write_all((head + body).as_bytes()).expect("answer");
            String::from_utf8_lossy(&question[..read]).into_owned()
        });
        let document = containers(&HostRoot::new(folder.path())).expect("an answer");
        let question = engine.join().expect("the engine ends");
        assert!(
            question.starts_with("GET /v1.40/containers/json?all=true HTTP/1.0\r\n"),
            "{question}"
        );
        assert_eq!(document["engine"], "podman");
        assert_eq!(document["containers"][0]["name"], "web");
        assert_eq!(document["containers"][0]["id"], "0123456789ab");
        assert!(!Value::Object(document).to_string().contains("password"));
    }

    #[test]
    fn an_engine_that_refuses_is_a_reason() {
        let folder = tempfile::tempdir().expect("temp folder");
        std::fs::create_dir_all(folder.path().join("run")).expect("folders");
        std::fs::write(folder.path().join("run/docker.sock"), "").expect("no socket at all");
        let error = containers(&HostRoot::new(folder.path())).expect_err("no answer");
        assert!(error.to_string().contains("docker at "), "{error}");
    }
}
