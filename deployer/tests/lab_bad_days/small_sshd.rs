//! A day with sshd at its smallest: two sessions, three log-ins at once, and a host to jump through.

use toml::Value;

use crate::day::{Day, has};

#[test]
fn an_sshd_that_allows_next_to_nothing_is_enough() {
    let day = Day::empty("small", 3);
    for host in &day.hosts {
        let smallest = "printf 'MaxSessions 2\\nMaxStartups 3\\n' >/etc/ssh/sshd_config.d/00-small.conf && systemctl restart ssh";
        day.must(host, smallest);
    }
    let hosts = day.other_hosts(|hosts| {
        let hosts = hosts
            .get_mut("hosts")
            .expect("hosts")
            .as_array_mut()
            .expect("a list");
        for host in hosts.iter_mut().skip(1) {
            let host = host.as_table_mut().expect("a table");
            host.insert("jump".to_owned(), Value::from("node1"));
        }
    });
    day.wants("one", "", "");
    day.stage.ends("build", &[], 0);
    day.ends("rollout", &["--hosts", &hosts], 0);
    day.runs("one");
    let said = day.ends("rollout", &["--hosts", &hosts], 0);
    has(&said, &["nothing to do"]);
    day.ends("down", &["--hosts", &hosts], 0);
}
