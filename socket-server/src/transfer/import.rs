//! From a file to a store.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
};

use super::{
    Report, Section, TransferError,
    export::place,
    format::{Item, SamplePage},
    reader::ExportReader,
};
use crate::store::{
    AccountId, DroppedRecord, HostId, HostRecord, SampleBatch, SeqRanges, StoreError, TransferStore,
};

/// Samples that are made durable at a time: some megabytes, and few waits for the disk.
const SAMPLES_PER_APPEND: usize = 5_000;

/// Checks a whole file without a store.
///
/// # Errors
/// When it cannot be read, is cut short, was altered, or is of another version.
pub fn verify(path: &Path) -> Result<Report, TransferError> {
    let mut reader = ExportReader::open(&place(path))?;
    while reader.next()?.is_some() {}
    Ok(reader.report().clone())
}

/// Adds what a file holds to a store, once the whole file has proved to be as it was written. What is there
/// already stays as it is, so that an import that was cut off is completed by the next.
///
/// # Errors
/// As [`verify`]; when the store fails; `InUse` when the store has accounts or hosts that the file does not know;
/// `Incomplete` when the store does not hold what was put into it.
pub async fn import(store: &dyn TransferStore, path: &Path) -> Result<Report, TransferError> {
    let path = place(path);
    let names = names(&path)?;
    refuse_strangers(store, &names).await?;
    let mut filler = Filler::new(store, names).await?;
    let mut reader = ExportReader::open(&path)?;
    while let Some(item) = reader.next()? {
        let (section, count) = (item.section(), item.count());
        let new = filler.put(item, &reader).await?;
        filler.report.add(section, count, new);
    }
    filler.flush().await?;
    filler.finish().await
}

/// Who is in a file.
#[derive(Default)]
struct Names {
    accounts: BTreeSet<AccountId>,
    hosts: BTreeMap<HostId, AccountId>,
}

/// Reads the whole file, so that nothing is written before it has proved to be right.
fn names(path: &Path) -> Result<Names, TransferError> {
    let mut names = Names::default();
    let mut reader = ExportReader::open(path)?;
    while let Some(item) = reader.next()? {
        match item {
            Item::Account(account) => {
                names.accounts.insert(account.id);
            }
            Item::Host(host) => {
                names.hosts.insert(host.id, host.account);
            }
            _ => {}
        }
    }
    Ok(names)
}

/// A store with a past of its own could not be told apart from the file's afterwards.
async fn refuse_strangers(store: &dyn TransferStore, names: &Names) -> Result<(), TransferError> {
    for account in store.accounts().await? {
        if !names.accounts.contains(&account.id) {
            let what = format!("the account {}", account.name);
            return Err(TransferError::InUse { what });
        }
    }
    for host in store.all_hosts().await? {
        if !names.hosts.contains_key(&host.id) {
            let what = format!("the host {}", name_of(&host));
            return Err(TransferError::InUse { what });
        }
    }
    Ok(())
}

fn name_of(host: &HostRecord) -> &str {
    host.given_name.as_ref().unwrap_or(&host.facts.host_name)
}

/// A store that is being filled.
struct Filler<'a> {
    store: &'a dyn TransferStore,
    names: Names,
    /// What was settled before the import.
    before: BTreeMap<HostId, BTreeMap<String, SeqRanges>>,
    /// Dropped ranges of one host as they were before.
    dropped: Option<(HostId, Vec<(String, DroppedRecord)>)>,
    waiting: Vec<SampleBatch>,
    waiting_count: usize,
    settled: Vec<(HostId, String, SeqRanges)>,
    report: Report,
}

impl<'a> Filler<'a> {
    async fn new(store: &'a dyn TransferStore, names: Names) -> Result<Self, TransferError> {
        let mut before = BTreeMap::new();
        for host in names.hosts.keys() {
            before.insert(host.clone(), store.epochs(host).await?);
        }
        Ok(Self {
            store,
            names,
            before,
            dropped: None,
            waiting: Vec::new(),
            waiting_count: 0,
            settled: Vec::new(),
            report: Report::empty(),
        })
    }

    /// Puts one item in; returns how many of its things are new.
    async fn put(&mut self, item: Item, reader: &ExportReader) -> Result<u64, TransferError> {
        let store = self.store;
        match item {
            Item::Account(account) => match store.account(&account.id).await? {
                Some(_) => Ok(0),
                None => created(store.create_account(account, false).await),
            },
            Item::ApiKey(key) => match store.api_key_by_hash(&key.key_hash).await? {
                Some(_) => Ok(0),
                None => created(store.create_api_key(key).await),
            },
            Item::KeptFrom(mark) => {
                let before = store.kept_from(mark.resolution).await?;
                store.raise_kept_from(mark.resolution, mark.time_unix_ms).await?;
                Ok(u64::from(store.kept_from(mark.resolution).await? > before))
            }
            Item::Host(host) => match store.host(&host.account, &host.id).await? {
                Some(_) => Ok(0),
                None => created(store.put_host(*host).await),
            },
            Item::Rollups(page) => {
                let (host, resolution) = (HostId(page.host.clone()), page.resolution());
                self.account_of(&host, reader)?;
                Ok(store.add_rollups(&host, resolution, &page.into_rollup()).await?)
            }
            Item::Samples(page) => self.put_samples(page, reader).await,
            Item::Dropped(dropped) => {
                let host = HostId(dropped.host);
                let account = self.account_of(&host, reader)?;
                self.put_dropped(account, host, dropped.epoch, dropped.range)
                    .await
            }
            Item::Settled(settled) => {
                let host = HostId(settled.host);
                self.account_of(&host, reader)?;
                let ranges: SeqRanges = settled.ranges.into_iter().collect();
                let known = self.known(&host, &settled.epoch);
                let new = !known.is_some_and(|known| covers(known, &ranges));
                self.settled.push((host, settled.epoch, ranges));
                Ok(u64::from(new))
            }
            Item::DeployEvent(event) => {
                let start = event.event.started_unix_ms;
                let there = store
                    .deploy_events(&event.account, start, start.saturating_add(1), usize::MAX)
                    .await?;
                if there.iter().any(|known| known.key() == event.key()) {
                    return Ok(0);
                }
                created(store.put_deploy_event(event).await)
            }
            Item::Answer(answer) => {
                if store.answer(&answer.host, &answer.kind).await?.is_some() {
                    return Ok(0);
                }
                created(store.put_answer(answer).await)
            }
        }
    }

    async fn put_samples(&mut self, page: SamplePage, reader: &ExportReader) -> Result<u64, TransferError> {
        let host = HostId(page.host);
        let account = self.account_of(&host, reader)?;
        let mut samples = page.samples;
        if let Some(known) = self.known(&host, &page.epoch) {
            samples.retain(|sample| !known.contains(sample.seq));
        }
        let new = samples.len();
        if new > 0 {
            self.waiting_count += new;
            self.waiting.push(SampleBatch {
                account,
                host,
                epoch: page.epoch,
                samples,
                dropped: Vec::new(),
            });
        }
        self.flush_when_full().await?;
        Ok(new as u64)
    }

    async fn put_dropped(
        &mut self,
        account: AccountId,
        host: HostId,
        epoch: String,
        range: DroppedRecord,
    ) -> Result<u64, TransferError> {
        if self.dropped.as_ref().is_none_or(|(known, _)| *known != host) {
            self.dropped = Some((host.clone(), self.store.dropped_by_epoch(&host).await?));
        }
        let dropped = (epoch, range);
        if let Some((_, known)) = &self.dropped
            && known.contains(&dropped)
        {
            return Ok(0);
        }
        self.waiting_count += 1;
        self.waiting.push(SampleBatch {
            account,
            host,
            epoch: dropped.0,
            samples: Vec::new(),
            dropped: vec![dropped.1],
        });
        self.flush_when_full().await?;
        Ok(1)
    }

    async fn flush_when_full(&mut self) -> Result<(), TransferError> {
        if self.waiting_count >= SAMPLES_PER_APPEND {
            self.flush().await?;
        }
        Ok(())
    }

    async fn flush(&mut self) -> Result<(), TransferError> {
        if !self.waiting.is_empty() {
            self.store.append(&self.waiting).await?;
        }
        self.waiting.clear();
        self.waiting_count = 0;
        Ok(())
    }

    /// Settles what needs no sample any more, and asks the store whether everything is there.
    async fn finish(self) -> Result<Report, TransferError> {
        for (host, epoch, ranges) in &self.settled {
            if !covers(&self.store.settled(host, epoch).await?, ranges) {
                self.store.settle(host, epoch, ranges).await?;
            }
            if !covers(&self.store.settled(host, epoch).await?, ranges) {
                let what = format!("every sample of the host {host} in epoch {epoch}");
                return Err(TransferError::Incomplete { what });
            }
        }
        for account in &self.names.accounts {
            if self.store.account(account).await?.is_none() {
                let what = format!("the account {account}");
                return Err(TransferError::Incomplete { what });
            }
        }
        for (host, account) in &self.names.hosts {
            if self.store.host(account, host).await?.is_none() {
                let what = format!("the host {host}");
                return Err(TransferError::Incomplete { what });
            }
        }
        Ok(self.report)
    }

    fn known(&self, host: &HostId, epoch: &str) -> Option<&SeqRanges> {
        self.before.get(host)?.get(epoch)
    }

    fn account_of(&self, host: &HostId, reader: &ExportReader) -> Result<AccountId, TransferError> {
        let account = self.names.hosts.get(host).cloned();
        account.ok_or_else(|| reader.altered(format!("it has no {} entry of {host}", Section::Hosts.name())))
    }
}

fn created(result: Result<(), StoreError>) -> Result<u64, TransferError> {
    result?;
    Ok(1)
}

fn covers(known: &SeqRanges, ranges: &SeqRanges) -> bool {
    ranges.iter().all(|(first, last)| known.covers(first, last))
}
