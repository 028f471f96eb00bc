//! `deployer trust`.

use std::{io::BufRead as _, path::Path};

use super::scene::{chosen, inventory};
use crate::{
    cli::HostsArgs,
    error::{Exit, Failure},
    inventory::Host,
    printer::Printer,
    remote::{KnownHosts, offered_key, record},
};

/// Shows the host key of each host and records it after a yes. A key that differs from a recorded one is never
/// recorded over it.
///
/// # Errors
///
/// When a host does not answer, its key has changed, or the file cannot be written.
pub async fn run(
    arguments: &HostsArgs,
    yes: bool,
    known_hosts: Option<&Path>,
    printer: &Printer,
) -> Result<Exit, Failure> {
    let inventory = chosen(&inventory(arguments)?, &arguments.only)?;
    let standard = KnownHosts::user_file();
    let Some(file) = known_hosts.map(Path::to_owned).or(standard) else {
        return Err(Failure::usage("there is no home folder to record host keys in")
            .hint("name a file by --known-hosts"));
    };
    let known = KnownHosts::load(std::slice::from_ref(&file))
        .map_err(|error| Failure::because("the known host keys cannot be read", &error))?;
    for host in &inventory.hosts {
        one_host(host, &known, &file, yes, inventory.lab.connect_timeout, printer).await?;
    }
    Ok(Exit::Done)
}

async fn one_host(
    host: &Host,
    known: &KnownHosts,
    file: &Path,
    yes: bool,
    deadline: std::time::Duration,
    printer: &Printer,
) -> Result<(), Failure> {
    let name = &host.name;
    let key = offered_key(host, deadline).await.map_err(|error| {
        Failure::because(format!("{name}: its host key cannot be seen"), &error).hint(error.hint(name))
    })?;
    if known.knows(&host.address, host.port, &key.line) {
        printer.say(&format!("{name}: {} is known already", key.fingerprint));
        return Ok(());
    }
    if known.has(&host.address, host.port) {
        return Err(
            Failure::new(format!("{name}: its host key has CHANGED to {}", key.fingerprint)).hint(format!(
                "if the machine was made anew, remove its old line from {} first",
                file.display()
            )),
        );
    }
    printer.note(&format!(
        "{name} ({}:{}) shows {}",
        host.address, host.port, key.fingerprint
    ));
    if !yes {
        printer.note("Is this its fingerprint? Type yes to record it:");
        let mut answer = String::new();
        let read = std::io::stdin().lock().read_line(&mut answer);
        read.map_err(|error| Failure::because("no answer can be read", &error))?;
        if answer.trim() != "yes" {
            return Err(Failure::new(format!("{name}: not recorded")));
        }
    }
    record(file, &host.address, host.port, &key.line)
        .map_err(|error| Failure::because(format!("cannot write {}", file.display()), &error))?;
    printer.say(&format!("{name}: recorded in {}", file.display()));
    Ok(())
}
