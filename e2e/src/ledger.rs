//! What each host took, against what the store holds.

use std::{fmt, path::Path};

use socket_server::store::{HostRecord, Resolution, Store, embedded::EmbeddedStore, retention::Retention};

/// A series that every sample has.
const EVERY_SAMPLE: &str = "memory_total_bytes";
/// More rows than any run makes.
const ROWS_MAX: usize = 1_000_000;

/// What is wrong with a host's past.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Discrepancy {
    /// The host's name.
    pub host: String,
    /// What the host took, and what the store holds instead.
    pub what: String,
}

impl fmt::Display for Discrepancy {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}: {}", self.host, self.what)
    }
}

/// What a host took in all: `1..=last_seq` of its epoch.
#[derive(Debug, Clone)]
pub struct Taken {
    /// The host's name.
    pub host: String,
    /// The highest sequence number that it gave away.
    pub last_seq: u64,
}

/// Compares what hosts took with what a stopped server's store holds.
///
/// # Errors
/// When the store cannot be read.
pub async fn compare(store: &Path, taken: &[Taken]) -> Result<Vec<Discrepancy>, String> {
    let store = EmbeddedStore::open(store, Retention::default())
        .await
        .map_err(|error| error.to_string())?;
    let hosts = store.all_hosts().await.map_err(|error| error.to_string())?;
    let mut wrong = Vec::new();
    for taken in taken {
        let found: Vec<&HostRecord> = hosts
            .iter()
            .filter(|host| host.facts.host_name == taken.host)
            .collect();
        let what = match found.as_slice() {
            [host] => check(&store, host, taken).await?,
            several => Some(format!("the store knows {} hosts of that name", several.len())),
        };
        wrong.extend(what.map(|what| Discrepancy {
            host: taken.host.clone(),
            what,
        }));
    }
    Ok(wrong)
}

async fn check(store: &EmbeddedStore, host: &HostRecord, taken: &Taken) -> Result<Option<String>, String> {
    let settled = store
        .settled(&host.id, &host.epoch)
        .await
        .map_err(|error| error.to_string())?;
    let ranges: Vec<(u64, u64)> = settled.iter().collect();
    if ranges != [(1, taken.last_seq)] {
        return Ok(Some(format!(
            "took 1..={}, the store has settled {ranges:?}",
            taken.last_seq
        )));
    }
    let dropped = store
        .dropped(&host.id, i64::MIN, i64::MAX)
        .await
        .map_err(|error| error.to_string())?;
    if !dropped.is_empty() {
        return Ok(Some(format!("samples were reported as dropped: {dropped:?}")));
    }
    let series = [EVERY_SAMPLE.to_owned()];
    let rows = store
        .history(&host.id, &series, Resolution::Second, 0, i64::MAX, ROWS_MAX)
        .await
        .map_err(|error| error.to_string())?;
    let samples: u64 = rows.iter().map(|row| u64::from(row.samples)).sum();
    if samples != taken.last_seq {
        return Ok(Some(format!(
            "took {}, the store holds {samples}",
            taken.last_seq
        )));
    }
    Ok(None)
}
