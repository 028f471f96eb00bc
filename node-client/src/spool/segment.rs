//! One segment file: samples in order, appended to by one process, never changed after.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Seek as _, SeekFrom, Write as _},
    path::{Path, PathBuf},
};

use super::record::{HEAD_BYTES, Records, Stamp, epoch_of, head};

/// What a segment counts for at least: the block that a file system gives it.
const BLOCK_BYTES: u64 = 4096;

/// What is known of a segment without reading it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Segment {
    path: PathBuf,
    bytes: u64,
    /// First sample.
    pub(super) first: Stamp,
    /// Last sample.
    pub(super) last: Stamp,
    /// How many samples.
    pub(super) samples: u64,
}

/// What was found in a segment file at start.
#[derive(Debug)]
pub(super) struct Found {
    /// The epoch in its head.
    pub(super) epoch: String,
    /// The segment, unless it has no sound sample.
    pub(super) segment: Option<Segment>,
    /// Bytes after the last sound sample.
    pub(super) torn_bytes: u64,
    path: PathBuf,
    sound_bytes: u64,
}

impl Found {
    /// Cuts off what is not sound; a file with nothing sound goes.
    pub(super) fn cut(&self) -> io::Result<()> {
        if self.segment.is_none() {
            fs::remove_file(&self.path)
        } else if self.torn_bytes > 0 {
            let file = OpenOptions::new().write(true).open(&self.path)?;
            file.set_len(self.sound_bytes)?;
            file.sync_data()
        } else {
            Ok(())
        }
    }
}

impl Segment {
    /// Reads a segment file and says what is sound in it; `None` when its head is damaged.
    pub(super) fn find(path: &Path) -> io::Result<Option<Found>> {
        let bytes = fs::read(path)?;
        let Some(epoch) = epoch_of(&bytes) else {
            return Ok(None);
        };
        let mut records = Records::new(&bytes);
        let mut segment: Option<Self> = None;
        for (stamp, _) in records.by_ref() {
            match &mut segment {
                None => segment = Some(Self::new(path.to_owned(), stamp)),
                Some(segment) if stamp.seq > segment.last.seq => {
                    segment.last = stamp;
                    segment.samples += 1;
                }
                Some(_) => break,
            }
        }
        let sound = records.sound_bytes() as u64;
        if let Some(segment) = &mut segment {
            segment.bytes = sound;
        }
        Ok(Some(Found {
            epoch: epoch.to_owned(),
            segment,
            torn_bytes: bytes.len() as u64 - sound,
            path: path.to_owned(),
            sound_bytes: sound,
        }))
    }

    fn new(path: PathBuf, first: Stamp) -> Self {
        Self {
            path,
            bytes: HEAD_BYTES as u64,
            first,
            last: first,
            samples: 1,
        }
    }

    /// What it counts for in the limit.
    pub(super) fn bytes_on_disk(&self) -> u64 {
        self.bytes.max(BLOCK_BYTES)
    }

    /// Hands every encoded sample after `after` to `take`, until that returns false.
    pub(super) fn read(&self, after: u64, mut take: impl FnMut(Stamp, &[u8]) -> bool) -> io::Result<bool> {
        let bytes = fs::read(&self.path)?;
        for (stamp, payload) in Records::new(&bytes) {
            if stamp.seq > after && !take(stamp, payload) {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Deletes the file.
    pub(super) fn remove(&self) {
        if let Err(error) = fs::remove_file(&self.path) {
            tracing::warn!("cannot remove {}: {error}", self.path.display());
        }
    }
}

/// The segment that is written.
#[derive(Debug)]
pub(super) struct ActiveSegment {
    file: File,
    /// What is in it.
    pub(super) segment: Segment,
}

impl ActiveSegment {
    /// Makes the file of a segment whose first sample is `stamp`, with that sample in it.
    pub(super) fn create(folder: &Path, epoch: &str, stamp: Stamp, record: &[u8]) -> io::Result<Self> {
        let path = folder.join(file_name(stamp.seq));
        let mut file = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(true)
            .open(&path)?;
        let first = [head(epoch).as_slice(), record].concat();
        if let Err(error) = file.write_all(&first) {
            drop(fs::remove_file(&path));
            return Err(error);
        }
        let mut segment = Segment::new(path, stamp);
        segment.bytes = first.len() as u64;
        Ok(Self { file, segment })
    }

    /// Appends a sample. After an error the file may end in a torn record, which the next append overwrites.
    pub(super) fn append(&mut self, stamp: Stamp, record: &[u8]) -> io::Result<()> {
        self.file.seek(SeekFrom::Start(self.segment.bytes))?;
        if let Err(error) = self.file.write_all(record) {
            drop(self.file.set_len(self.segment.bytes));
            return Err(error);
        }
        self.segment.bytes += record.len() as u64;
        self.segment.last = stamp;
        self.segment.samples += 1;
        Ok(())
    }

    /// Size so far.
    pub(super) fn bytes(&self) -> u64 {
        self.segment.bytes
    }

    /// A second handle, to force the file to the disk without holding the spool.
    pub(super) fn handle(&self) -> io::Result<File> {
        self.file.try_clone()
    }
}

/// Name of the segment that begins with `seq`; names sort as the numbers do.
pub(super) fn file_name(seq: u64) -> String {
    format!("segment-{seq:020}")
}

/// Whether a file is a segment.
pub(super) fn is_segment(path: &Path) -> bool {
    path.file_name()
        .and_then(|name| name.to_str())
        .is_some_and(|name| name.starts_with("segment-"))
}
