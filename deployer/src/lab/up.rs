//! Makes a lab, or what is missing of one.

use futures_util::{StreamExt as _, TryStreamExt as _, future::join_all, stream};

use super::{
    base::{self, Stage},
    error::LabError,
    folder::{self, KeyPair},
    inventory_file,
    names::{self, ADDRESS_LABEL, FOLDER_LABEL, HOST_LABEL, LAB_LABEL, Seat, USER_LABEL},
    network::SHUT_DOWN,
    reach,
    session::{Host, Session},
    surroundings::{self, MODEST_LIMIT},
};
use crate::{
    containers::{EngineError, MachineSpec},
    progress::{Event, Progress, Task, Unit},
};

/// Hosts that are made at the same time. The engine does most of it one by one; a few keep it busy.
const AT_ONCE: usize = 4;

/// What was asked for.
#[derive(Debug, Clone)]
pub(super) struct Wanted {
    pub(super) hosts: usize,
    pub(super) bare: bool,
    pub(super) base: Option<String>,
}

impl Wanted {
    /// Who logs in: the deployer's own user, or the one that a Vagrant box has.
    fn user(&self) -> &'static str {
        if self.bare { "vagrant" } else { "deploy" }
    }
}

/// Brings the lab up. Returns how many hosts were made or started.
pub(super) async fn up(
    session: &Session,
    wanted: &Wanted,
    progress: &dyn Progress,
) -> Result<usize, LabError> {
    let present = session.hosts().await?;
    let ours = session.folder.path();
    for host in &present {
        if host
            .machine
            .labels
            .get(FOLDER_LABEL)
            .is_some_and(|path| path != &ours.display().to_string())
        {
            return Err(LabError::Elsewhere {
                name: session.name.as_str().to_owned(),
                folder: host.machine.labels[FOLDER_LABEL].clone().into(),
            });
        }
    }
    if let Some(message) = surroundings::raise_inotify(wanted.hosts.max(present.len()))? {
        progress.report(Event::Note { message: &message });
    }
    let subnet = network(session).await?;
    let all = names::seats(&subnet, wanted.hosts.max(present.len()));
    let missing: Vec<Seat> = all
        .into_iter()
        .filter(|seat| !present.iter().any(|host| host.seat == *seat))
        .collect();
    // A host whose keys are gone from the folder opens to nobody: it boots again, with new ones.
    let asleep: Vec<&Host> = present
        .iter()
        .filter(|host| match host.machine.state.as_str() {
            "paused" => false,
            "running" => !session.folder.has_keys_of(&host.seat.host),
            _ => true,
        })
        .collect();

    let login = session.folder.login_key().await?;
    if !missing.is_empty() || !asleep.is_empty() {
        let image = match missing.is_empty() {
            true => None,
            false => {
                let stage = if wanted.bare { Stage::Bare } else { Stage::Host };
                Some(base::image(session, stage, wanted.base.as_deref(), progress).await?)
            }
        };
        let count = missing.len() + asleep.len();
        let total = u64::try_from(count).ok();
        let task = Task::counted(
            progress,
            "hosts",
            &format!("starting {count}"),
            total,
            Unit::Items,
        );
        for host in &asleep {
            if host.machine.state == "running" {
                session
                    .engine()
                    .stop_machine(&host.machine.name, SHUT_DOWN)
                    .await?;
            }
            // An `up` that was killed may have made it without them.
            give_keys(session, &login, &host.seat.host).await?;
            session.engine().start_machine(&host.machine.name).await?;
        }
        if let Some(image) = &image {
            let maker = Maker {
                session,
                wanted,
                image,
                login: &login,
            };
            let made = stream::iter(&missing)
                .map(|seat| maker.make(seat))
                .buffer_unordered(AT_ONCE);
            made.try_collect::<Vec<()>>().await?;
        }
        task.doing("waiting for ssh");
        reach::wait_for_ssh(session, &reachable(session, progress).await?, &task).await?;
        task.done("answer on ssh");
    } else {
        // Also hosts that an `up` which was killed has started, and that still boot.
        let seats = reachable(session, progress).await?;
        let answers = join_all(seats.iter().map(|seat| reach::answers(&seat.address))).await;
        if answers.contains(&false) {
            let task = Task::start(progress, "hosts", "waiting for ssh");
            reach::wait_for_ssh(session, &seats, &task).await?;
            task.done("answer on ssh");
        }
    }
    let hosts = session.hosts().await?;
    let listed = session.listed(&hosts).await?;
    let text = inventory_file::inventory(session.name.as_str(), &session.folder.identity(), &listed);
    folder::write(&session.folder.inventory(), &text)?;
    folder::write(
        &session.folder.known_hosts(),
        &inventory_file::known_hosts(&listed),
    )?;
    Ok(missing.len() + asleep.len())
}

/// The hosts that can answer. Those that somebody has cut off or frozen are named instead.
async fn reachable(session: &Session, progress: &dyn Progress) -> Result<Vec<Seat>, LabError> {
    let (network, lab) = (session.name.network(), session.name.as_str());
    let mut seats = Vec::new();
    for Host { seat, machine, .. } in session.hosts().await? {
        if machine.state != "paused" && machine.networks.contains(&network) {
            seats.push(seat);
            continue;
        }
        let host = &seat.host;
        let message =
            format!("{host} is cut off or frozen; `deployer lab heal --name {lab} {host}` brings it back");
        progress.report(Event::Note { message: &message });
    }
    Ok(seats)
}

/// The subnet of the lab's network, which is made when there is none.
async fn network(session: &Session) -> Result<String, LabError> {
    let networks = session.engine().networks().await?;
    let name = session.name.network();
    let own = networks.iter().find(|network| {
        network
            .labels
            .get(LAB_LABEL)
            .is_some_and(|lab| lab == session.name.as_str())
    });
    if let Some(subnet) = own.and_then(|network| network.subnet.clone()) {
        return Ok(subnet);
    }
    if networks.iter().any(|network| network.name == name) {
        return Err(LabError::NetworkTaken {
            lab: session.name.as_str().to_owned(),
            name,
        });
    }
    let labels = session.name.labels(&session.folder.path().display().to_string());
    for subnet in names::free_subnets(&session.name, &networks, &surroundings::routes()) {
        let gateway = names::gateway(&subnet);
        match session
            .engine()
            .create_network(&name, &subnet, &gateway, labels.clone())
            .await
        {
            Ok(()) => return Ok(subnet),
            // Another lab was quicker, or something that we cannot see has it: the next one, then.
            Err(EngineError::Refused { message, .. })
                if message.contains("subnet") || message.contains("already used") => {}
            Err(error) => return Err(error.into()),
        }
    }
    Err(LabError::NoSubnet)
}

struct Maker<'a> {
    session: &'a Session,
    wanted: &'a Wanted,
    image: &'a str,
    login: &'a KeyPair,
}

impl Maker<'_> {
    async fn make(&self, seat: &Seat) -> Result<(), LabError> {
        let session = self.session;
        let name = session.name.container(&seat.host);
        let mut labels = session.name.labels(&session.folder.path().display().to_string());
        // The engine inside needs a file system that overlays can stand on; the host's own is an overlay already.
        session.engine().create_volume(&name, labels.clone()).await?;
        labels.extend([
            (HOST_LABEL.to_owned(), seat.host.clone()),
            (ADDRESS_LABEL.to_owned(), seat.address.clone()),
            (USER_LABEL.to_owned(), self.wanted.user().to_owned()),
        ]);
        let mut binds = vec![format!("{name}:/var/lib/containers")];
        if session.around.hybrid_cgroups {
            binds.push("/sys/fs/cgroup/unified:/sys/fs/cgroup:rw".to_owned());
        }
        let spec = MachineSpec {
            name: name.clone(),
            hostname: seat.host.clone(),
            image: self.image.to_owned(),
            network: session.name.network(),
            address: seat.address.clone(),
            binds,
            shares_cgroups: session.around.hybrid_cgroups,
            file_limit: (!session.around.may_raise_limits).then_some(MODEST_LIMIT),
            // Podman adds these for systemd by itself.
            tmpfs: match session.podman {
                true => Vec::new(),
                false => ["/run", "/run/lock", "/tmp"].map(str::to_owned).to_vec(),
            },
            labels,
        };
        session.engine().create_machine(spec).await?;
        give_keys(session, self.login, &seat.host).await?;
        session.engine().start_machine(&name).await?;
        Ok(())
    }
}

/// Puts a host's own key, and the key that opens it, into a machine that does not run.
async fn give_keys(session: &Session, login: &KeyPair, host: &str) -> Result<(), LabError> {
    let files = key_files(&session.folder.host_key(host).await?, login);
    let files = files.map_err(LabError::file("pack a host's keys"))?;
    let name = session.name.container(host);
    session.engine().put_files(&name, files).await?;
    Ok(())
}

fn key_files(host_key: &KeyPair, login: &KeyPair) -> std::io::Result<Vec<u8>> {
    let mut archive = tar::Builder::new(Vec::new());
    let (private, public) = (&host_key.private, format!("{}\n", host_key.public));
    base::append(&mut archive, "etc/ssh/ssh_host_ed25519_key", private, 0o600)?;
    base::append(&mut archive, "etc/ssh/ssh_host_ed25519_key.pub", &public, 0o644)?;
    let opens = format!("{}\n", login.public);
    base::append(&mut archive, "etc/ssh/lab_keys", &opens, 0o644)?;
    archive.into_inner()
}
