//! A program on a host that waits in the middle of what it was told to do, until the test lets it go on.

use crate::{day::Day, support::wait::eventually};

/// What such a program does before it becomes the real one. WORDS are those that it waits at.
const WAITS: &str = r##"#!/bin/sh
case " $* " in *"WORDS"*) touch /run/held; while [ ! -e /run/go-on ]; do sleep 0.1; done ;; esac
exec PROGRAM.real "$@"
"##;

/// One program on one host; one at a time on each.
pub(crate) struct Hold<'a> {
    day: &'a Day,
    host: &'a str,
    program: String,
}

impl<'a> Hold<'a> {
    /// From now on the program waits when these words are among its arguments.
    pub(crate) fn on(day: &'a Day, host: &'a str, program: &str, words: &str) -> Self {
        let script = WAITS.replace("WORDS", words).replace("PROGRAM", program);
        day.must(
            host,
            &format!(
                "rm -f /run/held /run/go-on && cat >{program}.new <<'END'\n{script}END\n\
                 chmod 755 {program}.new && rm -f {program}.real && ln {program} {program}.real && mv {program}.new {program}"
            ),
        );
        Self {
            day,
            host,
            program: program.to_owned(),
        }
    }

    /// The firewall waits when a port is opened.
    pub(crate) fn on_firewall(day: &'a Day, host: &'a str) -> Self {
        Self::on(day, host, "/usr/bin/firewall-cmd", "--add-port")
    }

    /// The engine waits when a container that it has made is started.
    pub(crate) fn on_start(day: &'a Day, host: &'a str) -> Self {
        let runtime = day.must(host, "podman info --format '{{.Host.OCIRuntime.Path}}'");
        Self::on(day, host, &runtime, " start ")
    }

    /// Waits until the program waits.
    pub(crate) fn is_reached(&self) {
        eventually(&format!("{} waits on {}", self.program, self.host), || {
            let held = self.day.inside(self.host, "test -e /run/held");
            held.status.success().then_some(())
        });
    }

    /// Lets it go on; from now on it is the real one again.
    pub(crate) fn goes_on(self) {
        let program = &self.program;
        // The real one keeps its other name too: whoever waits is about to become it.
        let script =
            format!("ln {program}.real {program}.new && mv {program}.new {program} && touch /run/go-on");
        self.day.must(self.host, &script);
    }
}
