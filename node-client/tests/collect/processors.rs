//! Processor time while cores and counters change.

use super::host::{Host, cpu};

#[test]
fn without_a_tick_in_between_the_last_shares_hold() {
    let host = Host::recorded("rocky-server");
    let mut sampler = host.sampler();
    assert_eq!(sampler.read().cpu, None);
    host.edit("proc/stat", "cpu  40000", "cpu  40100");
    let first = sampler.read();
    assert_eq!(cpu(&first).used_percent, 100.0);
    assert_eq!(cpu(&sampler.read()).used_percent, 100.0);
}

#[test]
fn counters_that_begin_anew_give_no_shares_for_one_reading() {
    let host = Host::recorded("rocky-server");
    let mut sampler = host.sampler();
    host.write(
        "proc/stat",
        "cpu  10 0 10 80 0 0 0 0 0 0\ncpu0 10 0 10 80 0 0 0 0 0 0\n",
    );
    assert_eq!(sampler.read().cpu, None);
    host.write(
        "proc/stat",
        "cpu  30 0 10 160 0 0 0 0 0 0\ncpu0 30 0 10 160 0 0 0 0 0 0\n",
    );
    let sample = sampler.read();
    assert_eq!(cpu(&sample).used_percent, 20.0);
    assert_eq!(cpu(&sample).core_used_percent, [20.0]);
}

#[test]
fn cores_keep_their_numbers_while_others_are_unplugged() {
    let host = Host::recorded("rocky-server");
    let mut sampler = host.sampler();
    let line =
        |core: u32, user: u32, idle: u32| format!("cpu{core} {user} 100 5000 {idle} 1000 250 250 0 1250 0\n");
    let all = |user: u32| format!("cpu  {user} 400 20000 900000 4000 1000 1000 0 5000 0\n");

    host.write(
        "proc/stat",
        all(40_050) + &line(0, 10_050, 225_050) + &line(2, 10_000, 225_100) + &line(3, 10_100, 225_000),
    );
    assert_eq!(cpu(&sampler.read()).core_used_percent, [50.0, 0.0, 0.0, 100.0]);

    host.write("proc/stat", all(40_100) + &line(0, 10_100, 225_100));
    assert_eq!(cpu(&sampler.read()).core_used_percent, [50.0]);

    // The core that comes back has counted for less time; its first reading is only a beginning.
    host.write(
        "proc/stat",
        all(40_150) + &line(0, 10_150, 225_150) + &line(1, 10_000, 225_000),
    );
    assert_eq!(cpu(&sampler.read()).core_used_percent, [50.0, 0.0]);
    host.write(
        "proc/stat",
        all(40_200) + &line(0, 10_200, 225_200) + &line(1, 10_020, 225_080),
    );
    assert_eq!(cpu(&sampler.read()).core_used_percent, [50.0, 20.0]);
}
