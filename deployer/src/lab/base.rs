//! The images that hosts boot: Rocky Linux where it can be pulled, else Debian made from its packages.

use std::{collections::HashMap, fs::File, path::PathBuf, process::Stdio};

use sha2::{Digest as _, Sha256};
use tokio::{io::AsyncWriteExt as _, process::Command};

use super::{error::LabError, session::Session, surroundings::has_program};
use crate::{
    containers::BuildSpec,
    progress::{Event, Progress, Task},
};

/// What is pulled when nothing else is asked for.
const ROCKY: &str = "quay.io/rockylinux/rockylinux:9";
/// The word that asks for the base made from packages.
const DEBIAN: &str = "debian";

const BOOTSTRAP: &str = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../provision/bootstrap.sh"));
const BARE: &str = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../provision/lab/bare.sh"));
const DEBIAN_BASE: &str = include_str!(concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../provision/lab/debian-base.sh"
));
const CONTAINERFILE: &str = include_str!(concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../provision/lab/Containerfile"
));

/// Which image a host boots.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stage {
    /// systemd and sshd, no more.
    Bare,
    /// Made ready by bootstrap.sh.
    Host,
}

impl Stage {
    fn word(self) -> &'static str {
        match self {
            Self::Bare => "bare",
            Self::Host => "host",
        }
    }
}

/// The name of an image that is there for hosts to boot; builds it first when it is not. Its tag is a hash of all that
/// it is made from, so that a change of a script makes another image.
pub(super) async fn image(
    session: &Session,
    stage: Stage,
    base: Option<&str>,
    progress: &dyn Progress,
) -> Result<String, LabError> {
    let name = |kind: &str, base: &str| {
        let parts = [base, BOOTSTRAP, BARE, DEBIAN_BASE, CONTAINERFILE];
        format!("localhost/metric-flow-lab-{kind}:{}", hash(&parts))
    };
    let bases: Vec<&str> = base.map_or_else(|| vec![ROCKY, DEBIAN], |base| vec![base]);
    for base in &bases {
        let image = name(stage.word(), base);
        if session.engine().image_id(&image).await?.is_some() {
            return Ok(image);
        }
    }
    // Two labs that come up at once build one image, not two.
    let _turn = turn().await?;
    let (origin, chosen) = match base {
        Some(DEBIAN) => (debian(session, progress).await?, DEBIAN),
        Some(other) => {
            pull(session, other, progress).await?;
            (other.to_owned(), other)
        }
        None => match pull(session, ROCKY, progress).await {
            Ok(()) => (ROCKY.to_owned(), ROCKY),
            Err(_) => {
                progress.report(Event::Note {
                    message: "Rocky Linux cannot be pulled here; the hosts are Debian, made from its packages",
                });
                (debian(session, progress).await?, DEBIAN)
            }
        },
    };
    let image = name(stage.word(), chosen);
    if session.engine().image_id(&image).await?.is_none() {
        let task = Task::start(progress, "image", "building the hosts' image from packages");
        let spec = BuildSpec {
            name: image.clone(),
            target: stage.word().to_owned(),
            arguments: HashMap::from([("BASE".to_owned(), origin)]),
            context: context().map_err(LabError::file("pack the image's files"))?,
        };
        let built = session.engine().build(spec, |line| {
            if line.starts_with("STEP") || line.starts_with("changed:") {
                task.doing(line);
            }
        });
        built.await?;
        task.done("built");
    }
    Ok(image)
}

/// A short name for a content.
fn hash(parts: &[&str]) -> String {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update(part.as_bytes());
        hash.update([0]);
    }
    hash.finalize()
        .iter()
        .take(6)
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

fn context() -> std::io::Result<Vec<u8>> {
    let mut archive = tar::Builder::new(Vec::new());
    for (path, text) in [
        ("Containerfile", CONTAINERFILE),
        ("bare.sh", BARE),
        ("bootstrap.sh", BOOTSTRAP),
    ] {
        append(&mut archive, path, text, 0o755)?;
    }
    archive.into_inner()
}

/// Adds a text file of root's to an archive.
pub(super) fn append(
    archive: &mut tar::Builder<Vec<u8>>,
    path: &str,
    text: &str,
    mode: u32,
) -> std::io::Result<()> {
    let mut header = tar::Header::new_gnu();
    header.set_size(text.len() as u64);
    header.set_mode(mode);
    header.set_uid(0);
    header.set_gid(0);
    header.set_cksum();
    archive.append_data(&mut header, path, text.as_bytes())
}

async fn pull(session: &Session, image: &str, progress: &dyn Progress) -> Result<(), LabError> {
    if session.engine().image_id(image).await?.is_some() {
        return Ok(());
    }
    let task = Task::start(progress, "base", &format!("pulling {image}"));
    match session.engine().pull(image).await {
        Ok(()) => {
            task.done("pulled");
            Ok(())
        }
        Err(error) => {
            task.done("not available here");
            Err(error.into())
        }
    }
}

async fn debian(session: &Session, progress: &dyn Progress) -> Result<String, LabError> {
    // Podman 4 gives an import the tag `latest`, whatever it was asked for; so the hash is part of the name.
    let image = format!("localhost/metric-flow-lab-base-{}:latest", hash(&[DEBIAN_BASE]));
    if session.engine().image_id(&image).await?.is_some() {
        return Ok(image);
    }
    if !has_program("mmdebstrap") {
        return Err(LabError::Program {
            program: "mmdebstrap",
            said: "it is not installed, and no image can be pulled".to_owned(),
            hint: "install it: `apt install mmdebstrap`, or name an image that is here with --base",
        });
    }
    let task = Task::start(progress, "base", "making a Debian base from packages");
    let archive = Scratch(PathBuf::from(format!(
        "/var/tmp/metric-flow-lab-{}.tar",
        std::process::id()
    )));
    debian_root(&archive.0).await?;
    task.doing("importing");
    session.engine().import_root(&image, &archive.0).await?;
    task.done("made");
    Ok(image)
}

async fn debian_root(archive: &PathBuf) -> Result<(), LabError> {
    let failed = |said: String| LabError::Program {
        program: "debian-base.sh",
        said,
        hint: "packages come from Debian's mirrors: look at /etc/apt and the network, then try again",
    };
    let out = File::create(archive).map_err(LabError::file(format!("write {}", archive.display())))?;
    let mut process = Command::new("bash")
        .arg("-s")
        .stdin(Stdio::piped())
        .stdout(out)
        .stderr(Stdio::piped())
        .process_group(0)
        .spawn()
        .map_err(|error| failed(error.to_string()))?;
    let mut group = Group(process.id());
    if let Some(mut stdin) = process.stdin.take() {
        let written = stdin.write_all(DEBIAN_BASE.as_bytes()).await;
        written.map_err(|error| failed(error.to_string()))?;
    }
    let ended = process
        .wait_with_output()
        .await
        .map_err(|error| failed(error.to_string()))?;
    group.0 = None;
    if ended.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&ended.stderr);
    let last: Vec<&str> = said.lines().rev().take(5).collect();
    Err(failed(last.into_iter().rev().collect::<Vec<_>>().join(" / ")))
}

/// A script and what it started, told to end when we stop waiting for it; it cleans up after itself.
struct Group(Option<u32>);

impl Drop for Group {
    fn drop(&mut self) {
        if let Some(leader) = self.0 {
            let _ = std::process::Command::new("kill")
                .args(["-TERM", "--", &format!("-{leader}")])
                .status();
        }
    }
}

/// A file that goes when we are done with it, well or not.
struct Scratch(PathBuf);

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

/// A lock that one command at a time holds, until the file is closed.
async fn turn() -> Result<File, LabError> {
    const LOCK: &str = "/run/lock/metric-flow-lab";
    let locked = tokio::task::spawn_blocking(|| {
        let file = File::create(LOCK)?;
        file.lock()?;
        Ok(file)
    });
    match locked.await {
        Ok(result) => result.map_err(LabError::file(format!("lock {LOCK}"))),
        Err(stopped) => Err(LabError::file(format!("lock {LOCK}"))(std::io::Error::other(
            stopped,
        ))),
    }
}
