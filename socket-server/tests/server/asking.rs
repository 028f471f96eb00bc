//! Questions to a host: answered over the connection that it keeps open, or refused in words.

use metric_flow_protocol::node::{Answer, NodeBody, Question, Request, ServerBody};
use serde_json::json;

use crate::support::{Http, TestNode, TestServer, hello};

fn question(host: &str, what: &str, token: &str) -> Http {
    Http::new("GET", &format!("/api/v1/hosts/{host}/ask/{what}")).bearer(token)
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
