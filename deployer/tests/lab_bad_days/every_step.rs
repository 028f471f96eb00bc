//! A day on which somebody presses Ctrl-C again and again.

use crate::{
    day::{Day, has},
    told,
};

#[test]
fn a_rollout_that_is_stopped_at_every_step_arrives_all_the_same() {
    let mut day = Day::begin("steps", 1);
    let name = &day.stage.name;
    let side = format!(
        "    ports: [\"9092:9092\"]\n  side:\n    image: localhost/{name}:1\n    command: [\"/bin/busybox\", \"sleep\", \"1000000\"]\n    \
         network_mode: none\n    stop_grace_period: 1s\n    \
         deploy: {{mode: global, update_config: {{parallelism: 0, monitor: 1s}}}}\n"
    );
    day.wants("two", &side, "");
    let there = stopped_at_every_step(&day);
    day.serves("two");
    day.wants("one", "", "");
    let back = stopped_at_every_step(&day);
    day.runs("one");
    // There are a dozen steps; how many of them are done before the signal comes is the machine's business.
    assert!(there > 0 && back > 0, "stopped {there} and {back} times");

    told::of_a_rollback(&mut day);
}

/// Rolls out, with Ctrl-C at the first step, and goes on with Ctrl-C at the first step that is left, until nothing is.
/// Says how often that was.
fn stopped_at_every_step(day: &Day) -> usize {
    for stops in 0..40 {
        let resume: &[&str] = if stops == 0 {
            &["--json"]
        } else {
            &["--json", "--resume"]
        };
        let mut rollout = day.starts("rollout", resume);
        if rollout.says_while_it_runs(begins_a_step) {
            rollout.signal("INT");
        }
        let ended = rollout.end();
        let said = rollout.said();
        assert!(!day.is_locked("node1"), "{said}");
        match ended.code() {
            Some(0) => return stops,
            Some(130) => has(
                &said,
                &["the lock is given back", "`deployer rollout --resume` goes on"],
            ),
            _ => unreachable!("{ended}: {said}"),
        }
    }
    unreachable!("it never arrives");
}

/// Waiting for health is no step that is finished: who stops it at once will wait for ever.
fn begins_a_step(line: &str) -> bool {
    line.contains(r#""event":"started""#) && !line.contains(r#""doing":"wait for"#)
}
