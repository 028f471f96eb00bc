//! What the command line understands: its flags come from the table of settings.

use std::{path::PathBuf, process::ExitCode};

use clap::{Arg, ArgAction, ArgMatches, Command, value_parser};
use clap_complete::Shell;
use socket_server::config::{
    Config, ConfigProblem, Environment as _, ProcessEnvironment, RawConfig, SETTINGS,
};

use super::Printer;

/// A usage error, as sysexits.h has it.
pub(super) const EXIT_USAGE: u8 = 64;
/// A configuration error, as sysexits.h has it.
pub(super) const EXIT_CONFIG: u8 = 78;

/// The whole command line.
pub(super) fn command() -> Command {
    Command::new("socket-server")
        .about("Keeps accounts and hosts, receives samples, shows them live and past.")
        .version(env!("CARGO_PKG_VERSION"))
        .subcommand_required(true)
        .arg_required_else_help(true)
        .subcommand(with_settings(
            Command::new("serve").about("Serves until it is told to end"),
        ))
        .subcommand(with_settings(
            Command::new("check-config")
                .about("Checks the configuration without binding or opening anything"),
        ))
        .subcommand(with_settings(
            Command::new("healthcheck").about("Asks the server of this configuration whether it lives"),
        ))
        .subcommand(
            Command::new("completions")
                .about("Prints completions for a shell")
                .arg(
                    Arg::new("shell")
                        .required(true)
                        .value_parser(value_parser!(Shell)),
                ),
        )
}

fn with_settings(command: Command) -> Command {
    let file = Arg::new("config")
        .long("config")
        .value_name("FILE")
        .value_parser(value_parser!(PathBuf))
        .help("TOML file with settings [env: METRIC_FLOW_CONFIG]");
    let settings = SETTINGS.iter().map(|setting| {
        let action = if setting.repeats {
            ArgAction::Append
        } else {
            ArgAction::Set
        };
        Arg::new(setting.name)
            .long(setting.name)
            .value_name(setting.value)
            .action(action)
            .help(format!(
                "{} [env: {}] [default: {}]",
                setting.about,
                setting.variable(),
                setting.default
            ))
    });
    command.arg(file).args(settings)
}

/// The configuration that a command was given.
pub(super) fn configuration(given: &ArgMatches) -> Result<Config, Vec<ConfigProblem>> {
    let flags = |setting: &socket_server::config::Setting| {
        given
            .get_many::<String>(setting.name)
            .into_iter()
            .flatten()
            .cloned()
            .collect()
    };
    let file = given.get_one::<PathBuf>("config").cloned().or_else(|| {
        ProcessEnvironment
            .variable("METRIC_FLOW_CONFIG")
            .map(PathBuf::from)
    });
    Config::check(&RawConfig::gather(flags, &ProcessEnvironment, file.as_deref()))
}

/// Reports every problem of a configuration.
pub(super) fn report(printer: &mut Printer, problems: &[ConfigProblem]) -> ExitCode {
    for problem in problems {
        printer.trouble(&problem.to_string());
    }
    ExitCode::from(EXIT_CONFIG)
}

/// Prints completions.
pub(super) fn completions(printer: &mut Printer, given: &ArgMatches) -> ExitCode {
    let Some(shell) = given.get_one::<Shell>("shell") else {
        return ExitCode::from(EXIT_USAGE);
    };
    clap_complete::generate(*shell, &mut command(), "socket-server", &mut printer.data());
    ExitCode::SUCCESS
}
