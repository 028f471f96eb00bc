//! What most verbs begin with: both files read, and the hosts connected.

use std::{
    borrow::Cow,
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use crate::{
    cli::{HostsArgs, ProjectArgs},
    compose::{self, Project, Variables},
    containers::{Engine, EngineError, LocalService},
    error::Failure,
    execute::{Fleet, LocalImages, contents, remembered},
    inventory::Inventory,
    lab,
    plan::{DesiredHost, Scope, place},
    printer::Printer,
    remote::Connector,
};

/// Both files, read.
pub(super) struct Scene {
    pub(super) project: Project,
    pub(super) inventory: Inventory,
    /// Where the deployer keeps what it has to remember here.
    pub(super) folder: PathBuf,
}

/// What is wanted.
pub(super) struct Wanted {
    pub(super) desired: BTreeMap<String, DesiredHost>,
    pub(super) images: LocalImages,
    pub(super) contents: BTreeMap<String, (Vec<u8>, String)>,
}

/// The hosts of the file, or those of them that are named.
pub(super) fn inventory(arguments: &HostsArgs) -> Result<Inventory, Failure> {
    Ok(Inventory::load(&arguments.hosts)?)
}

/// Leaves out the hosts that are not named; jump hosts that are needed stay reachable by the whole file.
pub(super) fn chosen(inventory: &Inventory, only: &[String]) -> Result<Inventory, Failure> {
    if only.is_empty() {
        return Ok(inventory.clone());
    }
    if let Some(unknown) = only.iter().find(|name| inventory.host(name).is_none()) {
        let known: Vec<&str> = inventory.hosts.iter().map(|host| host.name.as_str()).collect();
        return Err(
            Failure::usage(format!("there is no host `{unknown}` in hosts.toml"))
                .hint(format!("there are {}", known.join(", "))),
        );
    }
    let hosts = inventory
        .hosts
        .iter()
        .filter(|host| only.contains(&host.name))
        .cloned()
        .collect();
    Ok(Inventory {
        hosts,
        lab: inventory.lab.clone(),
        gates: inventory.gates.clone(),
    })
}

/// The variables of the environment, and the address of the server for the services that have to find it.
fn variables(inventory: &Inventory) -> Variables {
    let is_server = |host: &&crate::inventory::Host| {
        host.roles.contains("server") || host.labels.get("role").is_some_and(|role| role == "server")
    };
    let mut variables = Variables::new();
    if let Some(server) = inventory.hosts.iter().find(is_server) {
        variables.insert("SERVER_ADDRESS".to_owned(), server.address.clone());
    }
    variables.extend(std::env::vars());
    variables
}

impl Scene {
    /// Reads both files.
    pub(super) fn load(arguments: &ProjectArgs) -> Result<Self, Failure> {
        let inventory = inventory(&arguments.hosts)?;
        let project = compose::load(&arguments.file, &variables(&inventory))?;
        let parent = arguments.hosts.hosts.parent().unwrap_or(Path::new(""));
        let folder = parent.join(".deployer").join(&project.name);
        Ok(Self {
            project,
            inventory,
            folder,
        })
    }

    /// Where the account of the project's server is written down here.
    pub(super) fn account_file(&self) -> PathBuf {
        self.folder.join("account.json")
    }

    /// What each host is to run, with the images and contents that are at hand here.
    pub(super) async fn wanted(&self, here: Option<&Here>) -> Result<Wanted, Failure> {
        let images = LocalImages::of(&self.project, here.map(|here| here.engine.clone()))
            .await
            .map_err(|error| Failure::because("the images of this machine cannot be looked up", &error))?;
        self.wanted_of(images)
    }

    /// What each host is to run, when the images of this machine are those that were remembered; nothing when they may not
    /// be.
    pub(super) fn wanted_as_remembered(&self) -> Result<Option<Wanted>, Failure> {
        remembered(&self.folder, &self.project)
            .map(|images| self.wanted_of(images))
            .transpose()
    }

    fn wanted_of(&self, images: LocalImages) -> Result<Wanted, Failure> {
        let contents = contents(&self.project)
            .map_err(|error| Failure::because("a secret or config is missing", &error))?;
        let hashes = contents
            .iter()
            .map(|(name, (_, hash))| (name.clone(), hash.clone()))
            .collect();
        let desired = place(&self.project, &self.inventory, &images.ids, &hashes).map_err(|problems| {
            let mut failure = Failure::usage("the services do not fit on the hosts");
            failure.causes = problems;
            failure.hint(
                "see `deploy.placement.constraints` in the Compose file, roles and labels in hosts.toml",
            )
        })?;
        Ok(Wanted {
            desired,
            images,
            contents,
        })
    }

    /// Connects to the hosts that are named, or to all.
    pub(super) async fn connect(&self, only: &[String]) -> Result<Fleet, Failure> {
        Ok(self.reach(only).await?.ready().await)
    }

    /// The same, but the engines are not asked yet.
    pub(super) async fn reach(&self, only: &[String]) -> Result<Fleet, Failure> {
        let connector = connector(&self.inventory)?;
        let chosen = chosen(&self.inventory, only)?;
        Ok(Fleet::reach_some(&connector, &chosen.hosts, &self.inventory, &self.project.name).await)
    }

    /// The update of each service, in the order of dependencies.
    pub(super) fn scope(&self, no_firewall: bool) -> Scope {
        let services = &self.project.services;
        Scope {
            services: services
                .iter()
                .map(|service| (service.name.clone(), Some(service.update.order)))
                .collect(),
            no_firewall,
            ssh_ports: self
                .inventory
                .hosts
                .iter()
                .map(|host| (host.name.clone(), host.port))
                .collect(),
            resumed: BTreeMap::new(),
        }
    }
}

/// What a host is to run: nothing, when the project places nothing there.
pub(super) fn desired_of<'a>(desired: &'a BTreeMap<String, DesiredHost>, host: &str) -> Cow<'a, DesiredHost> {
    desired
        .get(host)
        .map_or_else(|| Cow::Owned(DesiredHost::default()), Cow::Borrowed)
}

/// A connector for the hosts of a file.
pub(super) fn connector(inventory: &Inventory) -> Result<Connector, Failure> {
    Connector::new(inventory.lab.connect_timeout).map_err(|error| Failure::because("cannot connect", &error))
}

/// The engine of this machine, with the service that was started for it.
pub(super) struct Here {
    pub(super) engine: Engine,
    /// Ends with the command.
    _service: Option<LocalService>,
    /// Its socket and settings; goes after it.
    _folder: Option<tempfile::TempDir>,
}

impl Here {
    /// The engine that answers on a socket, else a service of our own.
    pub(super) async fn open() -> Result<Self, EngineError> {
        match Engine::local().await {
            Ok(engine) => Ok(Self {
                engine,
                _service: None,
                _folder: None,
            }),
            Err(none) => {
                // A name that nobody can guess: what another user has put there would be read as settings of root's engine.
                let made = tempfile::Builder::new().prefix("deployer-engine-").tempdir();
                let made = made.map_err(|source| EngineError::Local {
                    what: "make a folder for the engine's socket".to_owned(),
                    source,
                })?;
                let folder = made.path();
                // Builds end before the command does, so the settings may go with the folder.
                let settings = lab::engine_settings().and_then(|text| {
                    let file = folder.join("containers.conf");
                    std::fs::write(&file, text).ok().map(|()| file)
                });
                // No socket and no Podman: that there is no socket is the better reason.
                let service = LocalService::start(folder, settings.as_deref())
                    .await
                    .map_err(|_| none)?;
                Ok(Self {
                    engine: service.engine().clone(),
                    _service: Some(service),
                    _folder: Some(made),
                })
            }
        }
    }
}

/// The engine of this machine, if there is one. The hosts pull their images themselves without it.
pub(super) async fn local_engine() -> Option<Here> {
    Here::open().await.ok()
}

/// Ends a command that needs every host when one is missing.
pub(super) fn all_reachable(fleet: &Fleet) -> Result<(), Failure> {
    let Some((host, error)) = fleet.unreachable.iter().next() else {
        return Ok(());
    };
    let mut failure = Failure::new(format!(
        "{} of {} hosts cannot be reached",
        fleet.unreachable.len(),
        fleet.unreachable.len() + fleet.targets.len()
    ));
    for (host, error) in &fleet.unreachable {
        let cause = Failure::because(String::new(), error).causes.join(": ");
        failure.causes.push(format!("{host}: {cause}"));
    }
    Err(match error.hint(host) {
        Some(hint) => failure.hint(hint),
        None => failure,
    })
}

/// Says which hosts are missing, for commands that do without them.
pub(super) fn say_unreachable(fleet: &Fleet, printer: &Printer) {
    for (host, error) in &fleet.unreachable {
        let causes = Failure::because(String::new(), error).causes.join(": ");
        printer.note(&format!("warning: {host}: {causes}"));
    }
}
