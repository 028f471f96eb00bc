//! From a Compose file and a list of hosts to running machines, and back.
//!
//! `compose` and `inventory` read what is wanted, `containers`, `firewall` and `remote` see and change what is there,
//! `plan` compares the two without any IO, `execute` does what the plan says, and `commands` has one file per verb.

pub mod cli;
pub mod clock;
pub mod commands;
pub mod compose;
pub mod containers;
pub mod error;
pub mod execute;
pub mod firewall;
pub mod inventory;
pub mod lab;
pub mod plan;
pub mod printer;
pub mod progress;
pub mod registry;
pub mod remote;

use cli::{Cli, Command};
use error::{Exit, Failure};
use printer::Printer;

/// Runs one command line to its end.
///
/// # Errors
///
/// What went wrong, why, and what to do next, with the status to exit with.
pub async fn run(cli: Cli, printer: &Printer) -> Result<Exit, Failure> {
    use commands as verb;
    match cli.command {
        Command::Lab { command } => {
            let progress = progress::for_this_terminal(cli.quiet);
            Ok(lab::run(command, progress.as_ref(), printer).await?)
        }
        Command::Init { hosts } => verb::init::run(&hosts, printer),
        Command::Check(hosts) => verb::check::run(&hosts, printer).await,
        Command::Plan {
            project,
            no_firewall,
            json,
        } => verb::plan::run(&project, no_firewall, json, printer).await,
        Command::Build {
            file,
            no_cache,
            services,
        } => verb::build::run(&file, &services, no_cache, printer).await,
        Command::Push { project, services } => verb::push::run(&project, &services, printer).await,
        Command::Firewall { command } => verb::firewall::run(&command, printer).await,
        Command::Keys { command } => Box::pin(verb::keys::run(&command, printer)).await,
        Command::Rollout(arguments) => Box::pin(verb::rollout::run(&arguments, printer)).await,
        Command::Status { project, json } => verb::status::run(&project, json, printer).await,
        Command::Logs {
            project,
            follow,
            tail,
            services,
        } => verb::logs::run(&project, &services, tail, follow, printer).await,
        Command::Exec {
            project,
            service,
            words,
        } => verb::exec::run(&project, &service, &words, printer).await,
        Command::Restart { project, services } => verb::restart::run(&project, &services, printer).await,
        Command::Rollback { project, release } => {
            Box::pin(verb::rollback::run(&project, release.as_deref(), printer)).await
        }
        Command::History { project } => verb::history::run(&project, printer).await,
        Command::Trust {
            hosts,
            yes,
            known_hosts,
        } => verb::trust::run(&hosts, yes, known_hosts.as_deref(), printer).await,
        Command::Unlock(project) => verb::unlock::run(&project, printer).await,
        Command::Down { project, volumes } => verb::down::run(&project, volumes, printer).await,
        Command::Completions { shell } => verb::completions::run(shell, printer),
        Command::Man { directory } => verb::man::run(directory.as_deref(), printer),
    }
}
