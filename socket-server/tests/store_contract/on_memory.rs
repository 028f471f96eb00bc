//! The contract on the memory store.

use std::sync::Arc;

use socket_server::store::memory::MemoryStore;

use crate::cases;

#[tokio::test]
async fn the_memory_store_keeps_the_contract() {
    for (name, case) in cases::all() {
        cases::say(name);
        case(Arc::new(MemoryStore::default())).await;
    }
    for (name, case) in cases::moves() {
        cases::say(name);
        case(Arc::new(MemoryStore::default())).await;
    }
}
