//! What the project's server is told of bad days.

use crate::day::{Day, WAITS, has};

/// Answers as a server does, and writes down what it is told.
const ANSWER: &str = r#"
      read -r method path rest
      while read -r name value; do
        case $$name in
          [Cc]ontent-[Ll]ength:) length=$${value%?} ;;
          "$$(printf '\r')") break ;;
        esac
      done
      body=$$(/bin/busybox head -c "$${length:-0}")
      case $$path in
        */status) answer='{"setup_required":false}' ;;
        */login) answer='{"access_token":"t"}' ;;
        */keys) answer='{"key":"mf_key"}' ;;
        */hosts) answer="{\"hosts\":[{\"name\":\"node1\",\"online\":true,\"latest\":{\"time_unix_ms\":$$(/bin/busybox date +%s)}}]}" ;;
        *) answer='{}'; echo "$$method $$path $$body" >>/told ;;
      esac
      printf 'HTTP/1.1 200 OK\r\ncontent-length: %s\r\nconnection: close\r\n\r\n%s' "$${#answer}" "$$answer"
"#;

/// Has the service wait for a service that stands for the server, and hold a key of its.
const SERVER: &str = r#"
    secrets: [key]
    depends_on: [server]
  server:
    image: localhost/NAME:1
    command: ["/bin/busybox", "nc", "-ll", "-p", "8000", "-e", "/bin/sh", "/answer"]
    network_mode: host
    configs: [{source: answer, target: /answer}]
    stop_grace_period: 1s
    deploy: {update_config: {monitor: 1s}}
"#;

/// A rollout that was cut off is put back by `deployer rollback`, and the server hears of it. The lab has one host.
pub(crate) fn of_a_rollback(day: &mut Day) {
    day.stage.set("DEPLOYER_ACCOUNT_PASSWORD", "a word");
    let server = SERVER.replace("NAME", &day.stage.name);
    let rest =
        format!("  answer:\n    content: |{ANSWER}secrets: {{key: {{x-enrolment: {{server: server}}}}}}\n");
    day.wants("one", &server, &rest);
    day.ends("rollout", &[], 0);

    day.wants("two", &format!("{WAITS}{server}"), &rest);
    let rollout = day.starts("rollout", &[]);
    day.starts_on("node1");
    rollout.signal("INT");
    rollout.ends(130);
    let said = day.ends("rollback", &[], 0);
    assert!(!said.contains("warning"), "{said}");
    day.serves("one");

    let told = day.must(
        "node1",
        &format!("podman exec {}-server-1 /bin/busybox cat /told", day.stage.name),
    );
    let back =
        |line: &&str| line.contains(r#""what":"rollback""#) && line.contains(r#""outcome":"rolled_back""#);
    let back: Vec<&str> = told.lines().filter(back).collect();
    assert_eq!(back.len(), 1, "{told}");
    has(back[0], &[r#""host":"node1""#]);
}
