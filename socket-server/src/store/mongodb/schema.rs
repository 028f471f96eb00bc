//! Which form the documents have, and how those of an earlier release come into it.

use std::time::Duration;

use mongodb::bson::{Document, doc};
use tokio::time::{Instant, sleep};

use super::connect::{Collections, DATES_MS, date, failed, is_duplicate, unreadable};
use crate::{
    clock::now_unix_ms,
    store::{Resolution, StoreError, retention::Retention},
};

/// The form that this release writes. Each change of it comes with a migration.
///
/// 1: the first release; it wrote no number down. 2: dropped ranges carry when they go. 3: of a host's answers to a
/// question there is one, which does not expire.
pub(super) const SCHEMA: i64 = 3;

/// The document that holds the number.
const NUMBER: &str = "schema";

/// The document that one migrating server holds.
const LOCK: &str = "schema_lock";

/// How long a lock holds after its server is gone. Migrations may be run again, so one that takes longer does no harm.
const LEASE_MS: i64 = 60_000;

/// How long another server's migration is waited for.
const PATIENCE: Duration = Duration::from_secs(120);

/// Between two looks at it.
const LOOK: Duration = Duration::from_millis(500);

impl Collections {
    /// Brings the documents into the form of this release, in one server at a time.
    ///
    /// # Errors
    /// `Refused` when a newer release wrote them.
    pub(super) async fn migrate(&self, retention: &Retention) -> Result<(), StoreError> {
        let began = Instant::now();
        loop {
            let version = self.schema().await?;
            if version > SCHEMA {
                return Err(StoreError::Refused {
                    reason: format!(
                        "a newer release wrote this database (its schema is {version}, this release knows \
                         up to {SCHEMA}): run that release, or give another database"
                    ),
                });
            }
            if version == SCHEMA {
                return Ok(());
            }
            if self.lock_schema().await? {
                let done = self.migrate_from(version, retention).await;
                self.unlock_schema().await?;
                done?;
            } else if began.elapsed() > PATIENCE {
                return Err(StoreError::Unavailable {
                    reason: "another server has been migrating the database for minutes; look at its log"
                        .to_owned(),
                });
            } else {
                sleep(LOOK).await;
            }
        }
    }

    /// The number in the database; an empty one gets that of this release.
    async fn schema(&self) -> Result<i64, StoreError> {
        if let Some(found) = self.meta.find_one(doc! { "_id": NUMBER }).await.map_err(failed)? {
            return found.get_i64("version").map_err(unreadable);
        }
        for collection in [&self.users, &self.hosts, &self.settled, &self.meta] {
            if collection.find_one(doc! {}).await.map_err(failed)?.is_some() {
                return Ok(1);
            }
        }
        match self.meta.insert_one(number(SCHEMA)).await {
            Err(error) if !is_duplicate(&error) => Err(failed(error)),
            _ => Ok(SCHEMA),
        }
    }

    async fn migrate_from(&self, version: i64, retention: &Retention) -> Result<(), StoreError> {
        // Another server may have been first.
        let mut version = self.schema().await?.max(version);
        while version < SCHEMA {
            tracing::info!(from = version, to = version + 1, "migrating the database");
            match version {
                1 => self.let_dropped_expire(retention).await?,
                _ => self.forget_expiring_answers().await?,
            }
            version += 1;
            self.meta
                .replace_one(doc! { "_id": NUMBER }, number(version))
                .upsert(true)
                .await
                .map_err(failed)?;
        }
        Ok(())
    }

    /// 1 → 2.
    async fn let_dropped_expire(&self, retention: &Retention) -> Result<(), StoreError> {
        let now = now_unix_ms();
        let kept = now.saturating_sub(retention.cutoff(Resolution::Hour, now));
        let latest = DATES_MS.1.saturating_sub(kept);
        let end = doc! { "$min": [{ "$max": ["$to_unix_ms", now] }, latest] };
        let change = doc! { "$set": { "expires": { "$toDate": { "$add": [end, kept] } } } };
        self.dropped
            .update_many(doc! { "expires": { "$exists": false } }, vec![change])
            .await
            .map_err(failed)?;
        Ok(())
    }

    /// 2 → 3.
    async fn forget_expiring_answers(&self) -> Result<(), StoreError> {
        let expiring = doc! { "expires": { "$exists": true } };
        self.answers.delete_many(expiring).await.map_err(failed)?;
        Ok(())
    }

    /// Whether this server may migrate now.
    async fn lock_schema(&self) -> Result<bool, StoreError> {
        let now = now_unix_ms();
        let free = doc! { "_id": LOCK, "until": { "$lt": date(now) } };
        let taken = doc! { "$set": { "until": date(now.saturating_add(LEASE_MS)) } };
        match self.meta.update_one(free, taken).upsert(true).await {
            Ok(_) => Ok(true),
            Err(error) if is_duplicate(&error) => Ok(false),
            Err(error) => Err(failed(error)),
        }
    }

    async fn unlock_schema(&self) -> Result<(), StoreError> {
        self.meta.delete_one(doc! { "_id": LOCK }).await.map_err(failed)?;
        Ok(())
    }
}

fn number(version: i64) -> Document {
    doc! { "_id": NUMBER, "version": version, "by": env!("CARGO_PKG_VERSION") }
}
