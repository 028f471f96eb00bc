//! A server on port 0 with a memory store and cheap passwords.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use metric_flow_lifecycle::{Drained, Shutdown};
use serde_json::json;
use socket_server::{
    Server, ServerError,
    accounts::AccountsPolicy,
    config::{Config, StoreLocation},
    store::memory::MemoryStore,
};
use tokio::{net::TcpListener, task::JoinHandle};

use super::{Answer, FaultyStore, Http, soon};

pub(crate) const NAME: &str = "ada";
pub(crate) const PASSWORD: &str = "correct horse battery";

/// A running server.
pub(crate) struct TestServer {
    pub(crate) address: SocketAddr,
    pub(crate) store: Arc<FaultyStore>,
    pub(crate) setup_token: Option<String>,
    shutdown: Shutdown,
    task: JoinHandle<Result<Drained, ServerError>>,
}

/// The configuration that tests start from: as in use, with the least work for bcrypt.
pub(crate) fn test_config() -> Config {
    Config {
        store: StoreLocation::Memory,
        shutdown_deadline: Duration::from_secs(60),
        accounts: AccountsPolicy {
            bcrypt_cost: 4,
            ..AccountsPolicy::default()
        },
        ..Config::default()
    }
}

impl TestServer {
    pub(crate) async fn start() -> Self {
        Self::with(test_config()).await
    }

    pub(crate) async fn with(config: Config) -> Self {
        Self::on(config, Arc::new(FaultyStore::new(MemoryStore::default()))).await
    }

    /// A server on a store that may hold something already.
    pub(crate) async fn on(config: Config, store: Arc<FaultyStore>) -> Self {
        let shutdown = Shutdown::new();
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("an address");
        let server = Server::build(config, store.clone(), shutdown.clone())
            .await
            .expect("built");
        let setup_token = server.open_setup().await.expect("the store works");
        let task = tokio::spawn(server.serve(listener));
        Self {
            address,
            store,
            setup_token,
            shutdown,
            task,
        }
    }

    /// Sends a request.
    pub(crate) async fn send(&self, request: Http) -> Answer {
        request.send(self.address).await
    }

    /// The server's origin, as a browser sends it.
    pub(crate) fn origin(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Makes the first account and returns the answer.
    pub(crate) async fn set_up(&self) -> Answer {
        let token = self.setup_token.as_deref().expect("a fresh server");
        let body = json!({ "token": token, "name": NAME, "password": PASSWORD });
        let answer = self.send(Http::new("POST", "/api/v1/setup").json(&body)).await;
        assert_eq!(answer.status, 200, "{answer:?}");
        answer
    }

    /// Makes the first account and returns its access token.
    pub(crate) async fn account(&self) -> String {
        token_of(&self.set_up().await)
    }

    /// Makes a further account and returns its access token.
    pub(crate) async fn other_account(&self, name: &str) -> String {
        let body = json!({ "name": name, "password": PASSWORD });
        let answer = self.send(Http::new("POST", "/api/v1/register").json(&body)).await;
        assert_eq!(answer.status, 200, "{answer:?}");
        token_of(&answer)
    }

    /// Makes a key; returns its id and the key itself.
    pub(crate) async fn key(&self, token: &str) -> (String, String) {
        let request = Http::new("POST", "/api/v1/keys")
            .bearer(token)
            .json(&json!({ "label": "lab" }));
        let answer = self.send(request).await;
        assert_eq!(answer.status, 201, "{answer:?}");
        let text = |name: &str| answer.json()[name].as_str().expect("a text").to_owned();
        (text("id"), text("key"))
    }

    /// The hosts of an account.
    pub(crate) async fn hosts(&self, token: &str) -> Vec<serde_json::Value> {
        let answer = self.send(Http::new("GET", "/api/v1/hosts").bearer(token)).await;
        answer.json()["hosts"].as_array().expect("a list").clone()
    }

    /// Begins the end.
    pub(crate) fn begin_end(&self) {
        self.shutdown.begin();
    }

    /// Ends the server and says how that went.
    pub(crate) async fn end(self) -> Drained {
        self.shutdown.begin();
        soon("the server's end", self.task)
            .await
            .expect("no panic")
            .expect("served")
    }
}

/// The access token of an answer.
pub(crate) fn token_of(answer: &Answer) -> String {
    answer.json()["access_token"]
        .as_str()
        .expect("an access token")
        .to_owned()
}
