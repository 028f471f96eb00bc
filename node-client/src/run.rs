//! Runs one command and says how it ended.

use std::{
    env, fmt,
    io::{self, Write},
    process::ExitCode,
    thread,
    time::Duration,
};

use clap::CommandFactory as _;
use clap_complete::Shell;
use metric_flow_lifecycle::{Drained, LogFormat, Shutdown, init_logging, now_unix_ms};

use crate::{
    agent,
    cli::{Arguments, Command, ConnectArguments, HealthArguments, PrintArguments},
    collect::Sampler,
    config::{self, Config},
    facts::hello_facts,
    health::{STATE_FRESH_MS, read_state},
    identity::machine_identity,
    print,
};

/// Variable with a log filter, such as `debug`.
const LOG_VARIABLE: &str = "METRIC_FLOW_LOG";

/// Exit status of a command line or configuration that cannot be used, as clap has it.
const EXIT_USAGE: u8 = 2;

/// How long the client has for sending what it holds, from the signal to the end.
const LEAVE_WITHIN: Duration = Duration::from_secs(3);

/// Threads for calls that wait for a disk: the spool's and an answer's, never more at a time.
const BLOCKING_THREADS_MAX: usize = 2;

/// Time between the two readings that `print` compares.
const PRINT_OVER: Duration = Duration::from_secs(1);

/// Why a command failed, with the exit status that says so.
struct Failure {
    message: String,
    status: u8,
}

impl Failure {
    fn new(message: impl fmt::Display) -> Self {
        Self {
            message: message.to_string(),
            status: 1,
        }
    }
}

/// Runs what was typed.
pub fn run(arguments: Arguments) -> ExitCode {
    init_logging(env::var(LOG_VARIABLE).ok().as_deref(), LogFormat::Text);
    let result = match arguments.command {
        Command::Connect(arguments) => connect(&arguments),
        Command::Print(arguments) => print_reading(&arguments),
        Command::Healthcheck(arguments) => check_health(&arguments),
        Command::Completions { shell } => write_completions(shell),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            // Nobody is left to tell when standard error is closed.
            let _ = writeln!(io::stderr(), "error: {}", failure.message);
            ExitCode::from(failure.status)
        }
    }
}

fn connect(arguments: &ConnectArguments) -> Result<(), Failure> {
    let config = config::resolve(arguments, &environment).map_err(|problems| Failure {
        message: problems.to_string(),
        status: EXIT_USAGE,
    })?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .max_blocking_threads(BLOCKING_THREADS_MAX)
        .build()
        .map_err(|error| Failure::new(format_args!("cannot start: {error}")))?;
    let result = runtime.block_on(run_agent(config));
    // A call that hangs in the kernel must not keep the program from ending.
    runtime.shutdown_background();
    result
}

async fn run_agent(config: Config) -> Result<(), Failure> {
    let shutdown = Shutdown::new();
    shutdown
        .begin_on_signals()
        .map_err(|error| Failure::new(format_args!("cannot listen for signals: {error}")))?;
    let late = async {
        shutdown.begun().await;
        tokio::time::sleep(LEAVE_WITHIN).await;
    };
    let result = tokio::select! {
        result = agent::run(config, shutdown.token().clone()) => result.map_err(Failure::new),
        () = late => {
            tracing::warn!("not all samples could be sent in time; the spool keeps them for the next start");
            Ok(())
        }
    };
    if let Drained::DeadlinePassed { tasks_left } = shutdown.drain(LEAVE_WITHIN).await {
        tracing::warn!(tasks_left, "some tasks did not end");
    }
    result
}

fn print_reading(arguments: &PrintArguments) -> Result<(), Failure> {
    let root = arguments.host.root();
    let mut sampler = Sampler::new(root.clone());
    let before = sampler.read();
    thread::sleep(PRINT_OVER);
    let after = sampler.read();
    let facts = hello_facts(&root);
    let page = if arguments.json {
        print::json(&machine_identity(&root), &facts, &after).map_err(Failure::new)?
    } else {
        print::table(&facts, &before, &after)
    };
    write_out(page.as_bytes())
}

fn check_health(arguments: &HealthArguments) -> Result<(), Failure> {
    let folder = arguments
        .spool_dir
        .clone()
        .or_else(|| config::default_spool_dir(&environment));
    let folder = folder.ok_or_else(|| Failure::new("name the client's folder with --spool-dir"))?;
    let state = read_state(&folder).map_err(Failure::new)?;
    let summary = state
        .check(now_unix_ms(), STATE_FRESH_MS, arguments.connected)
        .map_err(Failure::new)?;
    write_out(format!("{summary}\n").as_bytes())
}

fn write_completions(shell: Shell) -> Result<(), Failure> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Arguments::command(), "node-client", &mut script);
    write_out(&script)
}

/// A reader that has seen enough, such as `head`, is no failure.
fn write_out(bytes: &[u8]) -> Result<(), Failure> {
    let mut out = io::stdout().lock();
    match out.write_all(bytes).and_then(|()| out.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(Failure::new(format_args!(
            "cannot write to standard output: {error}"
        ))),
        _ => Ok(()),
    }
}

fn environment(name: &str) -> Option<String> {
    env::var(name).ok().filter(|value| !value.is_empty())
}
