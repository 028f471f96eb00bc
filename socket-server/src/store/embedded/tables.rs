//! The tables of the store and how they are opened.

use std::path::Path;

use fjall::{Database, Keyspace, KeyspaceCreateOptions};

use super::folder::{DATA, OpenError, engine_error, note_format, prepare};
use crate::store::StoreError;

/// Memory for blocks that were read, in bytes: with the write buffers it keeps a server of a thousand hosts
/// within 150 MiB.
const CACHE_BYTES: u64 = 24 * 1024 * 1024;

/// Memory that one table gathers before it writes a file, in bytes.
const MEMTABLE_BYTES: u64 = 8 * 1024 * 1024;

/// The same for a table of tiny rows that each sample writes again: in memory a row takes five times its bytes,
/// and in a file only its newest version counts.
const SMALL_MEMTABLE_BYTES: u64 = 1024 * 1024;

/// Most bytes of journal; the engine allows no less.
const JOURNAL_BYTES: u64 = 64 * 1024 * 1024;

/// Every table.
pub(super) struct Tables {
    pub(super) database: Database,
    /// Watermarks, by the resolution's name.
    pub(super) meta: Keyspace,
    pub(super) accounts: Keyspace,
    /// Lower-case name → account id.
    pub(super) account_names: Keyspace,
    pub(super) sessions: Keyspace,
    pub(super) api_keys: Keyspace,
    /// Hash → key id.
    pub(super) api_key_hashes: Keyspace,
    pub(super) hosts: Keyspace,
    /// Host, epoch → settled ranges.
    pub(super) settled: Keyspace,
    /// Host, time, `seq` → dropped range.
    pub(super) dropped: Keyspace,
    /// Host, time, `seq`, epoch → a sample that is not packed yet, or a run that begins with it.
    pub(super) raw: Keyspace,
    /// Host, bucket → nothing; the bucket has samples that are not packed yet.
    pub(super) pending: Keyspace,
    /// Host, bucket → packed samples.
    pub(super) chunks: Keyspace,
    /// Host, bucket → minutes.
    pub(super) minutes: Keyspace,
    /// Host, day → hours.
    pub(super) hours: Keyspace,
    /// Host, kind → the last answer.
    pub(super) answers: Keyspace,
    /// Account, start, name → a deed of a rollout.
    pub(super) deploy_events: Keyspace,
}

impl Tables {
    /// Opens the folder, or makes it.
    pub(super) fn open(folder: &Path) -> Result<Self, OpenError> {
        prepare(folder)?;
        let failed = |error: fjall::Error| engine_error(folder, &error);
        let database = Database::builder(folder.join(DATA))
            .cache_size(CACHE_BYTES)
            .max_journaling_size(JOURNAL_BYTES)
            .worker_threads(2)
            .open()
            .map_err(failed)?;
        note_format(folder)?;
        let table_of = |name: &str, bytes: u64| {
            let options = || KeyspaceCreateOptions::default().max_memtable_size(bytes);
            database.keyspace(name, options).map_err(failed)
        };
        let table = |name: &str| table_of(name, MEMTABLE_BYTES);
        Ok(Self {
            meta: table("meta")?,
            accounts: table("accounts")?,
            account_names: table("account_names")?,
            sessions: table("sessions")?,
            api_keys: table("api_keys")?,
            api_key_hashes: table("api_key_hashes")?,
            hosts: table("hosts")?,
            settled: table_of("settled", SMALL_MEMTABLE_BYTES)?,
            dropped: table("dropped")?,
            raw: table("raw")?,
            pending: table("pending")?,
            chunks: table("chunks")?,
            minutes: table("minutes")?,
            hours: table("hours")?,
            answers: table("answers")?,
            deploy_events: table("deploy_events")?,
            database,
        })
    }

    /// All of them, always in the same order.
    pub(super) fn all(&self) -> [&Keyspace; 16] {
        [
            &self.meta,
            &self.accounts,
            &self.account_names,
            &self.sessions,
            &self.api_keys,
            &self.api_key_hashes,
            &self.hosts,
            &self.settled,
            &self.dropped,
            &self.raw,
            &self.pending,
            &self.chunks,
            &self.minutes,
            &self.hours,
            &self.answers,
            &self.deploy_events,
        ]
    }

    /// The tables that hold a host's past, its samples first.
    pub(super) fn of_hosts(&self) -> [&Keyspace; 8] {
        [
            &self.raw,
            &self.pending,
            &self.chunks,
            &self.minutes,
            &self.hours,
            &self.answers,
            &self.settled,
            &self.dropped,
        ]
    }

    /// Bytes on disk without the journal.
    pub(super) fn disk_bytes(&self) -> u64 {
        self.of_hosts().iter().map(|table| table.disk_space()).sum()
    }
}

impl From<fjall::Error> for StoreError {
    fn from(error: fjall::Error) -> Self {
        match error {
            fjall::Error::Poisoned => Self::Unavailable {
                reason:
                    "the disk refused a write; the files are opened anew as soon as it takes writes again"
                        .to_owned(),
            },
            fjall::Error::Io(source) => Self::Unavailable {
                reason: format!("the disk cannot be used: {source}"),
            },
            other => Self::Damaged {
                reason: format!("{other}; restore the store from a backup"),
            },
        }
    }
}
