//! Connecting: deadlines on every part, a bounded number of handshakes at once, a retry when sshd resets one.

use std::{
    borrow::Cow,
    collections::BTreeMap,
    io,
    sync::{Arc, PoisonError},
    time::Duration,
};

use rand::RngExt as _;
use russh::{
    Channel,
    client::{self, ChannelOpenHandle, Handle, Msg},
    keys::{PublicKey, PublicKeyOrCertificate},
};
use tokio::{
    net::TcpStream,
    sync::{Mutex, OnceCell, Semaphore},
    time::timeout,
};

use super::{
    authenticate::{AuthenticateError, authenticate},
    forward::{Forwards, hand_over},
    host_key::{HostKeyError, OfferedKey, Policy},
    known_hosts::KnownHosts,
    session::Session,
};
use crate::inventory::{Host, Inventory};

/// Handshakes at once. sshd's MaxStartups begins to drop at 10, and all hosts may stand behind one jump host.
const HANDSHAKES: usize = 8;
/// Tries of one handshake that is reset: sshd drops at random above MaxStartups, and a booting host resets too.
const TRIES: u32 = 5;
/// The pause before the second try; it doubles, and half of it is random so that hosts do not come back together.
const FIRST_PAUSE: Duration = Duration::from_millis(200);
/// Keepalives that are sent into a silence of the length of the deadline; one more without an answer ends the connection.
const KEEPALIVES: u32 = 3;
/// The window of a channel: large enough that an image transfer is not held up by round trips.
const WINDOW_BYTES: u32 = 8 * 1024 * 1024;

/// Why there is no connection.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// A deadline passed.
    #[error("no answer within {} s while {doing}", deadline.as_secs())]
    Deadline {
        /// What was waited for.
        doing: &'static str,
        /// How long.
        deadline: Duration,
    },
    /// The network says no.
    #[error("{address}:{port} cannot be reached: {source}")]
    Network {
        /// Where to.
        address: String,
        /// Which port.
        port: u16,
        /// Why not.
        source: io::Error,
    },
    /// The host is not who it should be.
    #[error(transparent)]
    HostKey(#[from] HostKeyError),
    /// known_hosts cannot be read.
    #[error("known_hosts cannot be read: {0}")]
    KnownHosts(#[source] io::Error),
    /// The host does not let us in.
    #[error(transparent)]
    Authenticate(#[from] AuthenticateError),
    /// The jump host does not let us through.
    #[error("the way through the jump host `{jump}` is closed: {reason}")]
    Jump {
        /// Its name.
        jump: String,
        /// Why.
        reason: String,
    },
    /// Anything else of the protocol.
    #[error("the SSH handshake failed: {0}")]
    Handshake(#[source] russh::Error),
}

impl ConnectError {
    /// What a person can do about it.
    #[must_use]
    pub fn hint(&self, host: &str) -> String {
        match self {
            Self::HostKey(HostKeyError::Unknown { .. }) => {
                format!("compare the fingerprint with the host's own, then `deployer trust --host {host}`")
            }
            Self::HostKey(HostKeyError::Changed { .. }) => {
                "if the machine was made anew, remove the old key where it is recorded and record the new one with `deployer trust`; if not, someone may be listening".to_owned()
            }
            Self::HostKey(_) => "pin the right key as `host_key` in hosts.toml".to_owned(),
            Self::Authenticate(_) => {
                "put the public key into ~/.ssh/authorized_keys of that user, or name the right `identity_file` and `user`".to_owned()
            }
            Self::Network { .. } | Self::Deadline { .. } => {
                "is it switched on, is the address right, does its firewall let ssh in?".to_owned()
            }
            _ => format!("try `ssh -v` to {host}"),
        }
    }

    /// Whether trying again may help: a reset or a refusal by MaxStartups, not a wrong key.
    fn is_passing(&self) -> bool {
        use io::ErrorKind::{BrokenPipe, ConnectionAborted, ConnectionReset, UnexpectedEof};
        let passing = |error: &io::Error| {
            matches!(
                error.kind(),
                ConnectionReset | ConnectionAborted | BrokenPipe | UnexpectedEof
            )
        };
        match self {
            Self::Network { source, .. } => passing(source),
            Self::Handshake(russh::Error::IO(source)) => passing(source),
            Self::Handshake(error) => matches!(error, russh::Error::Disconnect | russh::Error::HUP),
            Self::Authenticate(AuthenticateError::Broken(error)) => {
                matches!(
                    error,
                    russh::Error::Disconnect | russh::Error::HUP | russh::Error::SendError
                )
            }
            _ => false,
        }
    }
}

/// Answers russh's question about the host key, and keeps the reason when the answer is no.
pub(super) struct Guard {
    policy: Policy,
    refusal: Arc<Mutex<Option<HostKeyError>>>,
    seen: Arc<Mutex<Option<OfferedKey>>>,
    forwards: Forwards,
}

impl client::Handler for Guard {
    type Error = russh::Error;

    async fn check_server_key(&mut self, offered: &PublicKeyOrCertificate) -> Result<bool, Self::Error> {
        let (key, judged) = match offered {
            PublicKeyOrCertificate::PublicKey { key, .. } => (key.clone(), self.policy.check(key)),
            PublicKeyOrCertificate::Certificate(certificate) => (
                PublicKey::new(certificate.public_key().clone(), ""),
                self.policy.check_certificate(certificate),
            ),
        };
        *self.seen.lock().await = Some(OfferedKey::from(&key));
        match judged {
            Ok(()) => Ok(true),
            Err(refusal) => {
                *self.refusal.lock().await = Some(refusal);
                Ok(false)
            }
        }
    }

    async fn server_channel_open_forwarded_tcpip(
        &mut self,
        channel: Channel<Msg>,
        _connected_address: &str,
        connected_port: u32,
        _originator_address: &str,
        _originator_port: u32,
        reply: ChannelOpenHandle,
        _session: &mut client::Session,
    ) -> Result<(), Self::Error> {
        // Without a place the reply is dropped, which refuses the connection.
        if let Some(place) = self.forwards.place(connected_port) {
            reply.accept().await;
            hand_over(place, channel);
        }
        Ok(())
    }
}

/// Makes connections to the hosts of one inventory.
#[derive(Clone)]
pub struct Connector {
    handshakes: Arc<Semaphore>,
    known: KnownHosts,
    deadline: Duration,
    jumps: Arc<Jumps>,
}

/// The connections to jump hosts, by name. All hosts behind one share it: its sshd sees one log-in, not twenty.
type Jumps = std::sync::Mutex<BTreeMap<String, Arc<OnceCell<Arc<Session>>>>>;

impl Connector {
    /// A connector with the known_hosts of this user.
    ///
    /// # Errors
    ///
    /// When a known_hosts file exists and cannot be read.
    pub fn new(deadline: Duration) -> Result<Self, ConnectError> {
        let known = KnownHosts::standard().map_err(ConnectError::KnownHosts)?;
        Ok(Self {
            handshakes: Arc::new(Semaphore::new(HANDSHAKES)),
            known,
            deadline,
            jumps: Arc::default(),
        })
    }

    /// Connects and logs in, through the jump host if the host has one.
    ///
    /// # Errors
    ///
    /// The cause, after the retries that can help.
    pub async fn connect(&self, host: &Host, inventory: &Inventory) -> Result<Session, ConnectError> {
        let jump = match host.jump.as_deref().and_then(|jump| inventory.gate(jump)) {
            None => None,
            Some(jump) => Some(self.jump(jump).await?),
        };
        self.retrying(host, jump).await
    }

    async fn jump(&self, jump: &Host) -> Result<Arc<Session>, ConnectError> {
        let cell = {
            let mut jumps = self.jumps.lock().unwrap_or_else(PoisonError::into_inner);
            let cell = jumps.entry(jump.name.clone()).or_default();
            // One that has ended is of no use to a host that is connected again.
            if cell.get().is_some_and(|session| session.is_closed()) {
                *cell = Arc::default();
            }
            Arc::clone(cell)
        };
        let connecting = cell.get_or_try_init(|| async { self.retrying(jump, None).await.map(Arc::new) });
        let closed = |error: ConnectError| ConnectError::Jump {
            jump: jump.name.clone(),
            reason: error.to_string(),
        };
        connecting.await.map(Arc::clone).map_err(closed)
    }

    async fn retrying(&self, host: &Host, jump: Option<Arc<Session>>) -> Result<Session, ConnectError> {
        let mut pause = FIRST_PAUSE;
        let mut attempt = 1;
        loop {
            // A closed semaphore cannot happen: nothing closes it, and without a permit the bound is only softer.
            let permit = self.handshakes.acquire().await.ok();
            let outcome = self.once(host, jump.clone()).await;
            drop(permit);
            match outcome {
                Err(error) if error.is_passing() && attempt < TRIES => {
                    tracing::debug!(host = host.name, attempt, %error, "the handshake broke; trying again");
                    let jitter = rand::rng().random_range(0.5..1.0);
                    tokio::time::sleep(pause.mul_f64(jitter)).await;
                    pause *= 2;
                    attempt += 1;
                }
                other => return other,
            }
        }
    }

    async fn once(&self, host: &Host, jump: Option<Arc<Session>>) -> Result<Session, ConnectError> {
        let policy = Policy::of(host, &self.known)?;
        let forwards = Forwards::default();
        let shaken = handshake(host, jump.as_deref(), policy, forwards.clone(), self.deadline);
        let (mut handle, _) = shaken.await?;
        let doing = "logging in";
        timeout(self.deadline, authenticate(&mut handle, host))
            .await
            .map_err(|_| ConnectError::Deadline {
                doing,
                deadline: self.deadline,
            })??;
        Ok(Session::new(handle, host.clone(), forwards, jump, self.deadline))
    }
}

/// The key that a host shows, without trusting it and without logging in.
///
/// # Errors
///
/// When there is no connection.
pub async fn offered_key(host: &Host, deadline: Duration) -> Result<OfferedKey, ConnectError> {
    let (_, seen) = handshake(host, None, Policy::LookOnly, Forwards::default(), deadline).await?;
    seen.ok_or(ConnectError::Handshake(russh::Error::UnknownKey))
}

async fn handshake(
    host: &Host,
    jump: Option<&Session>,
    policy: Policy,
    forwards: Forwards,
    deadline: Duration,
) -> Result<(Handle<Guard>, Option<OfferedKey>), ConnectError> {
    let config = Arc::new(client::Config {
        nodelay: true,
        keepalive_interval: Some(deadline / KEEPALIVES),
        keepalive_max: KEEPALIVES as usize,
        window_size: WINDOW_BYTES,
        preferred: russh::Preferred {
            key: policy.algorithms(),
            host_key_certificates: policy.certificates(),
            // Images are compressed or not by their layers; compressing again costs more than it saves.
            compression: Cow::Borrowed(&[russh::compression::NONE]),
            ..russh::Preferred::DEFAULT
        },
        ..client::Config::default()
    });
    let refusal = Arc::new(Mutex::new(None));
    let seen = Arc::new(Mutex::new(None));
    let guard = Guard {
        policy,
        refusal: Arc::clone(&refusal),
        seen: Arc::clone(&seen),
        forwards,
    };
    let late = |doing| move |_| ConnectError::Deadline { doing, deadline };
    let connected = match jump {
        Some(jump) => {
            let stream =
                jump.open_tcp(&host.address, host.port)
                    .await
                    .map_err(|error| ConnectError::Jump {
                        jump: jump.host().name.clone(),
                        reason: error.to_string(),
                    })?;
            let handshake = client::connect_stream(config, stream, guard);
            timeout(deadline, handshake)
                .await
                .map_err(late("shaking hands"))?
        }
        None => {
            let network = |source| ConnectError::Network {
                address: host.address.clone(),
                port: host.port,
                source,
            };
            let stream = timeout(deadline, TcpStream::connect((host.address.as_str(), host.port)))
                .await
                .map_err(late("connecting"))?
                .map_err(network)?;
            stream.set_nodelay(true).map_err(network)?;
            timeout(deadline, client::connect_stream(config, stream, guard))
                .await
                .map_err(late("shaking hands"))?
        }
    };
    match connected {
        Ok(handle) => Ok((handle, seen.lock().await.clone())),
        Err(error) => match refusal.lock().await.take() {
            Some(refusal) => Err(refusal.into()),
            None => Err(ConnectError::Handshake(error)),
        },
    }
}
