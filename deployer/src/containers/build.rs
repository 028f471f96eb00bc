//! Building an image: the context as a reproducible archive, and the engine's own build.

use std::{
    io,
    path::{Path, PathBuf},
};

use bollard::{body_full, query_parameters::BuildImageOptions};
use futures_util::StreamExt as _;

use super::{engine::Engine, error::EngineError};
use crate::compose::Build;

/// The files that hold what to leave out of a context, the first that exists counts.
const IGNORE_FILES: [&str; 2] = [".containerignore", ".dockerignore"];

/// Why an image was not built.
#[derive(Debug, thiserror::Error)]
pub enum BuildError {
    /// The context cannot be packed.
    #[error("the build context {folder} cannot be packed")]
    Context {
        /// Where it is.
        folder: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// The engine refuses.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// A line of the Containerfile fails.
    #[error("the build failed: {reason}")]
    Failed {
        /// The engine's own words, with the last lines of its output.
        reason: String,
    },
}

/// The last lines of a build that an error shows.
const LAST_LINES: usize = 15;

impl Engine {
    /// Builds an image and gives it a name. `say` hears the lines of the build.
    ///
    /// # Errors
    ///
    /// When the context cannot be packed or a line of the Containerfile fails.
    pub async fn build_image(
        &self,
        build: &Build,
        name: &str,
        no_cache: bool,
        say: impl Fn(&str),
    ) -> Result<String, BuildError> {
        let context = |source| BuildError::Context {
            folder: build.context.clone(),
            source,
        };
        let archive = archive(&build.context).map_err(context)?;
        let file = build.file.clone().unwrap_or_else(|| {
            let usual = ["Containerfile", "Dockerfile"]
                .iter()
                .find(|file| build.context.join(file).exists());
            PathBuf::from(usual.copied().unwrap_or("Containerfile"))
        });
        let options = BuildImageOptions {
            dockerfile: file.display().to_string(),
            t: Some(name.to_owned()),
            nocache: no_cache,
            rm: true,
            buildargs: Some(build.args.clone().into_iter().collect()),
            target: build.target.clone().unwrap_or_default(),
            ..BuildImageOptions::default()
        };
        let mut lines: Vec<String> = Vec::new();
        let mut answers = std::pin::pin!(self.docker().build_image(
            options,
            None,
            Some(body_full(archive.into()))
        ));
        while let Some(answer) = answers.next().await {
            let answer = match answer {
                Ok(answer) => answer,
                Err(bollard::errors::Error::DockerStreamError { error }) => {
                    return Err(failed(&lines, &error));
                }
                Err(error) => return Err(self.failed(&format!("build {name}"))(error).into()),
            };
            if let Some(error) = answer.error_detail.and_then(|detail| detail.message) {
                return Err(failed(&lines, &error));
            }
            for line in answer
                .stream
                .iter()
                .flat_map(|text| text.lines())
                .filter(|line| !line.trim().is_empty())
            {
                say(line);
                lines.push(line.to_owned());
            }
        }
        match self.image_id(name).await? {
            Some(id) => Ok(id),
            None => Err(failed(&lines, "the engine has no such image afterwards")),
        }
    }
}

fn failed(lines: &[String], error: &str) -> BuildError {
    let start = lines.len().saturating_sub(LAST_LINES);
    let last: Vec<String> = lines
        .iter()
        .skip(start)
        .map(|line| format!("\n    | {line}"))
        .collect();
    BuildError::Failed {
        reason: format!("{}{}", error.trim(), last.concat()),
    }
}

/// A context as a tar archive that is the same for the same files: sorted, without times and owners.
pub(super) fn archive(folder: &Path) -> io::Result<Vec<u8>> {
    let ignore = IGNORE_FILES
        .iter()
        .find_map(|file| std::fs::read_to_string(folder.join(file)).ok());
    let rules = Ignore::parse(&ignore.unwrap_or_default());
    let mut files = Vec::new();
    walk(folder, Path::new(""), &rules, &mut files)?;
    files.sort();
    let mut archive = tar::Builder::new(Vec::new());
    archive.mode(tar::HeaderMode::Deterministic);
    archive.follow_symlinks(false);
    for file in files {
        archive.append_path_with_name(folder.join(&file), &file)?;
    }
    archive.into_inner()
}

fn walk(root: &Path, inside: &Path, rules: &Ignore, files: &mut Vec<PathBuf>) -> io::Result<()> {
    for entry in std::fs::read_dir(root.join(inside))? {
        let entry = entry?;
        let path = inside.join(entry.file_name());
        let ignored = rules.ignores(&path);
        if entry.file_type()?.is_dir() {
            // A later `!` may bring back a part of a folder that is left out.
            if !ignored || rules.has_exceptions {
                walk(root, &path, rules, files)?;
            }
        } else if !ignored {
            files.push(path);
        }
    }
    Ok(())
}

/// The rules of a .containerignore: the last one that matches counts.
struct Ignore {
    rules: Vec<(Vec<String>, bool)>,
    has_exceptions: bool,
}

impl Ignore {
    fn parse(text: &str) -> Self {
        let lines = text
            .lines()
            .map(str::trim)
            .filter(|line| !line.is_empty() && !line.starts_with('#'));
        let rules: Vec<_> = lines
            .map(|line| {
                let (line, ignored) = line.strip_prefix('!').map_or((line, true), |line| (line, false));
                let parts = line.split('/').filter(|part| !part.is_empty() && *part != ".");
                (parts.map(str::to_owned).collect::<Vec<_>>(), ignored)
            })
            .collect();
        let has_exceptions = rules.iter().any(|(_, ignored)| !ignored);
        Self {
            rules,
            has_exceptions,
        }
    }

    fn ignores(&self, path: &Path) -> bool {
        let parts: Vec<String> = path
            .components()
            .map(|part| part.as_os_str().to_string_lossy().into_owned())
            .collect();
        let matching = self
            .rules
            .iter()
            .rev()
            .find(|(pattern, _)| matches(pattern, &parts));
        matching.is_some_and(|(_, ignored)| *ignored)
    }
}

/// A pattern matches a path and everything below it; `**` stands for any number of folders.
fn matches(pattern: &[String], path: &[String]) -> bool {
    match (pattern.split_first(), path.split_first()) {
        (None, _) => true,
        (Some((first, rest)), _) if first == "**" => {
            matches(rest, path) || path.split_first().is_some_and(|(_, path)| matches(pattern, path))
        }
        (Some((first, rest)), Some((name, path))) => {
            wildcard(first.as_bytes(), name.as_bytes()) && matches(rest, path)
        }
        (Some(_), None) => false,
    }
}

fn wildcard(pattern: &[u8], name: &[u8]) -> bool {
    match (pattern.split_first(), name.split_first()) {
        (None, None) => true,
        (Some((b'*', rest)), _) => {
            wildcard(rest, name)
                || name
                    .split_first()
                    .is_some_and(|(_, name)| wildcard(pattern, name))
        }
        (Some((b'?', rest)), Some((_, name))) => wildcard(rest, name),
        (Some((p, rest)), Some((n, name))) => p == n && wildcard(rest, name),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::expect_used, reason = "a test fails by panicking")]

    use super::*;

    #[test]
    fn the_last_rule_that_matches_counts() {
        let rules = Ignore::parse("# comment\ntarget\n**/*.log\n!keep.log\n/web/node_modules/\n");
        let ignored = |path: &str| rules.ignores(Path::new(path));
        assert!(ignored("target/debug/x"));
        assert!(ignored("a/b/c.log"));
        assert!(!ignored("keep.log"));
        assert!(ignored("web/node_modules/x/y"));
        assert!(!ignored("src/target.rs"));
    }

    #[test]
    fn the_archive_of_the_same_files_is_the_same() {
        let make = |order: [&str; 2]| {
            let folder = tempfile::tempdir().expect("a folder");
            for name in order {
                std::fs::write(folder.path().join(name), name).expect("a file");
            }
            std::fs::write(folder.path().join(".containerignore"), "out").expect("a file");
            std::fs::create_dir(folder.path().join("out")).expect("a folder");
            std::fs::write(folder.path().join("out/big"), "big").expect("a file");
            archive(folder.path()).expect("an archive")
        };
        assert_eq!(make(["a", "b"]), make(["b", "a"]));
    }
}
