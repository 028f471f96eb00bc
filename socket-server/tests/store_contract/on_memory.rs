//! The contract on the memory store.

use std::sync::Arc;

use socket_server::store::memory::MemoryStore;

use crate::cases;

#[tokio::test]
async fn the_memory_store_keeps_the_contract() {
    for (name, case) in cases::all() {
        eprintln_case(name);
        case(Arc::new(MemoryStore::default())).await;
    }
}

/// Says which case runs, so that a failure names it; shown only for a failed test.
fn eprintln_case(name: &str) {
    use std::io::Write as _;
    writeln!(std::io::stderr(), "case: {name}").expect("stderr can be written");
}
