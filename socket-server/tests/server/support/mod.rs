//! A server, a host and a viewer for tests.

mod faulty_store;
mod http_client;
mod test_node;
mod test_server;
mod test_viewer;

use std::{future::Future, time::Duration};

pub(crate) use faulty_store::FaultyStore;
pub(crate) use http_client::{Answer, Http};
pub(crate) use test_node::{TestNode, hello, sample};
pub(crate) use test_server::{NAME, PASSWORD, TestServer, test_config, token_of};
pub(crate) use test_viewer::{TestViewer, refusal, ticket};

/// Longest wait for anything: the machine may be busy with other tests.
pub(crate) const PATIENCE: Duration = Duration::from_secs(180);

/// Waits for something that must happen.
pub(crate) async fn soon<T>(what: &str, event: impl Future<Output = T>) -> T {
    match tokio::time::timeout(PATIENCE, event).await {
        Ok(value) => value,
        Err(_) => panic!("{what} did not happen within {PATIENCE:?}"),
    }
}

/// Asks again until the condition holds.
pub(crate) async fn until<F: Future<Output = bool>>(what: &str, mut condition: impl FnMut() -> F) {
    soon(what, async {
        while !condition().await {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    })
    .await;
}
