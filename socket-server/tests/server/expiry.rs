//! The end of a key and of a log-in closes the sockets that were opened with it.

use std::time::Duration;

use metric_flow_lifecycle::now_unix_ms;
use socket_server::{accounts::AccountsPolicy, config::Config, store::Store as _};

use crate::support::{TestNode, TestServer, TestViewer, hello, test_config};

/// Long enough to open a socket on a busy machine.
const LIFE: Duration = Duration::from_secs(15);

#[tokio::test]
async fn the_end_of_a_key_closes_its_host() {
    let server = TestServer::start().await;
    let token = server.account().await;
    let (id, key) = server.key(&token).await;
    let account = server
        .store
        .account_by_name(crate::support::NAME)
        .await
        .expect("works")
        .expect("there");
    let mut keys = server.store.api_keys(&account.id).await.expect("works");
    let mut record = keys.pop().expect("the key");
    assert_eq!(record.id.0, id);
    server
        .store
        .revoke_api_key(&account.id, &record.id)
        .await
        .expect("works");
    record.expires_unix_ms = Some(now_unix_ms() + i64::try_from(LIFE.as_millis()).expect("small"));
    server.store.create_api_key(record).await.expect("works");
    let mut node = TestNode::join(server.address, &key, hello("m1", "e1")).await;
    let (code, reason) = node.closed().await;
    assert_eq!(code, 1008);
    assert!(reason.contains("expired"), "{reason}");
}

#[tokio::test]
async fn the_end_of_a_log_in_closes_its_viewers() {
    let config = test_config();
    let accounts = AccountsPolicy {
        session_life: LIFE,
        ..config.accounts
    };
    let server = TestServer::with(Config { accounts, ..config }).await;
    let token = server.account().await;
    let mut viewer = TestViewer::watch(&server, &token).await;
    assert_eq!(viewer.closed().await, Some(1008));
}
