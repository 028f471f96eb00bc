//! What the command line understands: its flags come from the table of settings.

use std::{path::PathBuf, process::ExitCode};

use clap::{Arg, ArgAction, ArgMatches, Command, value_parser};
use clap_complete::Shell;
use socket_server::config::{
    Config, ConfigProblem, Environment as _, ProcessEnvironment, RawConfig, SETTINGS, Setting,
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
        .subcommand(with_path(
            Command::new("export").about("Writes everything but log-ins to a file, from any store"),
            "FILE|FOLDER",
            "Where to write it",
        ))
        .subcommand(with_path(
            Command::new("import")
                .about("Adds what an export holds to a store that is empty or was filled by it"),
            "FILE|FOLDER",
            "What `export` has written",
        ))
        .subcommand(with_path(
            Command::new("backup").about("Copies an embedded store, also one that a server has open"),
            "FOLDER",
            "Where the copy goes; not there yet, or empty",
        ))
        .subcommand(with_path(
            Command::new("restore").about("Makes an embedded store from a backup"),
            "FOLDER",
            "What `backup` has made",
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

/// Settings that matter to a store without a server.
const STORE_SETTINGS: &[&str] = &[
    "store",
    "keep-samples-days",
    "keep-minutes-days",
    "keep-hours-days",
    "keep-megabytes-max",
    "log-format",
    "log-filter",
];

fn with_path(command: Command, value: &'static str, help: &'static str) -> Command {
    let path = Arg::new("path")
        .value_name(value)
        .required(true)
        .value_parser(value_parser!(PathBuf))
        .help(help);
    with_some_settings(command.arg(path), |setting| {
        STORE_SETTINGS.contains(&setting.name)
    })
}

fn with_settings(command: Command) -> Command {
    with_some_settings(command, |_| true)
}

fn with_some_settings(command: Command, wanted: impl Fn(&Setting) -> bool) -> Command {
    let file = Arg::new("config")
        .long("config")
        .value_name("FILE")
        .value_parser(value_parser!(PathBuf))
        .help("TOML file with settings [env: METRIC_FLOW_CONFIG]");
    let settings = SETTINGS.iter().filter(|setting| wanted(setting)).map(|setting| {
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
    let flags = |setting: &Setting| {
        // A command that does not know a setting was not given it.
        given
            .try_get_many::<String>(setting.name)
            .ok()
            .flatten()
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
