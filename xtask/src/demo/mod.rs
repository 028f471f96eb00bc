//! `cargo xtask demo`: this machine's metrics in a browser, by one command.

mod api;
mod children;
mod folder;
mod live;
mod programs;

use std::{
    fs,
    process::ExitCode,
    sync::mpsc::{Receiver, channel},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail};

use self::{api::Api, children::Children, folder::DemoFolder, programs::Programs};
use crate::{printer::Printer, process::elapsed, workspace::Workspace};

/// How long the server may take to listen: it only opens a fresh store, but the machine may be busy.
const SERVER_DEADLINE: Duration = Duration::from_secs(60);
/// How long the first sample may take on its way to a viewer.
const SAMPLE_DEADLINE: Duration = Duration::from_secs(60);
/// How often the children and the person's wish to end are looked at.
const LOOK: Duration = Duration::from_millis(50);

/// How much later than its children this program may see the signal that ends all of them.
const SIGNAL_LATENESS: Duration = Duration::from_millis(200);

/// How large the demonstration is, and where.
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// Simulated hosts beside this machine.
    #[arg(long, default_value_t = 0)]
    hosts: usize,
    /// Where the server listens; port 0 takes a free one.
    #[arg(long, default_value = "127.0.0.1:0")]
    listen: String,
}

/// Builds, starts, shows the way in, and ends all of it on Ctrl-C or SIGTERM.
pub(crate) fn run(workspace: &Workspace, printer: &Printer, options: &Options) -> Result<ExitCode> {
    let programs = Programs::build(workspace, printer, options.hosts > 0)?;
    let started = Instant::now();
    let (sender, stop) = channel();
    // A second signal finds the channel's end gone once the demonstration is ending; there is nothing to add.
    ctrlc::set_handler(move || _ = sender.send(())).context("the signals cannot be caught")?;

    let folder = DemoFolder::create(workspace)?;
    let mut children = Children::default();
    let outcome = start(&programs, &folder, options, &mut children, &stop).and_then(|ready| {
        if let Some(ready) = ready {
            printer.line("");
            printer.heading(format_args!(
                "Metric Flow is running (started in {})",
                elapsed(started)
            ));
            printer.line(format_args!("  address   {}", ready.origin));
            printer.line(format_args!("  user      {}", ready.user));
            printer.line(format_args!("  password  {}", ready.password));
            printer.line("  Ctrl-C ends it and leaves nothing behind.");
            wait_for_the_end(&mut children, &stop)?;
        }
        Ok(())
    });
    children.end();
    // Ctrl-C reaches the programs too: one may have ended before this one looked, and that is no failure.
    let outcome = match outcome {
        Err(_) if stop.recv_timeout(SIGNAL_LATENESS).is_ok() => Ok(()),
        outcome => outcome,
    };
    match outcome {
        Ok(()) => {
            printer.line("Everything has ended.");
            Ok(ExitCode::SUCCESS)
        }
        Err(error) => {
            printer.raw(&folder.logs());
            Err(error)
        }
    }
}

/// What a person needs to log in.
struct Ready {
    origin: String,
    user: String,
    password: String,
}

/// Nothing when a signal came before all was ready.
fn start(
    programs: &Programs,
    folder: &DemoFolder,
    options: &Options,
    children: &mut Children,
    stop: &Receiver<()>,
) -> Result<Option<Ready>> {
    let mut server = programs.server(&options.listen, &folder.path("store"));
    let server_output = children.start("socket-server", &mut server, folder)?;
    let Some(origin) = wait_for(
        children,
        stop,
        SERVER_DEADLINE,
        "the server did not begin to listen",
        || Ok(after(&server_output, "listening on ")),
    )?
    else {
        return Ok(None);
    };
    let origin = here(&origin);
    let Some(link) = wait_for(
        children,
        stop,
        SERVER_DEADLINE,
        "the server named no set-up link",
        || Ok(after(&server_output, "set up the first account at ")),
    )?
    else {
        return Ok(None);
    };
    let token = link.split_once('#').context("the set-up link holds no token")?.1;

    let (user, password) = ("demo".to_owned(), folder::random_word()?);
    let api = Api::set_up(&origin, token, &user, &password)?;
    let key_file = folder.secret("api-key", &api.create_key("demo")?)?;
    children.start(
        "node-client",
        &mut programs.node_client(&origin, &key_file, &folder.path("spool")),
        folder,
    )?;
    if let Some(mut simulated) = programs.simulated_hosts(&origin, &key_file, options.hosts) {
        children.start("simulated-hosts", &mut simulated, folder)?;
    }

    let mut viewer = live::Viewer::open(&api)?;
    let seen = wait_for(
        children,
        stop,
        SAMPLE_DEADLINE,
        "no sample came through the live socket",
        || Ok(viewer.saw_a_sample()?.then_some(())),
    )?;
    Ok(seen.map(|()| Ready {
        origin,
        user,
        password,
    }))
}

/// An address that this machine's programs and browsers can open, where the server listens on all of them.
fn here(origin: &str) -> String {
    origin
        .replacen("//0.0.0.0:", "//127.0.0.1:", 1)
        .replacen("//[::]:", "//[::1]:", 1)
}

/// Looks until there is a value; an error when a child ends or the time is over, nothing on a signal.
fn wait_for<T>(
    children: &mut Children,
    stop: &Receiver<()>,
    deadline: Duration,
    failure: &str,
    mut look: impl FnMut() -> Result<Option<T>>,
) -> Result<Option<T>> {
    let started = Instant::now();
    loop {
        if let Some(value) = look()? {
            return Ok(Some(value));
        }
        if stop.try_recv().is_ok() {
            return Ok(None);
        }
        children.all_run()?;
        if started.elapsed() > deadline {
            bail!("{failure} within {} s", deadline.as_secs());
        }
        thread::sleep(LOOK);
    }
}

fn wait_for_the_end(children: &mut Children, stop: &Receiver<()>) -> Result<()> {
    loop {
        if stop.recv_timeout(LOOK).is_ok() {
            return Ok(());
        }
        children.all_run()?;
    }
}

/// The rest of the first whole line that begins with `prefix`.
fn after(file: &std::path::Path, prefix: &str) -> Option<String> {
    let text = fs::read_to_string(file).ok()?;
    let whole = &text[..text.rfind('\n')?];
    whole
        .lines()
        .find_map(|line| line.strip_prefix(prefix))
        .map(|rest| rest.trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_on_all_addresses_is_reached_on_this_machine() {
        assert_eq!(here("http://0.0.0.0:8000"), "http://127.0.0.1:8000");
        assert_eq!(here("http://[::]:8000"), "http://[::1]:8000");
        assert_eq!(here("http://192.0.2.1:8000"), "http://192.0.2.1:8000");
    }
}
