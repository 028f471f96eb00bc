//! `deployer lab …`: what can be typed, and what it does.

use std::{os::unix::process::CommandExt as _, path::PathBuf};

use clap::{Args, Subcommand};
use tokio::signal::unix::{SignalKind, signal};

use super::{
    down,
    error::LabError,
    folder::Folder,
    names::{LabName, MOST_HOSTS},
    network, reach,
    session::Session,
    surroundings::Surroundings,
    up,
};
use crate::{error::Exit, inventory::Inventory, printer::Printer, progress::Progress};

/// Which lab is meant.
#[derive(Debug, Args)]
pub struct Which {
    /// The lab's name; labs of different names stand side by side.
    #[arg(long, default_value = "lab")]
    name: String,

    /// Where its keys and hosts.toml are [default: .lab/NAME].
    #[arg(long)]
    folder: Option<PathBuf>,
}

/// The verbs of `deployer lab`.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Make hosts as containers on this machine, and write their hosts.toml.
    Up {
        /// Which lab.
        #[command(flatten)]
        lab: Which,
        /// How many hosts; more than there are adds some, fewer leaves the others.
        #[arg(
            long,
            default_value_t = 3,
            value_parser = clap::value_parser!(u16).range(1..=MOST_HOSTS),
            allow_negative_numbers = true
        )]
        hosts: u16,
        /// Bare machines: sshd and nothing else, as before bootstrap.sh.
        #[arg(long)]
        bare: bool,
        /// The image to make hosts from, or "debian" to make it from packages [default: Rocky Linux, else debian].
        #[arg(long)]
        base: Option<String>,
    },
    /// Say which hosts there are and whether they answer.
    Status {
        /// Which lab.
        #[command(flatten)]
        lab: Which,
    },
    /// Log in to a host, or run a command there.
    Ssh {
        /// Which lab.
        #[command(flatten)]
        lab: Which,
        /// The host.
        host: String,
        /// The command; without one, a shell.
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        command: Vec<String>,
    },
    /// Take a host off the network.
    Cut {
        /// Which lab.
        #[command(flatten)]
        lab: Which,
        /// The host.
        host: String,
        /// Freeze it instead: it keeps its address and answers nothing.
        #[arg(long)]
        freeze: bool,
    },
    /// Undo `cut`.
    Heal {
        /// Which lab.
        #[command(flatten)]
        lab: Which,
        /// The host.
        host: String,
    },
    /// Shut a host down and boot it again.
    Reboot {
        /// Which lab.
        #[command(flatten)]
        lab: Which,
        /// The host.
        host: String,
    },
    /// Remove the lab: every container, network, volume and file of it.
    Down {
        /// Which lab.
        #[command(flatten)]
        lab: Which,
    },
}

/// Runs one verb.
///
/// # Errors
///
/// When the engine, a right, a subnet, a program or a host is missing; the error says which and what to do.
pub async fn run(command: Command, progress: &dyn Progress, printer: &Printer) -> Result<Exit, LabError> {
    let stopped = command.when_stopped();
    tokio::select! {
        ended = act(command, progress, printer) => ended,
        () = told_to_stop() => {
            printer.note(&stopped);
            Ok(Exit::Interrupted)
        }
    }
}

/// Ctrl-C, or a polite end by someone else. The engine's service of this command ends with it, as on any other way out.
async fn told_to_stop() {
    let Ok(mut terminate) = signal(SignalKind::terminate()) else {
        return std::future::pending().await;
    };
    tokio::select! {
        _ = tokio::signal::ctrl_c() => {}
        _ = terminate.recv() => {}
    }
}

async fn act(command: Command, progress: &dyn Progress, printer: &Printer) -> Result<Exit, LabError> {
    match command {
        Command::Up {
            lab,
            hosts,
            bare,
            base,
        } => {
            let name = LabName::parse(&lab.name)?;
            if !Surroundings::read().root {
                return Err(LabError::NotRoot);
            }
            // Before the engine: its settings live in the folder for as long as the hosts do.
            let folder = Folder::of(&name, lab.folder.as_deref())?;
            let fresh = !folder.exists();
            folder.make()?;
            let _turn = folder.turn(progress).await?;
            let wanted = up::Wanted {
                hosts: hosts.into(),
                bare,
                base,
            };
            let brought = match lab.open().await {
                Ok(session) => up::up(&session, &wanted, progress).await,
                Err(error) => Err(error),
            };
            if fresh && brought.as_ref().is_err_and(LabError::came_first) {
                folder.remove()?;
            }
            let inventory = folder.inventory();
            if brought? == 0 {
                printer.say("nothing to do: every host is there");
            } else {
                let path = inventory.display();
                printer.say(&format!(
                    "next: `deployer check --hosts {path}`, or `rollout --build`"
                ));
            }
            printer.data(&inventory.display().to_string());
        }
        Command::Status { lab } => {
            let mut session = lab.open().await?;
            for host in session.existing().await? {
                let ssh = if reach::answers(&host.seat.address).await {
                    "answers"
                } else {
                    "silent"
                };
                let state = match host.machine.networks.contains(&session.name.network()) {
                    false if host.machine.state == "running" => "cut",
                    _ => host.machine.state.as_str(),
                };
                printer.data(&format!(
                    "{:<10} {:<16} {state:<10} {ssh}",
                    host.seat.host, host.seat.address
                ));
            }
        }
        Command::Ssh { lab, host, command } => return Err(lab.ssh(&host, &command).await),
        Command::Cut { lab, host, freeze } => {
            let mut session = lab.open().await?;
            let found = session.host(&host).await?;
            let what = network::cut(&session, &found, freeze).await?;
            printer.say(&format!("{host} {what}"));
        }
        Command::Heal { lab, host } => {
            let mut session = lab.open().await?;
            let found = session.host(&host).await?;
            network::heal(&session, &found, progress).await?;
        }
        Command::Reboot { lab, host } => {
            let mut session = lab.open().await?;
            let found = session.host(&host).await?;
            network::reboot(&session, &found, progress).await?;
        }
        Command::Down { lab } => {
            let session = lab.open().await?;
            if down::down(&session, progress).await? == 0 {
                printer.say("nothing to do: there is no such lab");
            }
        }
    }
    Ok(Exit::Done)
}

impl Command {
    /// What to say to somebody who stops it half-way.
    fn when_stopped(&self) -> String {
        match self {
            Self::Up { lab, .. } => format!(
                "stopped; `deployer lab up --name {0}` goes on from here, `deployer lab down --name {0}` removes \
                 what there is",
                lab.name
            ),
            Self::Down { .. } => "stopped; once more removes the rest".to_owned(),
            _ => "stopped".to_owned(),
        }
    }
}

impl Which {
    async fn open(&self) -> Result<Session, LabError> {
        Session::open(&self.name, self.folder.as_deref()).await
    }

    /// Becomes the ssh program. Only comes back with what was in the way.
    async fn ssh(&self, wanted: &str, command: &[String]) -> LabError {
        match self.ssh_command(wanted, command).await {
            Ok(mut ssh) => LabError::Program {
                program: "ssh",
                said: ssh.exec().to_string(),
                hint: "install the OpenSSH client: `apt install openssh-client` or `dnf install openssh-clients`",
            },
            Err(error) => error,
        }
    }

    async fn ssh_command(&self, wanted: &str, command: &[String]) -> Result<std::process::Command, LabError> {
        let mut folder = Folder::of(&LabName::parse(&self.name)?, self.folder.as_deref())?;
        if !folder.inventory().exists() {
            // The lab was made from somewhere else; its hosts know where.
            let mut session = self.open().await?;
            session.existing().await?;
            folder = session.folder.clone();
        }
        if !folder.inventory().exists() {
            return Err(LabError::Unfinished {
                lab: self.name.clone(),
            });
        }
        let hosts = Inventory::load(&folder.inventory())
            .map_err(|error| LabError::file(format!("look up {wanted}"))(std::io::Error::other(error)))?;
        let Some(host) = hosts.host(wanted) else {
            let known: Vec<&str> = hosts.hosts.iter().map(|host| host.name.as_str()).collect();
            return Err(LabError::NoHost {
                lab: self.name.clone(),
                host: wanted.to_owned(),
                known: known.join(", "),
            });
        };
        // ssh alone would wait for minutes, and not know what became of the host.
        if !reach::answers_soon(&host.address).await {
            return Err(LabError::Unanswered {
                lab: self.name.clone(),
                host: host.name.clone(),
                address: host.address.clone(),
            });
        }
        let mut ssh = std::process::Command::new("ssh");
        ssh.arg("-i")
            .arg(folder.identity())
            .args([
                "-o",
                "IdentitiesOnly=yes",
                "-o",
                "StrictHostKeyChecking=yes",
                "-o",
                "LogLevel=ERROR",
                "-o",
                "ConnectTimeout=60",
            ])
            .arg("-o")
            .arg(format!("UserKnownHostsFile={}", folder.known_hosts().display()))
            .arg(format!("{}@{}", host.user, host.address))
            .args(command);
        Ok(ssh)
    }
}
