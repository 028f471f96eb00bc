//! A disk of a few megabytes that a test can fill and free.

use std::{
    fs::{self, File},
    io::{self, ErrorKind, Write as _},
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

/// File that takes all the room.
const BALLAST: &str = "ballast";

/// A file system in memory, mounted for a test; unmounted when dropped.
#[derive(Debug)]
pub struct SmallDisk {
    /// Where it is mounted.
    pub path: PathBuf,
}

impl SmallDisk {
    /// Mounts one of `megabytes` at a folder that is made for it.
    ///
    /// # Errors
    /// When this process may not mount: it needs to be root, in its own user namespace at least.
    pub fn mount(path: &Path, megabytes: usize) -> io::Result<Self> {
        fs::create_dir_all(path)?;
        let mounted = Command::new("mount")
            .args([
                "-t",
                "tmpfs",
                "-o",
                &format!("size={megabytes}m,mode=700"),
                "tmpfs",
            ])
            .arg(path)
            .stdin(Stdio::null())
            .output()?;
        if !mounted.status.success() {
            let said = String::from_utf8_lossy(&mounted.stderr);
            return Err(io::Error::other(format!(
                "a small disk cannot be mounted at {}: {}; run as root, or without full disks",
                path.display(),
                said.trim()
            )));
        }
        Ok(Self {
            path: path.to_owned(),
        })
    }

    /// Writes until nothing more fits.
    ///
    /// # Errors
    /// When it ends for another reason.
    pub fn fill(&self) -> io::Result<()> {
        let mut ballast = File::options()
            .create(true)
            .append(true)
            .open(self.path.join(BALLAST))?;
        // Big pieces first, then what is left between them.
        for piece in [1 << 20, 4_096, 1] {
            let zeros = vec![0; piece];
            loop {
                match ballast.write_all(&zeros) {
                    Ok(()) => {}
                    Err(error) if error.kind() == ErrorKind::StorageFull => break,
                    Err(error) => return Err(error),
                }
            }
        }
        Ok(())
    }

    /// Gives the room back.
    ///
    /// # Errors
    /// When the file cannot be removed.
    pub fn free(&self) -> io::Result<()> {
        match fs::remove_file(self.path.join(BALLAST)) {
            Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        // A program that still has a file open keeps its own view of it; the folder can be removed either way.
        let umount = Command::new("umount")
            .arg("--lazy")
            .arg(&self.path)
            .stdin(Stdio::null())
            .stderr(Stdio::null())
            .status();
        drop(umount);
    }
}
