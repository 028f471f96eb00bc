//! The fleet page in Chromium with 1,000 hosts: how regularly it is drawn while it scrolls.

use std::process::Stdio;

use serde_json::Value;
use tokio::process::Command;

use super::ScenarioError;
use crate::{
    context::{Context, tail, words},
    report::Figure,
};

/// Drives the browser by the tools of the browser tests.
const SCRIPT: &str = "e2e/browser/measure/scroll.js";

/// Scrolls and measures.
///
/// # Errors
/// When the browser or the server fails.
pub async fn browser(context: &Context) -> Result<Vec<Figure>, ScenarioError> {
    let mut command = Command::new("node");
    command
        .arg(context.project.join(SCRIPT))
        .env("SOCKET_SERVER", context.program("socket-server"))
        .env("NODE_CLIENT", context.program("node-client"))
        .env("LOAD_GENERATOR", context.program("metric-flow-bench"))
        .stdin(Stdio::null())
        .kill_on_drop(true);
    let output = command.output().await?;
    let failed = |text: &[u8]| ScenarioError::Command {
        command: words(command.as_std()),
        output: tail(text),
    };
    if !output.status.success() {
        return Err(failed(&output.stderr));
    }
    let seen: Value = serde_json::from_slice(&output.stdout).map_err(|_error| failed(&output.stdout))?;
    let number = |stretch: &str, name: &str| seen[stretch][name].as_f64().unwrap_or(f64::NAN);
    let beside = |name: &str, unit: &str| {
        format!(
            "at rest: {:.1} {unit}; without hosts: {:.1} {unit}",
            number("rest", name),
            number("empty", name)
        )
    };
    let mut figures = vec![
        Figure::at_least(
            "frames a second while scrolling",
            number("scroll", "frames_per_second"),
            59.0,
            "1/s",
        )
        .against(beside("frames_per_second", "1/s")),
    ];
    for (name, field, unit) in [
        (
            "frames of 60 Hz not drawn while scrolling",
            "dropped_percent",
            "%",
        ),
        ("time between frames while scrolling, p50", "p50_ms", "ms"),
        ("time between frames while scrolling, p95", "p95_ms", "ms"),
        ("time between frames while scrolling, p99", "p99_ms", "ms"),
    ] {
        figures.push(Figure::number(name, number("scroll", field), unit).against(beside(field, unit)));
    }
    Ok(figures)
}
