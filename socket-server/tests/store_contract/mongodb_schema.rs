//! Documents of an earlier release, and of a later one.

use mongodb::bson::{DateTime, Document, doc};
use socket_server::store::{EventStore as _, Store as _, StoreError};

use crate::{
    fixture::{NOON, account, api_key, batch, host},
    mongodb_server::MongoServer,
};

/// What the first release left behind: no number, and dropped ranges that never go.
async fn first_release(server: &MongoServer, name: &str) -> mongodb::Database {
    let database = server.client().await.database(name);
    let insert = async |collection: &str, document: Document| {
        let into = database.collection::<Document>(collection);
        into.insert_one(document).await.expect("inserts");
    };
    let id = host("one", "ada").id.0;
    insert(
        "users",
        doc! {
            "_id": account("ada").id.0, "id": account("ada").id.0, "name": "ada", "name_lower": "ada",
            "password_hash": "$2b$04$nothing", "created_unix_ms": NOON, "first": true,
        },
    )
    .await;
    insert(
        "settled",
        doc! { "_id": format!("{id}/epoch-1"), "host": &id, "ranges": [[1_i64, 9_i64]], "version": 3_i64 },
    )
    .await;
    for (first, to) in [(1_i64, NOON + 5_000), (6, i64::MAX)] {
        insert(
            "dropped",
            doc! {
                "_id": format!("{id}/epoch-1/{first}"), "host": &id, "first_seq": first, "last_seq": first + 3,
                "from_unix_ms": NOON, "to_unix_ms": to, "reason": "spool_full",
            },
        )
        .await;
    }
    insert(
        "answers",
        doc! { "_id": format!("{id}/{NOON}/os"), "host": &id, "kind": "os", "expires": DateTime::from_millis(i64::MAX >> 16) },
    )
    .await;
    insert(
        "meta",
        doc! { "_id": "kept_from_hour", "time": DateTime::from_millis(NOON) },
    )
    .await;
    database
}

#[tokio::test]
async fn documents_of_the_first_release_are_migrated_once_by_whoever_comes_first() {
    let server = MongoServer::start().await;
    let name = format!("migrated_{}", std::process::id());
    let database = first_release(&server, &name).await;
    let (left, right) = tokio::join!(server.connect(&name), server.connect(&name));
    let (left, right) = (left.expect("connects"), right.expect("connects"));

    let meta = database.collection::<Document>("meta");
    let number = meta.find_one(doc! { "_id": "schema" }).await;
    let number = number.expect("reads").expect("is written down");
    assert_eq!(number.get_i64("version").expect("a number"), 3);
    let answers = left.answers(&host("one", "ada").id).await.expect("lists");
    assert_eq!(answers, [], "they were on their way out");
    let dropped = database.collection::<Document>("dropped");
    let lasting = dropped.count_documents(doc! { "expires": { "$exists": false } });
    assert_eq!(lasting.await.expect("counts"), 0);

    let id = host("one", "ada").id;
    assert_eq!(
        left.account_by_name("Ada")
            .await
            .expect("reads")
            .expect("is there")
            .id,
        account("ada").id
    );
    assert_eq!(left.dropped(&id, NOON, NOON + 1).await.expect("reads").len(), 2);
    right.append(&[batch("one", 8..12)]).await.expect("appends");
    let settled = left.settled(&id, "epoch-1").await.expect("reads");
    assert_eq!(settled.iter().collect::<Vec<_>>(), [(1, 11)]);
    right
        .create_api_key(api_key("one", "ada"))
        .await
        .expect("creates");
    database.drop().await.expect("cleans up");
}

#[tokio::test]
async fn documents_of_a_later_release_are_refused_and_left_alone() {
    let server = MongoServer::start().await;
    let name = format!("later_{}", std::process::id());
    let database = server.client().await.database(&name);
    let meta = database.collection::<Document>("meta");
    meta.insert_one(doc! { "_id": "schema", "version": 99_i64 })
        .await
        .expect("inserts");
    match server.connect(&name).await {
        Err(StoreError::Refused { reason }) => assert!(reason.contains("newer release"), "{reason}"),
        Err(other) => panic!("{other}"),
        Ok(_) => panic!("was taken"),
    }
    let names = database.list_collection_names().await.expect("lists");
    assert_eq!(names, ["meta"]);
    database.drop().await.expect("cleans up");
}
