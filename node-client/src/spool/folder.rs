//! Opening a spool's folder: what a crash, a power cut or a damaged disk left there, made sound again.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Write as _},
    path::{Path, PathBuf},
};

use metric_flow_protocol::node::DropReason;
use thiserror::Error;

use super::{
    drops::{DropLedger, dropped},
    position::{Position, PositionFile, RESERVED_AHEAD, this_boot},
    record::{Stamp, is_epoch},
    segment::{Found, Segment, is_segment},
};

/// Name of the file with the epoch.
const EPOCH_FILE: &str = "epoch";

/// A spool that must not be used.
#[derive(Debug, Error)]
pub enum SpoolError {
    /// Another process holds it.
    #[error(
        "another node-client uses the spool {path}: stop it, or give this one a folder of its own with --spool-dir"
    )]
    InUse {
        /// The folder.
        path: PathBuf,
    },
}

/// Why a folder could not be opened.
#[derive(Debug)]
pub(super) enum OpenFailure {
    /// Another process holds it.
    InUse,
    /// The disk does not do it.
    Io(io::Error),
}

impl From<io::Error> for OpenFailure {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

/// A folder that this process holds.
#[derive(Debug)]
pub(super) struct Folder {
    /// Where it is.
    pub(super) path: PathBuf,
    /// How far the numbering went.
    pub(super) position_file: PositionFile,
    _lock: File,
}

/// What was in the folder.
#[derive(Debug)]
pub(super) struct Opened {
    pub(super) folder: Folder,
    pub(super) epoch: String,
    pub(super) position: Position,
    pub(super) segments: Vec<Segment>,
    pub(super) drops: DropLedger,
    /// The first number that was never used.
    pub(super) next_seq: u64,
    /// Bytes that no sound sample claims.
    pub(super) torn_bytes: u64,
}

/// Opens or makes the folder.
pub(super) fn open(path: &Path, now_unix_ms: i64) -> Result<Opened, OpenFailure> {
    fs::create_dir_all(path)?;
    let lock = take_lock(path)?;
    let (mut position_file, found_position) = PositionFile::open(path)?;
    let scan = scan(path)?;
    let known_epoch = fs::read_to_string(path.join(EPOCH_FILE))
        .ok()
        .map(|text| text.trim().to_owned())
        .filter(|text| is_epoch(text))
        .or_else(|| scan.found.first().map(|found| found.epoch.clone()));
    let is_new = known_epoch.is_none();
    let epoch = known_epoch.unwrap_or_else(new_epoch);
    let foreign = scan.found.iter().filter(|found| found.epoch != epoch).count();
    if foreign > 0 {
        tracing::warn!("{foreign} segments of another numbering are left out of the spool");
    }
    // A program that is killed after it made a segment and before it wrote the first sample leaves an empty one. That
    // sample never left this machine, so that its number is free.
    let unfinished = usize::from(scan.newest_is_empty);
    let tail_is_torn =
        scan.damaged_heads.len() > unfinished || scan.found.iter().any(|found| found.torn_bytes > 0);
    let torn_bytes = scan.torn_bytes + scan.found.iter().map(|found| found.torn_bytes).sum::<u64>();
    let mut segments: Vec<Segment> = scan
        .found
        .iter()
        .filter(|found| found.epoch == epoch)
        .filter_map(|found| found.segment.clone())
        .collect();
    segments.sort_by_key(|segment| segment.first.seq);

    let mut drops = if is_new {
        DropLedger::default()
    } else {
        DropLedger::read(path)
    };
    let before = found_position.filter(|_| !is_new);
    let acknowledged = before.map_or(0, |position| position.acknowledged);
    let sound_through = segments
        .last()
        .map_or(0, |segment| segment.last.seq)
        .max(acknowledged)
        .max(drops.ranges().last().map_or(0, |range| range.last_seq));
    let boot = this_boot();
    let all_used_are_here = match before {
        _ if is_new => true,
        None => false,
        Some(position) => {
            let same_boot = position.boot == boot && boot != 0;
            !tail_is_torn
                && if position.closed {
                    unfinished == 0
                } else {
                    position.complete && same_boot
                }
        }
    };
    let used_through = match before {
        _ if all_used_are_here => sound_through,
        Some(position) => sound_through.max(position.reserved_through),
        // The position is lost: no reservation goes further ahead than this.
        None => sound_through + 4 * RESERVED_AHEAD,
    };
    note_holes(&segments, acknowledged, sound_through, &mut drops);
    if used_through > sound_through {
        let newest = before
            .map_or(0, |position| position.newest_unix_ms)
            .max(segments.last().map_or(0, |segment| segment.last.time_unix_ms));
        // Without any sample to go by, what was lost is of now at the earliest.
        let from = if newest == 0 { now_unix_ms } else { newest };
        let lost = used_through - sound_through;
        let longest = i64::try_from(lost).unwrap_or(i64::MAX).saturating_mul(1000);
        let to = from.saturating_add(longest).min(now_unix_ms);
        drops.add(dropped(
            (sound_through + 1, used_through),
            (from, to),
            DropReason::Damaged,
        ));
    }
    let (old, segments): (Vec<_>, Vec<_>) = segments
        .into_iter()
        .partition(|segment| segment.last.seq <= acknowledged);
    let position = Position {
        reserved_through: used_through + RESERVED_AHEAD,
        acknowledged,
        newest_unix_ms: before.map_or(0, |position| position.newest_unix_ms),
        complete: true,
        closed: false,
        boot,
    };
    drops.write(path)?;
    if is_new {
        // A position that was found belongs to a numbering that is gone: the new one goes over both slots.
        position_file.write(&position, false)?;
    }
    position_file.write(&position, true)?;
    // Only now: until the position says that numbers were skipped, the torn bytes are what tells.
    for found in &scan.found {
        found.cut()?;
    }
    for damaged in &scan.damaged_heads {
        fs::remove_file(damaged)?;
    }
    old.iter().for_each(Segment::remove);
    // The epoch is written last and in one step: a folder with an epoch has a position.
    write_epoch(path, &epoch)?;
    Ok(Opened {
        folder: Folder {
            path: path.to_owned(),
            position_file,
            _lock: lock,
        },
        epoch,
        position,
        segments,
        drops,
        next_seq: used_through + 1,
        torn_bytes,
    })
}

/// A numbering that this host never had before. It goes with every batch: 64 random bits are enough to differ from the few
/// others of one host.
pub(super) fn new_epoch() -> String {
    format!("{:016x}", rand::random::<u64>())
}

#[derive(Debug, Default)]
struct Scan {
    found: Vec<Found>,
    damaged_heads: Vec<PathBuf>,
    /// The last of the damaged ones is the newest segment and has no bytes.
    newest_is_empty: bool,
    torn_bytes: u64,
}

fn scan(folder: &Path) -> io::Result<Scan> {
    let mut paths = Vec::new();
    for entry in fs::read_dir(folder)? {
        paths.push(entry?.path());
    }
    paths.retain(|path| is_segment(path));
    paths.sort();
    let newest = paths.last().cloned();
    let mut scan = Scan::default();
    for path in paths {
        match Segment::find(&path)? {
            Some(found) => scan.found.push(found),
            None => {
                let bytes = fs::metadata(&path).map_or(0, |metadata| metadata.len());
                scan.torn_bytes += bytes;
                scan.newest_is_empty = bytes == 0 && Some(&path) == newest.as_ref();
                if !scan.newest_is_empty {
                    tracing::warn!("{} is damaged from its first byte", path.display());
                }
                scan.damaged_heads.push(path);
            }
        }
    }
    Ok(scan)
}

/// Every number up to the last sound one is in a segment, acknowledged or lost: what is in none of them is damaged.
fn note_holes(segments: &[Segment], acknowledged: u64, sound_through: u64, drops: &mut DropLedger) {
    let mut before = Stamp {
        seq: acknowledged,
        time_unix_ms: segments.first().map_or(0, |segment| segment.first.time_unix_ms),
    };
    for segment in segments {
        if segment.first.seq > before.seq + 1 {
            let times = (before.time_unix_ms, segment.first.time_unix_ms);
            drops.add(dropped(
                (before.seq + 1, segment.first.seq - 1),
                times,
                DropReason::Damaged,
            ));
        }
        if segment.last.seq > before.seq {
            before = segment.last;
        }
    }
    if sound_through > before.seq && before.seq >= acknowledged {
        let times = (before.time_unix_ms, before.time_unix_ms);
        drops.add(dropped(
            (before.seq + 1, sound_through),
            times,
            DropReason::Damaged,
        ));
    }
}

fn write_epoch(folder: &Path, epoch: &str) -> io::Result<()> {
    let path = folder.join(EPOCH_FILE);
    if fs::read_to_string(&path).is_ok_and(|text| text.trim() == epoch) {
        return Ok(());
    }
    let fresh = folder.join(".epoch.new");
    let mut file = File::create(&fresh)?;
    file.write_all(format!("{epoch}\n").as_bytes())?;
    file.sync_all()?;
    fs::rename(&fresh, &path)?;
    sync_folder(folder)
}

#[cfg(unix)]
fn sync_folder(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

#[cfg(not(unix))]
fn sync_folder(_folder: &Path) -> io::Result<()> {
    Ok(())
}

fn take_lock(folder: &Path) -> Result<File, OpenFailure> {
    let file = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(false)
        .open(folder.join("lock"))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(fs::TryLockError::WouldBlock) => Err(OpenFailure::InUse),
        Err(fs::TryLockError::Error(error)) => Err(OpenFailure::Io(error)),
    }
}
