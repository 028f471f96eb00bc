//! Exporting a store that a running server holds: the server writes the file itself, asked through a socket in the
//! store's folder that only its own user can reach.

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
    io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader},
    net::{UnixListener, UnixStream},
};
use tokio_util::sync::CancellationToken;

use super::open_store::Failure;

/// Name of the socket in the folder.
const SOCKET: &str = "export.sock";

/// How long a caller may take to say where to.
const QUESTION_DEADLINE: Duration = Duration::from_secs(10);

/// Longest path that is read, in bytes: longer than any that a system takes.
const PATH_BYTES_MAX: u64 = 8_192;

/// First word of the line that ends a good answer.
const DONE: &str = "done";
/// First word of the line that ends a bad one.
const FAILED: &str = "failed ";

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
pub(super) async fn answer(listener: UnixListener, store: Arc<dyn TransferStore>, ending: CancellationToken) {
    while let Some(Ok((caller, _))) = ending.run_until_cancelled(listener.accept()).await {
        let answered = ending
            .run_until_cancelled(Box::pin(answer_one(caller, &*store)))
            .await;
        if let Some(Err(error)) = answered {
            tracing::warn!(%error, "an export's caller went away");
        }
    }
}

async fn answer_one(caller: UnixStream, store: &dyn TransferStore) -> io::Result<()> {
    let (from, mut to) = caller.into_split();
    let mut path = String::new();
    let mut from = BufReader::new(from.take(PATH_BYTES_MAX));
    tokio::time::timeout(QUESTION_DEADLINE, from.read_line(&mut path))
        .await
        .map_err(io::Error::other)??;
    let path = PathBuf::from(path.trim_end_matches('\n'));
    tracing::info!(path = %path.display(), "exporting");
    let answer = match transfer::export(store, &path).await {
        Ok(report) => {
            let sections = report.sections.iter();
            let lines = sections.map(|moved| format!("{} {}\n", moved.in_file, moved.section.name()));
            format!("{}{DONE}\n", lines.collect::<String>())
        }
        Err(error) => format!("{FAILED}{}\n", error.to_string().replace('\n', " ")),
    };
    to.write_all(answer.as_bytes()).await
}

/// Asks the server that holds a folder for an export; `None` when no server listens there.
///
/// # Errors
/// What the server says, or that it went away.
pub(super) async fn ask(folder: &Path, file: &Path) -> Result<Option<Vec<String>>, Failure> {
    let Ok(mut server) = UnixStream::connect(folder.join(SOCKET)).await else {
        return Ok(None);
    };
    // The server may run in another folder.
    let file = std::path::absolute(file)?;
    let file = file.to_str().ok_or("the path of the file is not UTF-8")?;
    server.write_all(format!("{file}\n").as_bytes()).await?;
    let mut answer = String::new();
    server.read_to_string(&mut answer).await?;
    let mut lines: Vec<String> = answer.lines().map(ToOwned::to_owned).collect();
    match lines.pop() {
        Some(last) if last == DONE => Ok(Some(lines)),
        Some(last) if last.starts_with(FAILED) => Err(last.trim_start_matches(FAILED).into()),
        _ => Err("the server went away before the export was complete; try again".into()),
    }
}
