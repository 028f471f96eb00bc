//! The node-client program: parse, run, exit.

use std::process::ExitCode;

use clap::Parser;
use node_client::{cli::Arguments, run};

fn main() -> ExitCode {
    run::run(Arguments::parse())
}
