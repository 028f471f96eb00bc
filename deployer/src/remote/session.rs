//! An open connection to a host: commands, TCP through it, and the stream to its engine.

use std::{io, sync::Arc, time::Duration};

use russh::{
    Channel,
    client::{Handle, Msg},
};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    time::{Instant, sleep, timeout},
};

use super::{
    connect::Guard,
    exec::{ExecError, Output, run, shown},
    forward::Forwards,
};
use crate::inventory::{EngineKind, Host};

/// Root's Podman.
const ROOTFUL_SOCKET: &str = "/run/podman/podman.sock";
/// Docker.
const DOCKER_SOCKET: &str = "/var/run/docker.sock";
/// Podman's hidden command that joins stdin and stdout to its socket; the way in for a user who may not open the socket.
pub const DIAL: &str = "exec sudo -n podman system dial-stdio";

/// Between two tries to open a session that sshd refuses.
const BUSY_PAUSE: Duration = Duration::from_millis(100);
/// The share of the deadline that is spent on such tries, so that the refusal and not the deadline is what is told.
const BUSY_SHARE: f64 = 0.8;

/// A stream of bytes through an SSH connection.
pub trait RemoteStream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<S: AsyncRead + AsyncWrite + Send + Unpin> RemoteStream for S {}

/// A stream to an engine.
pub type EngineStream = Box<dyn RemoteStream>;

/// One connection. Channels inside it are independent, but a body that nobody reads stalls all of them: whoever follows
/// a stream opens a connection of its own.
pub struct Session {
    handle: Handle<Guard>,
    host: Host,
    forwards: Forwards,
    /// Kept open as long as this connection runs through it.
    _jump: Option<Arc<Session>>,
    deadline: Duration,
}

impl Session {
    pub(super) fn new(
        handle: Handle<Guard>,
        host: Host,
        forwards: Forwards,
        jump: Option<Arc<Session>>,
        deadline: Duration,
    ) -> Self {
        Self {
            handle,
            host,
            forwards,
            _jump: jump,
            deadline,
        }
    }

    /// Where it leads.
    #[must_use]
    pub fn host(&self) -> &Host {
        &self.host
    }

    /// Whether the connection has ended.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.handle.is_closed()
    }

    /// Runs a shell command, whatever its exit status.
    ///
    /// # Errors
    ///
    /// When it did not run to its end within `deadline`.
    pub async fn exec(&self, command: &str, stdin: &[u8], deadline: Duration) -> Result<Output, ExecError> {
        let opened = timeout(self.deadline, self.session_channel()).await;
        let channel = opened
            .map_err(|_| ExecError::Deadline {
                command: shown(command),
                deadline: self.deadline,
            })?
            .map_err(|source| match source {
                russh::Error::ChannelOpenFailure(_) => ExecError::Busy {
                    command: shown(command),
                },
                source => ExecError::Connection {
                    command: shown(command),
                    source,
                },
            })?;
        run(channel, command, stdin, deadline).await
    }

    /// Runs a shell command that has to succeed.
    ///
    /// # Errors
    ///
    /// When it did not run to its end, or ended with another status than 0.
    pub async fn exec_ok(
        &self,
        command: &str,
        stdin: &[u8],
        deadline: Duration,
    ) -> Result<Output, ExecError> {
        let output = self.exec(command, stdin, deadline).await?;
        if output.success() {
            return Ok(output);
        }
        let stderr = output.error_text();
        Err(ExecError::Failed {
            command: shown(command),
            status: output.status,
            stderr,
        })
    }

    /// The words that a command of root begins with: none for root itself.
    #[must_use]
    pub fn sudo(&self) -> &'static str {
        if self.host.user == "root" { "" } else { "sudo -n " }
    }

    /// A TCP connection made by the host.
    ///
    /// # Errors
    ///
    /// When the host refuses or cannot make it.
    pub async fn open_tcp(&self, address: &str, port: u16) -> io::Result<EngineStream> {
        let opened = self
            .handle
            .channel_open_direct_tcpip(address, u32::from(port), "127.0.0.1", 0);
        let channel = self.within(opened).await?;
        Ok(Box::new(channel.into_stream()))
    }

    /// A stream to the engine of the host.
    ///
    /// # Errors
    ///
    /// When the host refuses it; `check` finds out why.
    pub async fn open_engine(&self) -> io::Result<EngineStream> {
        match self.host.engine {
            EngineKind::Podman if self.host.user == "root" => self.open_socket(ROOTFUL_SOCKET).await,
            EngineKind::Podman => self.open_command(DIAL).await,
            EngineKind::Docker => self.open_socket(DOCKER_SOCKET).await,
            EngineKind::PodmanRootless => {
                let deadline = self.deadline;
                let user = self
                    .exec_ok("id -u", b"", deadline)
                    .await
                    .map_err(io::Error::other)?;
                self.open_socket(&format!("/run/user/{}/podman/podman.sock", user.text().trim()))
                    .await
            }
        }
    }

    /// Has the host listen on a port that is free there, and gives its number.
    pub(super) async fn listen(&self, address: &str) -> io::Result<u16> {
        let port = self.within(self.handle.tcpip_forward(address, 0)).await?;
        u16::try_from(port).map_err(io::Error::other)
    }

    /// Has the host stop listening; one that is gone has.
    pub(super) async fn stop_listening(&self, address: &str, port: u16) {
        let stopped = self.handle.cancel_tcpip_forward(address, u32::from(port));
        if let Err(error) = self.within(stopped).await {
            tracing::debug!(host = self.host.name, port, %error, "the forwarded port stays open until the end");
        }
    }

    pub(super) fn forwards(&self) -> &Forwards {
        &self.forwards
    }

    async fn open_socket(&self, path: &str) -> io::Result<EngineStream> {
        let channel = self
            .within(self.handle.channel_open_direct_streamlocal(path))
            .await;
        let channel = channel.map_err(|error| io::Error::new(error.kind(), format!("{path}: {error}")))?;
        Ok(Box::new(channel.into_stream()))
    }

    async fn open_command(&self, command: &str) -> io::Result<EngineStream> {
        let channel = self.within(self.session_channel()).await?;
        self.within(channel.exec(true, command)).await?;
        Ok(Box::new(channel.into_stream()))
    }

    /// A session channel. sshd holds only so many at once (MaxSessions, 10 by default): one that is refused is asked for
    /// again, for others end soon or are idle connections to the engine that close by themselves.
    async fn session_channel(&self) -> Result<Channel<Msg>, russh::Error> {
        let until = Instant::now() + self.deadline.mul_f64(BUSY_SHARE);
        loop {
            match self.handle.channel_open_session().await {
                Err(russh::Error::ChannelOpenFailure(_))
                    if Instant::now() < until && !self.handle.is_closed() =>
                {
                    sleep(BUSY_PAUSE).await;
                }
                opened => return opened,
            }
        }
    }

    async fn within<T>(&self, work: impl Future<Output = Result<T, russh::Error>>) -> io::Result<T> {
        timeout(self.deadline, work)
            .await
            .map_err(|_| io::Error::new(io::ErrorKind::TimedOut, "the host did not open a channel in time"))?
            .map_err(io::Error::other)
    }

    /// Says goodbye; a connection that is gone already is no error.
    pub async fn close(&self) {
        let goodbye = self
            .handle
            .disconnect(russh::Disconnect::ByApplication, "done", "");
        let _ = timeout(self.deadline, goodbye).await;
    }
}
