//! One lab and the engine that it lives on, for the time of one command.

use std::{
    path::{Path, PathBuf},
    sync::atomic::{AtomicU32, Ordering},
};

use super::{
    error::LabError,
    folder::{self, Folder},
    inventory_file::Listed,
    leftovers,
    names::{self, ADDRESS_LABEL, FOLDER_LABEL, HOST_LABEL, LAB_LABEL, LabName, Seat, USER_LABEL},
    surroundings::{Surroundings, has_program},
};
use crate::containers::{Engine, LocalService, Machine};

/// Where a command has its engine's socket.
const RUN: &str = "/run";

/// An open lab.
pub(super) struct Session {
    pub(super) name: LabName,
    pub(super) folder: Folder,
    pub(super) around: Surroundings,
    pub(super) podman: bool,
    engine: Engine,
    /// Ends with the command. The hosts do not.
    _service: Option<LocalService>,
}

/// A host of the lab, as the engine has it.
#[derive(Debug, Clone)]
pub(super) struct Host {
    pub(super) seat: Seat,
    pub(super) user: String,
    pub(super) machine: Machine,
}

impl Session {
    /// Reaches the engine. With Podman it is a service of our own, with settings that fit this machine; else whatever
    /// answers on a socket.
    pub(super) async fn open(name: &str, asked: Option<&Path>) -> Result<Self, LabError> {
        let name = LabName::parse(name)?;
        let around = Surroundings::read();
        if !around.root {
            return Err(LabError::NotRoot);
        }
        leftovers::sweep(Path::new(RUN)).await;
        let folder = Folder::of(&name, asked)?;
        let podman = has_program("podman");
        if !podman {
            let engine = Engine::local().await?;
            return Ok(Self {
                name,
                folder,
                around,
                podman,
                engine,
                _service: None,
            });
        }
        let place = service_folder();
        let settings = match around.settings() {
            None => None,
            Some(text) => {
                if !has_program("runc") {
                    return Err(LabError::Program {
                        program: "runc",
                        said: "it is not installed, and crun cannot run hosts on this machine".to_owned(),
                        hint: "install it: `apt install runc` or `dnf install runc`",
                    });
                }
                // Podman reads the file again whenever a host ends, so it lives in the lab's folder when there is one.
                let path = if folder.exists() {
                    folder.settings()
                } else {
                    place.join("containers.conf")
                };
                if let Some(parent) = path.parent() {
                    std::fs::create_dir_all(parent)
                        .map_err(LabError::file(format!("make the folder {}", parent.display())))?;
                }
                folder::write(&path, &text)?;
                Some(path)
            }
        };
        let service = LocalService::start(&place, settings.as_deref()).await?;
        Ok(Self {
            name,
            folder,
            around,
            podman,
            engine: service.engine().clone(),
            _service: Some(service),
        })
    }

    pub(super) fn engine(&self) -> &Engine {
        &self.engine
    }

    /// The lab's hosts in the order of their numbers.
    pub(super) async fn hosts(&self) -> Result<Vec<Host>, LabError> {
        let machines = self.engine.machines_with(LAB_LABEL, self.name.as_str()).await?;
        let label = |machine: &Machine, name: &str| machine.labels.get(name).cloned().unwrap_or_default();
        let mut hosts: Vec<Host> = machines
            .into_iter()
            .map(|machine| Host {
                seat: Seat {
                    host: label(&machine, HOST_LABEL),
                    address: label(&machine, ADDRESS_LABEL),
                },
                user: label(&machine, USER_LABEL),
                machine,
            })
            .collect();
        hosts.sort_by_key(|host| names::order(&host.seat.host));
        Ok(hosts)
    }

    /// The hosts of a lab that must exist. The folder becomes the one that the lab was made with.
    pub(super) async fn existing(&mut self) -> Result<Vec<Host>, LabError> {
        let hosts = self.hosts().await?;
        let Some(first) = hosts.first() else {
            return Err(LabError::NoLab {
                name: self.name.as_str().to_owned(),
            });
        };
        if let Some(path) = first.machine.labels.get(FOLDER_LABEL) {
            self.folder = Folder::at(path);
        }
        Ok(hosts)
    }

    /// One host of a lab that must exist.
    pub(super) async fn host(&mut self, wanted: &str) -> Result<Host, LabError> {
        let hosts = self.existing().await?;
        let known: Vec<&str> = hosts.iter().map(|host| host.seat.host.as_str()).collect();
        match hosts.iter().find(|host| host.seat.host == wanted) {
            Some(host) => Ok(host.clone()),
            None => Err(LabError::NoHost {
                lab: self.name.as_str().to_owned(),
                host: wanted.to_owned(),
                known: known.join(", "),
            }),
        }
    }

    /// What hosts.toml says of these hosts.
    pub(super) async fn listed(&self, hosts: &[Host]) -> Result<Vec<Listed>, LabError> {
        let mut listed = Vec::with_capacity(hosts.len());
        for host in hosts {
            listed.push(Listed {
                name: host.seat.host.clone(),
                address: host.seat.address.clone(),
                user: host.user.clone(),
                host_key: self.folder.host_key(&host.seat.host).await?.public,
            });
        }
        Ok(listed)
    }
}

/// A folder of this command's own. The path is short, because a socket's path has at most 107 bytes.
fn service_folder() -> PathBuf {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let number = COUNT.fetch_add(1, Ordering::Relaxed);
    Path::new(RUN).join(format!("{}{}-{number}", leftovers::PREFIX, std::process::id()))
}
