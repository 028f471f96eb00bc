//! What a person changes about a host: its name, its labels, whether it is there at all.

use std::collections::BTreeMap;

use metric_flow_protocol::live::{HostEventKind, HostSummary};

use super::{link::CloseReason, registry::Fleet};
use crate::store::{AccountId, HostId, StoreError};

/// A change to a host; what is `None` stays.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct HostChange {
    /// The name given by a person; an empty one gives the host its own name back.
    pub name: Option<String>,
    /// The labels given by people; they replace those before.
    pub labels: Option<BTreeMap<String, String>>,
}

impl Fleet {
    /// Renames or labels a host.
    ///
    /// # Errors
    /// `NotFound` when the account has no such host, or the store's own errors.
    pub async fn change_host(
        &self,
        account: &AccountId,
        id: &HostId,
        change: HostChange,
    ) -> Result<HostSummary, StoreError> {
        let room = self.room(account);
        let mut record = {
            let state = room.lock();
            let entry = state.hosts.get(id).ok_or(StoreError::NotFound { what: "host" })?;
            entry.record.clone()
        };
        if let Some(name) = change.name {
            record.given_name = Some(name).filter(|name| !name.is_empty());
        }
        if let Some(labels) = change.labels {
            record.given_labels = labels;
        }
        self.store.put_host(record.clone()).await?;
        let mut state = room.lock();
        let entry = state
            .hosts
            .get_mut(id)
            .ok_or(StoreError::NotFound { what: "host" })?;
        entry.record.given_name = record.given_name;
        entry.record.given_labels = record.given_labels;
        let summary = entry.summary();
        state.note(id, HostEventKind::Changed);
        drop(state);
        room.wake();
        Ok(summary)
    }

    /// Removes a host and its past, and closes its connection.
    ///
    /// # Errors
    /// `NotFound` when the account has no such host, or the store's own errors.
    pub async fn delete_host(&self, account: &AccountId, id: &HostId) -> Result<(), StoreError> {
        let room = self.room(account);
        if !room.lock().hosts.contains_key(id) {
            return Err(StoreError::NotFound { what: "host" });
        }
        self.store.delete_host(account, id).await?;
        let mut state = room.lock();
        if let Some(link) = state.hosts.remove(id).and_then(|entry| entry.link) {
            link.mailbox.close(CloseReason::HostDeleted);
        }
        state.note(id, HostEventKind::Removed);
        drop(state);
        room.wake();
        Ok(())
    }

    /// Whether the account has such a host.
    pub fn has_host(&self, account: &AccountId, id: &HostId) -> bool {
        self.room(account).lock().hosts.contains_key(id)
    }
}
