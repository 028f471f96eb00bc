//! A second store with the same content, made row by row of one snapshot while the store goes on.

use std::path::Path;

use fjall::{Iter, Keyspace, Readable as _, Slice};
use sha2::{Digest as _, Sha256};

use super::{tables::Tables, view::View};
use crate::store::StoreError;

/// Rows between two looks at whether to go on.
const LOOK_EVERY_ROWS: u64 = 256;

/// Makes a store in a new folder that holds what the view shows, opens it again and compares every table with what
/// was written: how many rows, and their checksum. Returns the rows of all tables. Ends with the error of `go_on`
/// when that has one.
pub(super) fn duplicate(
    view: &View,
    folder: &Path,
    go_on: &dyn Fn() -> Result<(), StoreError>,
) -> Result<u64, StoreError> {
    let failed = |error: String| StoreError::Unavailable {
        reason: format!("the copy in {} cannot be made: {error}", folder.display()),
    };
    let open = || Tables::open(folder).map_err(|error| failed(error.to_string()));
    let target = open()?;
    let mut written = Vec::new();
    for (from, to) in view.tables.all().into_iter().zip(target.all()) {
        let rows = view.snapshot.iter(from);
        let content = copy(rows, to, go_on).map_err(|stopped| stopped.into_error(&failed))?;
        written.push(content);
    }
    drop(target);

    // As it will be after a restore.
    let target = open()?;
    let snapshot = target.database.snapshot();
    for (table, written) in target.all().into_iter().zip(&written) {
        let found = each_row(snapshot.iter(table), go_on, |_, _| Ok(()));
        let found = found.map_err(|stopped| stopped.into_error(&failed))?;
        if found != *written {
            return Err(failed(format!(
                "{} has {} rows after {} were written, or other ones; check the disk",
                table.name(),
                found.rows,
                written.rows
            )));
        }
    }
    Ok(written.iter().map(|content| content.rows).sum())
}

/// What a table holds.
#[derive(Debug, PartialEq)]
struct Content {
    rows: u64,
    sha256: Vec<u8>,
}

/// Why rows were not gone through to their end.
enum Stopped {
    /// A row could not be read, or there is no going on.
    Here(StoreError),
    /// A row could not be written.
    There(fjall::Error),
}

impl Stopped {
    fn into_error(self, failed: &dyn Fn(String) -> StoreError) -> StoreError {
        match self {
            Self::Here(error) => error,
            Self::There(error) => failed(error.to_string()),
        }
    }
}

/// Writes rows, which come by their keys, straight into files of the table.
fn copy(rows: Iter, to: &Keyspace, go_on: &dyn Fn() -> Result<(), StoreError>) -> Result<Content, Stopped> {
    let mut ingestion = None;
    let content = each_row(rows, go_on, |key, value| {
        // Begun with the first row: without one it would leave an empty file.
        let ingestion = match &mut ingestion {
            Some(begun) => begun,
            none => none.insert(to.start_ingestion()?),
        };
        ingestion.write(key, value)
    })?;
    if let Some(ingestion) = ingestion {
        ingestion.finish().map_err(Stopped::There)?;
    }
    Ok(content)
}

fn each_row(
    rows: Iter,
    go_on: &dyn Fn() -> Result<(), StoreError>,
    mut visit: impl FnMut(Slice, Slice) -> fjall::Result<()>,
) -> Result<Content, Stopped> {
    let mut sum = Sha256::new();
    let mut count = 0;
    for row in rows {
        if count % LOOK_EVERY_ROWS == 0 {
            go_on().map_err(Stopped::Here)?;
        }
        let (key, value) = row.into_inner().map_err(|error| Stopped::Here(error.into()))?;
        count += 1;
        // With their lengths, so that no two tables look alike.
        for part in [&key, &value] {
            sum.update((part.len() as u64).to_be_bytes());
            sum.update(part);
        }
        visit(key, value).map_err(Stopped::There)?;
    }
    Ok(Content {
        rows: count,
        sha256: sum.finalize().to_vec(),
    })
}
