//! Exporting or backing up a store that a running server holds: the server writes it itself, asked through a socket in
//! the store's folder that only its own user can reach.

use std::{
    fs::Permissions,
    io,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use socket_server::{store::TransferStore, transfer};
use tokio::{
    io::{AsyncBufReadExt as _, AsyncRead, AsyncReadExt as _, AsyncWriteExt as _, BufReader},
    net::{UnixListener, UnixStream},
};
use tokio_util::sync::CancellationToken;

use super::open_store::Failure;

/// Name of the socket in the folder.
const SOCKET: &str = "server.sock";

/// How long a caller may take to say what it wants.
const QUESTION_DEADLINE: Duration = Duration::from_secs(10);

/// Longest question that is read, in bytes: longer than any path that a system takes.
const QUESTION_BYTES_MAX: u64 = 8_192;

/// First word of the line that ends a good answer.
const DONE: &str = "done";
/// First word of the line that ends a bad one.
const FAILED: &str = "failed ";

/// What a running server can be asked for; the path to write to follows on the same line.
#[derive(Clone, Copy)]
pub(super) enum Deed {
    /// A file of everything but log-ins.
    Export,
    /// A copy of the store's folder.
    Backup,
}

impl Deed {
    const ALL: [Self; 2] = [Self::Export, Self::Backup];

    const fn word(self) -> &'static str {
        match self {
            Self::Export => "export",
            Self::Backup => "backup",
        }
    }
}

/// The store that a server has open, and its folder.
#[derive(Clone)]
pub(super) struct Held {
    pub(super) store: Arc<dyn TransferStore>,
    pub(super) folder: PathBuf,
}

/// Listens in a folder. The caller has the store open, so that a socket which is there was left behind.
pub(super) fn listen(folder: &Path) -> io::Result<UnixListener> {
    let path = folder.join(SOCKET);
    match std::fs::remove_file(&path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let listener = UnixListener::bind(&path)?;
    std::fs::set_permissions(&path, Permissions::from_mode(0o600))?;
    Ok(listener)
}

/// Answers one caller after another until `ending`.
pub(super) async fn answer(listener: UnixListener, held: Held, ending: CancellationToken) {
    while let Some(Ok((caller, _))) = ending.run_until_cancelled(listener.accept()).await {
        let answered = ending
            .run_until_cancelled(Box::pin(answer_one(caller, &held)))
            .await;
        if let Some(Err(error)) = answered {
            tracing::warn!(%error, "a command that asked this server went away");
        }
    }
}

async fn answer_one(caller: UnixStream, held: &Held) -> io::Result<()> {
    let (from, mut to) = caller.into_split();
    let mut question = String::new();
    let mut from = BufReader::new(from.take(QUESTION_BYTES_MAX));
    tokio::time::timeout(QUESTION_DEADLINE, from.read_line(&mut question))
        .await
        .map_err(io::Error::other)??;
    // Whatever ends the waiting ends the work: this server's end, and a caller that is gone.
    let ended = CancellationToken::new();
    let _ends_the_work = ended.clone().drop_guard();
    let answer = tokio::select! {
        done = Box::pin(carry_out(question.trim_end_matches('\n'), held, ended)) => match done {
            Ok(lines) => format!("{lines}{DONE}\n"),
            Err(error) => format!("{FAILED}{}\n", error.replace('\n', " ")),
        },
        () = hung_up(&mut from) => return Err(io::ErrorKind::ConnectionAborted.into()),
    };
    to.write_all(answer.as_bytes()).await
}

/// Does what is asked; returns the lines that tell of it.
async fn carry_out(question: &str, held: &Held, ended: CancellationToken) -> Result<String, String> {
    let (word, path) = question.split_once(' ').unwrap_or((question, ""));
    let deed = Deed::ALL
        .into_iter()
        .find(|deed| deed.word() == word && !path.is_empty());
    tracing::info!(word, path, "asked by a command");
    match deed {
        Some(Deed::Export) => match transfer::export(&*held.store, Path::new(path)).await {
            Ok(report) => {
                let line = |moved: &transfer::Moved| format!("{} {}\n", moved.in_file, moved.section.name());
                Ok(report.sections.iter().map(line).collect())
            }
            Err(error) => Err(error.to_string()),
        },
        Some(Deed::Backup) => {
            let (store, folder) = (Arc::clone(&held.store), held.folder.clone());
            match transfer::back_up_live(store, folder, path.into(), ended).await {
                Ok(done) => Ok(format!("{done}\n")),
                Err(error) => Err(error.to_string()),
            }
        }
        None => Err("this server does not know what is asked: use the command of its own release".to_owned()),
    }
}

/// Returns when the caller has closed its end; what it says until then is skipped.
async fn hung_up(from: &mut (impl AsyncRead + Unpin)) {
    let mut skipped = [0; 64];
    while let Ok(1..) = from.read(&mut skipped).await {}
}

/// Asks the server that holds a folder; `None` when no server listens there.
///
/// # Errors
/// What the server says, or that it went away.
pub(super) async fn ask(folder: &Path, deed: Deed, path: &Path) -> Result<Option<Vec<String>>, Failure> {
    let Ok(mut server) = UnixStream::connect(folder.join(SOCKET)).await else {
        return Ok(None);
    };
    // The server may run in another folder.
    let path = std::path::absolute(path)?;
    let path = path.to_str().ok_or("the path is not UTF-8")?;
    let question = format!("{} {path}\n", deed.word());
    server.write_all(question.as_bytes()).await?;
    let mut answer = String::new();
    server.read_to_string(&mut answer).await?;
    let mut lines: Vec<String> = answer.lines().map(ToOwned::to_owned).collect();
    match lines.pop() {
        Some(last) if last == DONE => Ok(Some(lines)),
        Some(last) if last.starts_with(FAILED) => Err(last.trim_start_matches(FAILED).into()),
        _ => Err(format!(
            "the server went away before the {} was complete; try again",
            deed.word()
        )
        .into()),
    }
}
