//! Hosts, and the end of one with all that it has brought.

use super::{
    accounts::{record, records},
    keys,
    tables::Tables,
    view::to_json,
    writer::WriterState,
};
use crate::store::{AccountId, HostId, HostRecord, StoreError};

impl Tables {
    pub(super) fn put_host(&self, host: &HostRecord) -> Result<(), StoreError> {
        Ok(self.hosts.insert(host.id.0.as_str(), to_json(host)?)?)
    }

    pub(super) fn all_hosts(&self) -> Result<Vec<HostRecord>, StoreError> {
        records(&self.hosts)
    }

    pub(super) fn host(&self, account: &AccountId, id: &HostId) -> Result<Option<HostRecord>, StoreError> {
        let host: Option<HostRecord> = record(&self.hosts, id.0.as_bytes())?;
        Ok(host.filter(|host| host.account == *account))
    }
}

/// Removes a host and all its rows in one atomic step.
pub(super) fn delete_host(
    state: &mut WriterState,
    account: &AccountId,
    id: &HostId,
) -> Result<(), StoreError> {
    let tables = &state.tables;
    if tables.host(account, id)?.is_none() {
        return Err(StoreError::NotFound { what: "host" });
    }
    let mut write = tables.database.batch();
    write.remove(&tables.hosts, id.0.as_str());
    for table in tables.of_hosts() {
        for row in table.prefix(keys::host_prefix(id)) {
            write.remove(table, row.key()?);
        }
    }
    write.commit()?;
    state.settled.forget(id);
    Ok(())
}
