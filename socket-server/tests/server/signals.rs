//! Signals to the program itself.
#![cfg(unix)]

use std::{
    io::{BufRead as _, BufReader},
    process::{Command, Stdio},
};

use crate::support::{Http, until};

#[tokio::test]
async fn a_server_without_a_certificate_takes_no_harm_from_a_reload() {
    let mut server = Command::new(env!("CARGO_BIN_EXE_socket-server"))
        .args(["serve", "--listen", "127.0.0.1:0", "--store", "memory"])
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("starts");
    let mut line = String::new();
    // Kept open to the end: the server has more to say.
    let mut stdout = BufReader::new(server.stdout.take().expect("piped"));
    stdout.read_line(&mut line).expect("a line");
    let address = line
        .trim()
        .strip_prefix("listening on http://")
        .expect("an address")
        .parse()
        .expect("an address");
    // It answers: its signal handlers are there.
    until("an answer", async || {
        Http::new("GET", "/healthz").send(address).await.status == 200
    })
    .await;
    let hangup = |signal: &str| {
        let id = server.id().to_string();
        let sent = Command::new("kill").args([signal, &id]).status();
        assert!(sent.expect("kill runs").success());
    };
    hangup("-HUP");
    for _ in 0..3 {
        assert_eq!(Http::new("GET", "/healthz").send(address).await.status, 200);
    }
    hangup("-TERM");
    assert!(server.wait().expect("ended").success());
    drop(stdout);
}
