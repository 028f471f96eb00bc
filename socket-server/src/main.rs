//! The socket server's program: parse, build, spawn, wait, drain.

mod commands;

use std::process::ExitCode;

fn main() -> ExitCode {
    commands::run()
}
