//! The contract on MongoDB, over a real wire.

use std::sync::Arc;

use socket_server::store::{StoreError, mongodb::MongoStore, retention::Retention};

use crate::{cases, mongodb_server::MongoServer};

#[tokio::test]
async fn the_mongodb_store_keeps_the_contract() {
    let server = MongoServer::start().await;
    for (number, (name, case)) in cases::all().into_iter().enumerate() {
        cases::say(name);
        let database = format!("contract_{}_{number}", std::process::id());
        case(Arc::new(server.store(&database).await)).await;
    }
    for (number, (name, case)) in cases::moves_with_rollups().into_iter().enumerate() {
        cases::say(name);
        let database = format!("moves_{}_{number}", std::process::id());
        case(Arc::new(server.store(&database).await)).await;
    }
}

#[tokio::test]
async fn a_server_that_is_not_there_is_unavailable_in_words() {
    // Nothing listens on the discard port of the loopback.
    let address = "mongodb://127.0.0.1:9/?directConnection=true&serverSelectionTimeoutMS=100";
    let refused = MongoStore::connect(address, None, Retention::default()).await;
    assert!(matches!(refused.err(), Some(StoreError::Unavailable { .. })));
}
