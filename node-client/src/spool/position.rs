//! How far the numbering went: a small file that is overwritten in place, which works on a full disk too.

use std::{
    fs::{File, OpenOptions},
    io::{self, Read as _, Seek as _, SeekFrom, Write as _},
    path::Path,
};

/// Name of the file.
const FILE: &str = "position";

/// Bytes of one slot; there are two, written in turn, so that a torn write leaves the other.
const SLOT_BYTES: usize = 64;

/// Bytes of a slot that its CRC covers.
const BODY_BYTES: usize = 60;

/// Sequence numbers that are reserved at once. A reservation is forced to the disk, this many samples apart.
pub(super) const RESERVED_AHEAD: u64 = 256;

/// How far the numbering went.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Position {
    /// No higher sequence number has been used.
    pub(super) reserved_through: u64,
    /// The server holds all up to this one.
    pub(super) acknowledged: u64,
    /// Host time of the newest sample, milliseconds since 1970-01-01 UTC.
    pub(super) newest_unix_ms: i64,
    /// Whether every used number is in the segments, if the machine has not been switched off since.
    pub(super) complete: bool,
    /// Whether the spool was closed in order: then all of it reached the disk.
    pub(super) closed: bool,
    /// Which start of the machine this was written under.
    pub(super) boot: u64,
}

/// The open file.
#[derive(Debug)]
pub(super) struct PositionFile {
    file: File,
    generation: u64,
}

impl PositionFile {
    /// Opens or makes the file; the position is `None` when it is new or both slots are damaged.
    pub(super) fn open(folder: &Path) -> io::Result<(Self, Option<Position>)> {
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(folder.join(FILE))?;
        let mut bytes = Vec::with_capacity(2 * SLOT_BYTES);
        (&file).take(2 * SLOT_BYTES as u64).read_to_end(&mut bytes)?;
        let newest = bytes
            .chunks(SLOT_BYTES)
            .filter_map(read_slot)
            .max_by_key(|(generation, _)| *generation);
        let generation = newest.map_or(0, |(generation, _)| generation);
        Ok((Self { file, generation }, newest.map(|(_, position)| position)))
    }

    /// Writes the position; `durably` waits until it is on the disk.
    pub(super) fn write(&mut self, position: &Position, durably: bool) -> io::Result<()> {
        let generation = self.generation + 1;
        let slot = generation % 2;
        self.file.seek(SeekFrom::Start(slot * SLOT_BYTES as u64))?;
        self.file.write_all(&write_slot(generation, position))?;
        if durably {
            self.file.sync_data()?;
        }
        self.generation = generation;
        Ok(())
    }
}

fn write_slot(generation: u64, position: &Position) -> [u8; SLOT_BYTES] {
    let mut slot = [0; SLOT_BYTES];
    let fields = [
        generation,
        position.reserved_through,
        position.acknowledged,
        position.newest_unix_ms.cast_unsigned(),
        position.boot,
    ];
    for (place, field) in slot.chunks_exact_mut(8).zip(fields) {
        place.copy_from_slice(&field.to_le_bytes());
    }
    slot[40] = u8::from(position.complete);
    slot[41] = u8::from(position.closed);
    let crc = crc32fast::hash(&slot[..BODY_BYTES]);
    slot[BODY_BYTES..].copy_from_slice(&crc.to_le_bytes());
    slot
}

fn read_slot(slot: &[u8]) -> Option<(u64, Position)> {
    let (body, crc) = slot.split_at_checked(BODY_BYTES)?;
    if crc32fast::hash(body).to_le_bytes() != crc {
        return None;
    }
    let field = |index: usize| {
        let bytes = body.get(8 * index..)?.first_chunk::<8>()?;
        Some(u64::from_le_bytes(*bytes))
    };
    Some((
        field(0)?,
        Position {
            reserved_through: field(1)?,
            acknowledged: field(2)?,
            newest_unix_ms: field(3)?.cast_signed(),
            boot: field(4)?,
            complete: *body.get(40)? == 1,
            closed: *body.get(41)? == 1,
        },
    ))
}

/// A number that differs from one start of the machine to the next; 0 where the system does not say.
pub(super) fn this_boot() -> u64 {
    let id = std::fs::read("/proc/sys/kernel/random/boot_id").unwrap_or_default();
    let halves = id.split_at(id.len() / 2);
    (u64::from(crc32fast::hash(halves.0)) << 32) | u64::from(crc32fast::hash(halves.1))
}

#[cfg(test)]
mod tests {
    #![expect(clippy::expect_used, reason = "a test fails by panicking")]

    use super::*;

    fn at(acknowledged: u64) -> Position {
        Position {
            reserved_through: 300,
            acknowledged,
            newest_unix_ms: -5,
            complete: true,
            closed: false,
            boot: 7,
        }
    }

    #[test]
    fn the_newest_position_is_read_back() {
        let folder = tempfile::tempdir().expect("temp folder");
        let (mut file, none) = PositionFile::open(folder.path()).expect("open");
        assert_eq!(none, None);
        for acknowledged in 1..=5 {
            file.write(&at(acknowledged), acknowledged == 3).expect("write");
        }
        drop(file);
        let (_, found) = PositionFile::open(folder.path()).expect("open");
        assert_eq!(found, Some(at(5)));
    }

    #[test]
    fn a_torn_write_leaves_the_one_before() {
        let folder = tempfile::tempdir().expect("temp folder");
        let (mut file, _) = PositionFile::open(folder.path()).expect("open");
        file.write(&at(1), false).expect("write");
        file.write(&at(2), false).expect("write");
        drop(file);
        let path = folder.path().join(FILE);
        let mut bytes = std::fs::read(&path).expect("read");
        bytes[10] ^= 0xff;
        std::fs::write(&path, &bytes).expect("write");
        let (_, found) = PositionFile::open(folder.path()).expect("open");
        assert_eq!(found, Some(at(1)));
    }
}
