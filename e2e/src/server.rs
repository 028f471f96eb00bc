//! A server under test: its log in a file, its address from its output.

use std::{fs::File, io, net::SocketAddr, path::Path, process::Stdio, time::Duration};

use tokio::{
    io::{AsyncBufReadExt, BufReader, Lines},
    process::{Child, ChildStdout, Command},
    time::timeout,
};

/// How long it may take to listen on a busy machine.
const START_DEADLINE: Duration = Duration::from_secs(120);

/// A running server.
#[derive(Debug)]
pub struct Server {
    child: Child,
    _stdout: Lines<BufReader<ChildStdout>>,
    /// Where it listens.
    pub address: SocketAddr,
    /// The token of the set-up link, when it was waited for.
    pub setup_token: String,
}

impl Server {
    /// Starts `socket-server serve` and waits until it listens; a `fresh` one until it says how to set it up, too.
    ///
    /// # Errors
    /// When it cannot be started or does not say where it listens.
    pub async fn start(program: &Path, store: &str, log: &Path, fresh: bool) -> io::Result<Self> {
        let log_file = File::options().create(true).append(true).open(log)?;
        let mut child = Command::new(program)
            .args(["serve", "--listen", "127.0.0.1:0", "--store", store])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(log_file)
            .kill_on_drop(true)
            .spawn()?;
        let silent = || {
            io::Error::other(format!(
                "the server does not listen; its log is {}",
                log.display()
            ))
        };
        let mut lines = BufReader::new(child.stdout.take().ok_or_else(silent)?).lines();
        let (mut address, mut setup_token) = (None, None);
        let reading = async {
            while address.is_none() || (fresh && setup_token.is_none()) {
                let Some(line) = lines.next_line().await? else {
                    return Err(silent());
                };
                if let Some((_, rest)) = line.split_once("listening on http://") {
                    address = rest.trim().parse().ok();
                }
                if let Some((_, token)) = line.split_once("/setup#") {
                    setup_token = Some(token.trim().to_owned());
                }
            }
            Ok(())
        };
        timeout(START_DEADLINE, reading)
            .await
            .map_err(|_elapsed| silent())??;
        Ok(Self {
            child,
            _stdout: lines,
            address: address.ok_or_else(silent)?,
            setup_token: setup_token.unwrap_or_default(),
        })
    }

    /// Ends it at once, as a crash would, and waits until it is gone.
    pub async fn kill(mut self) {
        // An error means that it is gone already.
        let _ = self.child.kill().await;
    }
}
