//! The project's own commands: `cargo xtask demo | test | torture | bench | codegen | tidy`.

mod bench;
mod codegen;
mod dashboard;
mod demo;
mod node_tools;
mod printer;
mod process;
mod suites;
mod test_counts;
mod tidy;
mod torture;
mod workspace;

use std::process::ExitCode;

use anyhow::Result;
use clap::{Parser, Subcommand};

use crate::{printer::Printer, workspace::Workspace};

#[derive(Parser)]
#[command(name = "cargo xtask", about = "The project's own commands.", version)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Starts the server, an account and this machine's node-client; Ctrl-C ends all of it.
    Demo(demo::Options),
    /// Runs every check and every test, and ends with one line of totals.
    Test(suites::Options),
    /// Runs the fault suite for as long as wanted: `--runs 1000`, or `--seed N` to repeat one run.
    Torture {
        /// What the runner is told; `cargo xtask torture --help` shows it.
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<String>,
    },
    /// Builds the release programs, measures, and writes bench/README.md.
    Bench(bench::Options),
    /// Writes the generated files: the dashboard's wire types and the configuration reference.
    Codegen {
        /// Changes nothing; fails when a generated file is not up to date.
        #[arg(long)]
        check: bool,
    },
    /// Runs the Vagrantfile for real, under software emulation: root, Debian, and a machine with nothing else to do.
    VagrantSmoke,
    /// Checks what must hold for every source file: layers, owners, heads, sizes, names.
    Tidy,
}

fn main() -> ExitCode {
    let printer = Printer::new();
    match run(Arguments::parse().command, &printer) {
        Ok(code) => code,
        Err(error) => {
            printer.error(&error);
            ExitCode::FAILURE
        }
    }
}

fn run(command: Command, printer: &Printer) -> Result<ExitCode> {
    let workspace = Workspace::find()?;
    match command {
        Command::Demo(options) => demo::run(&workspace, printer, &options),
        Command::Test(options) => suites::run(&workspace, printer, &options),
        Command::Torture { arguments } => torture::run(&workspace, printer, &arguments),
        Command::Bench(options) => bench::run(&workspace, printer, &options),
        Command::Codegen { check } => codegen::run(&workspace, printer, check),
        Command::VagrantSmoke => {
            let built = process::pass_through(workspace.cargo().args([
                "build",
                "--package",
                "metric-flow-deployer",
            ]))?;
            if built != ExitCode::SUCCESS {
                return Ok(built);
            }
            let mut smoke = workspace.command("bash");
            smoke
                .arg("provision/vagrant-smoke.sh")
                .arg(workspace.target.join("debug/deployer"));
            process::pass_through(&mut smoke)
        }
        Command::Tidy => tidy::run(&workspace, printer),
    }
}
