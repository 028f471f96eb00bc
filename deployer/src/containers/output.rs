//! What containers write: their logs, and commands run inside them.

use std::time::Duration;

use bollard::{
    container::LogOutput,
    exec::{CreateExecOptions, StartExecResults},
    query_parameters::LogsOptionsBuilder,
};
use futures_util::{StreamExt as _, TryStreamExt as _};

use super::{engine::Engine, error::EngineError};

/// Which of its two streams a container wrote to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stream {
    /// Standard output.
    Out,
    /// Standard error.
    Err,
}

/// A piece of output.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogLine {
    /// Where it was written to.
    pub stream: Stream,
    /// Without the line's end.
    pub text: String,
}

/// What a command in a container came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exec {
    /// What it wrote.
    pub lines: Vec<LogLine>,
    /// Its exit status.
    pub status: Option<i64>,
}

/// How long the last lines of a container are waited for: they are wanted in an error that must come out, and on a host
/// that is busy with a container that starts again and again they take a while.
const LAST_LINES: Duration = Duration::from_secs(20);

impl Engine {
    /// The lines of a container, the last `tail` of them first, then as they come if `follow`. A caller that follows
    /// reads on until the end, or drops the stream; the engine's connection waits for it.
    pub fn logs<'a>(
        &'a self,
        name: &'a str,
        tail: Option<u32>,
        follow: bool,
    ) -> impl futures_util::Stream<Item = Result<LogLine, EngineError>> + 'a {
        let tail = tail.map_or_else(|| "all".to_owned(), |lines| lines.to_string());
        let options = LogsOptionsBuilder::new()
            .stdout(true)
            .stderr(true)
            .follow(follow)
            .tail(&tail)
            .build();
        let pieces = self.docker().logs(name, Some(options));
        let pieces = pieces
            .map(move |piece| piece.map_err(|error| self.failed(&format!("show the log of {name}"))(error)));
        pieces
            .map_ok(|piece| futures_util::stream::iter(lines(piece).into_iter().map(Ok)))
            .try_flatten()
    }

    /// The last lines of a container, for an error message; empty when they cannot be had.
    pub async fn last_lines(&self, name: &str, count: u32) -> Vec<String> {
        let read = self
            .logs(name, Some(count), false)
            .map_ok(|line| line.text)
            .try_collect::<Vec<_>>();
        tokio::time::timeout(LAST_LINES, read)
            .await
            .ok()
            .and_then(Result::ok)
            .unwrap_or_default()
    }

    /// Runs a command in a container.
    ///
    /// # Errors
    ///
    /// When the container does not run or the command is not in it.
    pub async fn exec(&self, name: &str, command: &[String]) -> Result<Exec, EngineError> {
        let failed = || self.failed(&format!("run a command in {name}"));
        let options = CreateExecOptions {
            attach_stdout: Some(true),
            attach_stderr: Some(true),
            cmd: Some(command.to_vec()),
            ..CreateExecOptions::default()
        };
        let created = self.docker().create_exec(name, options).await.map_err(failed())?;
        let mut written = Vec::new();
        if let StartExecResults::Attached { mut output, .. } = self
            .docker()
            .start_exec(&created.id, None)
            .await
            .map_err(failed())?
        {
            while let Some(piece) = output.try_next().await.map_err(failed())? {
                written.extend(lines(piece));
            }
        }
        let ended = self.docker().inspect_exec(&created.id).await.map_err(failed())?;
        Ok(Exec {
            lines: written,
            status: ended.exit_code,
        })
    }
}

fn lines(piece: LogOutput) -> Vec<LogLine> {
    let stream = if matches!(piece, LogOutput::StdErr { .. }) {
        Stream::Err
    } else {
        Stream::Out
    };
    let bytes = piece.into_bytes();
    let text = String::from_utf8_lossy(&bytes);
    text.lines()
        .map(|line| LogLine {
            stream,
            text: line.to_owned(),
        })
        .collect()
}
