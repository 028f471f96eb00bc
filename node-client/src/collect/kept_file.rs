//! A file below `/proc` or `/sys` that stays open between readings.

use std::{
    fs::File,
    io,
    os::unix::fs::FileExt,
    path::{Path, PathBuf},
};

use super::{FILE_BYTES_MAX, ReadingError};

/// Size that a read buffer begins with: most files below `/proc` fit, and it grows for those that do not.
const BUFFER_BYTES: usize = 8 << 10;

/// A file that is opened once and read from its start each time, which makes the kernel write it anew.
#[derive(Debug)]
pub(super) struct KeptFile {
    path: PathBuf,
    file: Option<File>,
}

impl KeptFile {
    /// Names the file; it is opened by the first read.
    pub(super) fn new(path: PathBuf) -> Self {
        Self { path, file: None }
    }

    /// The file's path.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Reads the whole file into `buffer`. After an error the next read opens the file again: it may be back.
    pub(super) fn read<'b>(&mut self, buffer: &'b mut Vec<u8>) -> Result<&'b [u8], ReadingError> {
        match self.read_from_start(buffer) {
            Ok(length) => Ok(buffer.get(..length).unwrap_or_default()),
            Err(source) => {
                self.file = None;
                Err(ReadingError::Io {
                    path: self.path.clone(),
                    source,
                })
            }
        }
    }

    /// The error that says that this file's text is not what it should be.
    pub(super) fn malformed(&self) -> ReadingError {
        ReadingError::Malformed {
            path: self.path.clone(),
        }
    }

    fn read_from_start(&mut self, buffer: &mut Vec<u8>) -> io::Result<usize> {
        let file = match &mut self.file {
            Some(file) => file,
            closed => closed.insert(File::open(&self.path)?),
        };
        if buffer.len() < BUFFER_BYTES {
            buffer.resize(BUFFER_BYTES, 0);
        }
        let mut length = 0;
        loop {
            if length == buffer.len() {
                if length >= FILE_BYTES_MAX {
                    return Err(io::Error::new(
                        io::ErrorKind::FileTooLarge,
                        "larger than such a file may be",
                    ));
                }
                buffer.resize(length * 2, 0);
            }
            let spare = buffer.get_mut(length..).unwrap_or_default();
            match file.read_at(spare, length as u64) {
                Ok(0) => return Ok(length),
                Ok(read) => length += read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::expect_used, reason = "a test fails by panicking")]

    use super::*;

    #[test]
    fn a_file_is_read_anew_and_found_again_after_it_vanished() {
        let folder = tempfile::tempdir().expect("temp folder");
        let path = folder.path().join("file");
        let mut kept = KeptFile::new(path.clone());
        let mut buffer = Vec::new();
        let error = kept.read(&mut buffer).expect_err("there is no file yet");
        assert!(error.is_absent());
        std::fs::write(&path, "first").expect("write");
        assert_eq!(kept.read(&mut buffer).expect("read"), b"first");
        let long = vec![b'x'; 3 * BUFFER_BYTES];
        std::fs::write(&path, &long).expect("write");
        assert_eq!(kept.read(&mut buffer).expect("read"), long);
        std::fs::write(&path, "").expect("write");
        assert_eq!(kept.read(&mut buffer).expect("read"), b"");
    }
}
