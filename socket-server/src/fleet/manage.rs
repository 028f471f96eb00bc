//! What a person changes about a host: its name, its labels, whether it is there at all.

use std::collections::BTreeMap;

use metric_flow_protocol::live::{HostEventKind, HostSummary};

use super::{link::CloseReason, registry::Fleet, room::Room};
use crate::store::{AccountId, HostId, HostRecord, StoreError};

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
            entry.record.whole()
        };
        if let Some(name) = change.name {
            record.given_name = Some(name).filter(|name| !name.is_empty());
        }
        if let Some(labels) = change.labels {
            record.given_labels = labels;
        }
        self.keep(&room, record.clone()).await?;
        let mut state = room.lock();
        let entry = state
            .hosts
            .get_mut(id)
            .ok_or(StoreError::NotFound { what: "host" })?;
        // A hello may have come meanwhile: what it said stays.
        let mut now = entry.record.whole();
        now.given_name = record.given_name;
        now.given_labels = record.given_labels;
        entry.record = now.into();
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
        let mut entry = {
            let mut state = room.lock();
            let entry = state
                .hosts
                .remove(id)
                .ok_or(StoreError::NotFound { what: "host" })?;
            if let Some(link) = &entry.link {
                link.mailbox.close(CloseReason::HostDeleted);
            }
            state.note(id, HostEventKind::Removed);
            entry
        };
        room.wake();
        // What is being written of it now ends before; nothing new begins, because its room has it no more.
        drop(self.removal.write().await);
        if let Err(error) = self.store.delete_host(account, id).await {
            entry.link = None;
            let mut state = room.lock();
            state.hosts.insert(id.clone(), entry);
            state.note(id, HostEventKind::Offline);
            drop(state);
            room.wake();
            return Err(error);
        }
        Ok(())
    }

    /// Writes a host's record, unless the host was deleted meanwhile: nobody would ever take it away again.
    ///
    /// # Errors
    /// `NotFound` when it was deleted, or the store's own errors.
    pub(super) async fn keep(&self, room: &Room, record: HostRecord) -> Result<(), StoreError> {
        let _shared = self.removal.read().await;
        if !room.lock().hosts.contains_key(&record.id) {
            return Err(StoreError::NotFound { what: "host" });
        }
        self.store.put_host(record).await
    }

    /// Whether the account has such a host.
    pub fn has_host(&self, account: &AccountId, id: &HostId) -> bool {
        self.room(account).lock().hosts.contains_key(id)
    }
}
