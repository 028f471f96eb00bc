//! The engine client and the two ways to reach one.

use std::{
    future::Future,
    io,
    path::{Path, PathBuf},
};

use bollard::Docker;
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::UnixStream,
};

use super::{
    error::EngineError,
    transport::{Asker, Connector},
};

/// Where engines listen on their own machine: root's Podman, then Docker.
const SOCKETS: [&str; 2] = ["/run/podman/podman.sock", "/var/run/docker.sock"];

/// A container engine. Cheap to clone; clones share their connections.
#[derive(Clone)]
pub struct Engine {
    docker: Docker,
    asker: Asker,
    place: String,
}

impl Engine {
    /// The engine of this machine: `DOCKER_HOST` if it names a socket, else the first socket that answers.
    ///
    /// # Errors
    ///
    /// [`EngineError::NoSocket`] when none answers. [`super::LocalService`] starts one then.
    pub async fn local() -> Result<Self, EngineError> {
        let named = std::env::var("DOCKER_HOST")
            .ok()
            .and_then(|host| host.strip_prefix("unix://").map(PathBuf::from));
        let sockets: Vec<PathBuf> = match named {
            Some(socket) => vec![socket],
            None => SOCKETS.iter().map(PathBuf::from).collect(),
        };
        for socket in &sockets {
            let engine = Self::at(socket)?;
            if engine.ping().await.is_ok() {
                return Ok(engine);
            }
        }
        Err(EngineError::NoSocket { tried: sockets })
    }

    /// The engine behind a socket of this machine. Nothing is sent yet.
    ///
    /// # Errors
    ///
    /// Only when the client cannot be set up.
    pub fn at(socket: &Path) -> Result<Self, EngineError> {
        let path = socket.to_owned();
        Self::over(socket.display().to_string(), move || {
            UnixStream::connect(path.clone())
        })
    }

    /// The engine at the far end of byte streams. `open` is called for each connection that is needed; `place` is what
    /// messages call the engine. Nothing is sent yet.
    ///
    /// # Errors
    ///
    /// Only when the client cannot be set up.
    pub fn over<O, F, S>(place: impl Into<String>, open: O) -> Result<Self, EngineError>
    where
        O: Fn() -> F + Send + Sync + 'static,
        F: Future<Output = io::Result<S>> + Send + 'static,
        S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
    {
        let place = place.into();
        let asker = Connector::new(open).into_asker();
        let docker = asker
            .docker()
            .map_err(|source| EngineError::api(&place, "set up the client", source))?;
        Ok(Self { docker, asker, place })
    }

    /// Whether the engine answers.
    ///
    /// # Errors
    ///
    /// When it does not.
    pub async fn ping(&self) -> Result<(), EngineError> {
        self.docker
            .ping()
            .await
            .map(drop)
            .map_err(self.failed("answer a ping"))
    }

    /// What messages call this engine.
    #[must_use]
    pub fn place(&self) -> &str {
        &self.place
    }

    /// The client itself, for the other files of this folder.
    pub(super) fn docker(&self) -> &Docker {
        &self.docker
    }

    /// For what bollard has no call for, or reads too strictly.
    pub(super) fn asker(&self) -> &Asker {
        &self.asker
    }

    /// Turns an API error into ours: `engine.failed("list the containers")`.
    pub(super) fn failed(&self, action: &str) -> impl FnOnce(bollard::errors::Error) -> EngineError + use<> {
        let (place, action) = (self.place.clone(), action.to_owned());
        move |source| EngineError::api(&place, &action, source)
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::expect_used, reason = "a test fails by panicking")]

    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

    use super::*;

    #[tokio::test]
    async fn an_engine_answers_over_any_byte_stream() {
        let engine = Engine::over("a pipe", || async {
            let (near, mut far) = tokio::io::duplex(4096);
            tokio::spawn(async move {
                let mut request = vec![0; 4096];
                let read = far.read(&mut request).await.unwrap_or_default();
                assert!(String::from_utf8_lossy(&request[..read]).starts_with("GET "));
                let _ = far
                    .write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nOK")
                    .await;
            });
            Ok(near)
        })
        .expect("a client");
        engine.ping().await.expect("an answer");
    }

    #[tokio::test]
    async fn an_engine_that_is_not_there_is_named_in_the_error() {
        let folder = tempfile::tempdir().expect("a folder");
        let engine = Engine::at(&folder.path().join("none.sock")).expect("a client");
        let error = engine.ping().await.expect_err("nothing listens");
        assert!(error.to_string().contains("none.sock"), "{error}");
    }
}
