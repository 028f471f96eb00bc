//! SSH: one connection per host, commands and the engine's API as streams inside it. The only user of russh.

mod authenticate;
mod connect;
mod exec;
mod forward;
mod host_key;
mod known_hosts;
mod quote;
mod session;

pub use connect::{ConnectError, Connector, offered_key};
pub use exec::{ExecError, Output};
pub use forward::Forward;
pub use host_key::{HostKeyError, OfferedKey};
pub use known_hosts::{KnownHosts, Verdict, record};
pub use quote::quote;
pub use session::{DIAL, EngineStream, RemoteStream, Session};
