//! What a scenario puts under load: our server, or the peer that does the same work beside it.

use std::{net::SocketAddr, time::Duration};

use tokio::net::TcpStream;
use tokio_tungstenite::WebSocketStream;

use super::{ScenarioError, Stage};
use crate::{
    context::Context,
    load::{Dialect, FleetLoad, FleetPlan, LoadError, connect_peer_viewer, connect_viewer},
    peer::{Peer, PeerProcess},
    process::Cost,
};

/// A server under load.
pub(super) enum Subject {
    /// Ours, with a store and an account.
    Ours(Stage),
    /// A lean relay.
    Peer(PeerProcess),
}

impl Subject {
    /// A fresh server of ours.
    ///
    /// # Errors
    /// When it cannot be started or set up.
    pub(super) async fn ours(context: &Context) -> Result<Self, ScenarioError> {
        Ok(Self::Ours(Stage::open(&context.program("socket-server")).await?))
    }

    /// A fresh peer.
    ///
    /// # Errors
    /// When it cannot be started.
    pub(super) async fn peer(context: &Context, peer: Peer) -> Result<Self, ScenarioError> {
        let process = PeerProcess::start(&context.project, peer).await?;
        context.say(format_args!("the same with {}", process.name));
        Ok(Self::Peer(process))
    }

    /// What figures call it.
    pub(super) fn name(&self) -> &str {
        match self {
            Self::Ours(_) => "socket-server",
            Self::Peer(process) => &process.name,
        }
    }

    /// Its cost so far.
    ///
    /// # Errors
    /// When it has ended.
    pub(super) fn cost(&self) -> Result<Cost, ScenarioError> {
        Ok(match self {
            Self::Ours(stage) => stage.server.cost()?,
            Self::Peer(process) => process.cost()?,
        })
    }

    /// Memory that it keeps. Garbage of the peer's is collected first: it would be sooner or later.
    ///
    /// # Errors
    /// When it has ended.
    pub(super) async fn kept_bytes(&mut self) -> Result<u64, ScenarioError> {
        Ok(match self {
            Self::Ours(stage) => stage.server.cost()?.resident_bytes,
            Self::Peer(process) => process.collected_bytes().await?,
        })
    }

    /// Kills it and starts it again; ours finds its store as it was, the peer keeps nothing.
    ///
    /// # Errors
    /// When it cannot be started again.
    pub(super) async fn restart(self, context: &Context) -> Result<Self, ScenarioError> {
        match self {
            Self::Ours(stage) => Ok(Self::Ours(stage.restart().await?)),
            Self::Peer(process) => {
                let peer = process.peer;
                process.kill().await;
                Ok(Self::Peer(PeerProcess::start(&context.project, peer).await?))
            }
        }
    }

    /// Whether it says which samples it keeps for good.
    pub(super) fn acknowledges(&self) -> bool {
        matches!(self, Self::Ours(_))
    }

    /// Connects hosts to it. With an `interval` they send.
    ///
    /// # Errors
    /// When one cannot connect.
    pub(super) async fn hosts(
        &self,
        hosts: usize,
        interval: Option<Duration>,
        epoch: &str,
    ) -> Result<FleetLoad, LoadError> {
        let (api_key, dialect) = match self {
            Self::Ours(stage) => (stage.api_key.clone(), Dialect::Plain),
            Self::Peer(process) => (String::new(), process.peer.dialect()),
        };
        FleetLoad::start(FleetPlan {
            server: self.address(),
            api_key,
            hosts,
            interval,
            epoch: epoch.to_owned(),
            dialect,
        })
        .await
    }

    /// Connects a viewer to it.
    ///
    /// # Errors
    /// When it cannot connect.
    pub(super) async fn viewer(&self, index: usize) -> Result<WebSocketStream<TcpStream>, LoadError> {
        match self {
            Self::Ours(stage) => connect_viewer(stage.server.address, &stage.api, index).await,
            Self::Peer(process) => connect_peer_viewer(process.address, process.peer.dialect(), index).await,
        }
    }

    /// Ends it.
    pub(super) async fn close(self) {
        match self {
            Self::Ours(stage) => stage.close().await,
            Self::Peer(process) => process.kill().await,
        }
    }

    fn address(&self) -> SocketAddr {
        match self {
            Self::Ours(stage) => stage.server.address,
            Self::Peer(process) => process.address,
        }
    }
}
