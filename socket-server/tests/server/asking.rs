//! Questions to a host: answered over the connection that it keeps open, or refused in words.

use metric_flow_lifecycle::now_unix_ms;
use metric_flow_protocol::node::{Answer, NodeBody, Question, Request, ServerBody};
use serde_json::json;
use socket_server::config::Config;

use crate::support::{Http, TestNode, TestServer, hello, test_config, until};

fn question(host: &str, what: &str, token: &str) -> Http {
    Http::new("GET", &format!("/api/v1/hosts/{host}/ask/{what}")).bearer(token)
}

fn last_answer(host: &str, what: &str, token: &str) -> Http {
    Http::new("GET", &format!("/api/v1/hosts/{host}/answers/{what}")).bearer(token)
}

async fn asked(node: &mut TestNode) -> Request {
    loop {
        match node.listen().await {
            Ok(ServerBody::Request(request)) => return request,
            Ok(_) => {}
            Err(close) => panic!("closed before the question came: {close:?}"),
        }
    }
}

#[tokio::test]
async fn a_host_answers_a_question() {
    let server = TestServer::start().await;
    let token = server.account().await;
    let (_, key) = server.key(&token).await;
    let mut node = TestNode::join(server.address, &key, hello("m1", "e1")).await;
    let host = node.welcome.host_id.clone();
    let answering = async {
        let request = asked(&mut node).await;
        assert_eq!(request.question(), Question::Processes);
        // An answer to a question that nobody asked is skipped.
        for request_id in [request.request_id + 7, request.request_id] {
            let json = json!({ "processes": [{ "name": "init" }] }).to_string();
            let answer = Answer {
                request_id,
                json,
                ..Answer::default()
            };
            node.say(NodeBody::Answer(answer)).await;
        }
    };
    let (answer, ()) = tokio::join!(server.send(question(&host, "processes", &token)), answering);
    assert_eq!(answer.status, 200, "{answer:?}");
    assert_eq!(answer.json()["processes"][0]["name"], json!("init"));
}

/// Asks for the disks, which the host answers with a number.
async fn disks(server: &TestServer, token: &str, node: &mut TestNode, number: u64) -> u16 {
    let host = node.welcome.host_id.clone();
    let answering = async {
        let answer = Answer {
            request_id: asked(node).await.request_id,
            json: json!({ "number": number }).to_string(),
            ..Answer::default()
        };
        node.say(NodeBody::Answer(answer)).await;
    };
    let (answer, ()) = tokio::join!(server.send(question(&host, "disks", token)), answering);
    answer.status
}

#[tokio::test]
async fn the_last_answer_is_there_with_its_time_while_the_host_is_away() {
    let server = TestServer::with(Config {
        registration_open: true,
        ..test_config()
    })
    .await;
    let token = server.account().await;
    let (_, key) = server.key(&token).await;
    let mut node = TestNode::join(server.address, &key, hello("m1", "e1")).await;
    let host = node.welcome.host_id.clone();
    let none = server.send(last_answer(&host, "disks", &token)).await;
    assert_eq!((none.status, none.code().as_str()), (404, "never_asked"));

    let before_unix_ms = now_unix_ms();
    for number in [1, 2] {
        assert_eq!(disks(&server, &token, &mut node, number).await, 200);
    }
    drop(node);
    until("the host is away", async || {
        server.hosts(&token).await[0]["online"] == json!(false)
    })
    .await;
    let kept = server.send(last_answer(&host, "disks", &token)).await.json();
    assert_eq!(
        (&kept["question"], &kept["answer"]["number"]),
        (&json!("disks"), &json!(2))
    );
    let answered_unix_ms = kept["answered_unix_ms"].as_i64().expect("a time");
    assert!(
        (before_unix_ms..=now_unix_ms()).contains(&answered_unix_ms),
        "{kept}"
    );

    let other = server.other_account("bob").await;
    assert_eq!(server.send(last_answer(&host, "disks", &other)).await.status, 404);
    assert_eq!(
        server.send(last_answer(&host, "disks", "made-up")).await.status,
        401
    );
}

#[tokio::test]
async fn a_store_that_takes_nothing_keeps_no_answer_from_whoever_asked() {
    let server = TestServer::start().await;
    let token = server.account().await;
    let (_, key) = server.key(&token).await;
    let mut node = TestNode::join(server.address, &key, hello("m1", "e1")).await;
    let host = node.welcome.host_id.clone();
    assert_eq!(disks(&server, &token, &mut node, 1).await, 200);
    server.store.fail(true);
    assert_eq!(disks(&server, &token, &mut node, 2).await, 200);
    let kept = server.send(last_answer(&host, "disks", &token)).await;
    assert_eq!(kept.json()["answer"]["number"], json!(1));
}

#[tokio::test]
async fn a_question_without_an_answer_says_why() {
    let server = TestServer::start().await;
    let token = server.account().await;
    let (_, key) = server.key(&token).await;
    let mut node = TestNode::join(server.address, &key, hello("m1", "e1")).await;
    let host = node.welcome.host_id.clone();
    let told = async |what: &str, of: &str| {
        let answer = server.send(question(of, what, &token)).await;
        let code = answer.json()["error"]["code"].as_str().map(str::to_owned);
        (answer.status, code.expect("a code"))
    };
    assert_eq!(told("passwords", &host).await, (400, "bad_request".to_owned()));
    assert_eq!(told("os", "nobody").await, (404, "not_found".to_owned()));
    let kept = server.send(last_answer(&host, "passwords", &token)).await;
    assert_eq!((kept.status, kept.code().as_str()), (400, "bad_request"));
    let refusing = async {
        let request_id = asked(&mut node).await.request_id;
        let answer = Answer {
            request_id,
            error: "no engine".to_owned(),
            ..Answer::default()
        };
        node.say(NodeBody::Answer(answer)).await;
    };
    let (refused, ()) = tokio::join!(told("containers", &host), refusing);
    assert_eq!(refused, (502, "unavailable".to_owned()));
    // It hears the question and says nothing.
    let (late, _) = tokio::join!(told("disks", &host), asked(&mut node));
    assert_eq!(late, (504, "no_answer".to_owned()));
    // It goes while it is asked.
    let leaving = async {
        asked(&mut node).await;
        drop(node);
    };
    let (gone, ()) = tokio::join!(told("network", &host), leaving);
    assert_eq!(gone, (404, "host_offline".to_owned()));
    assert_eq!(told("os", &host).await, (404, "host_offline".to_owned()));
    let other = server.send(question(&host, "os", "made-up")).await;
    assert_eq!(other.status, 401);
}
