//! The `deployer` command: parse, run, print what went wrong, exit with a documented status.

use std::process::ExitCode;

use clap::Parser as _;
use deployer::{cli::Cli, error::Exit, printer::Printer};

fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            // `--help` and `--version` are not failures; a wrong word on the command line is, and 2 is taken by `plan`.
            let failed = error.use_stderr();
            return match (error.print(), failed) {
                (Ok(()), false) => ExitCode::SUCCESS,
                _ => Exit::Usage.into(),
            };
        }
    };
    let printer = Printer::standard(cli.quiet);
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            printer.note(&format!("error: cannot start the async runtime: {error}"));
            return Exit::Failed.into();
        }
    };
    let outcome = runtime.block_on(deployer::run(cli, &printer));
    // A blocked read of a terminal or of a file must not hold back the end of the process.
    runtime.shutdown_background();
    match outcome {
        Ok(exit) => exit.into(),
        Err(failure) => {
            printer.failure(&failure);
            failure.exit.into()
        }
    }
}
