//! The connection, its collections and their indexes.

use std::time::Duration;

use mongodb::{
    Client, Collection, IndexModel,
    bson::{DateTime, Document, doc},
    error::{Error, ErrorKind},
    options::{Acknowledgment, ClientOptions, IndexOptions, WriteConcern},
};

use secrecy::{ExposeSecret as _, SecretString};

use crate::store::{StoreError, retention::Retention};

/// Database that is used when the address names none.
const DATABASE: &str = "metric_flow";

/// How long a server may take to be found before the store counts as unavailable.
const SELECTION_TIMEOUT: Duration = Duration::from_secs(5);

/// Code of a duplicate key.
const DUPLICATE: i32 = 11_000;

/// Codes of commands that the user may not do: Unauthorized, AuthenticationFailed.
const NOT_ALLOWED: [i32; 2] = [13, 18];

/// Every collection.
pub(super) struct Collections {
    pub(super) client: Client,
    pub(super) users: Collection<Document>,
    pub(super) sessions: Collection<Document>,
    pub(super) api_keys: Collection<Document>,
    pub(super) hosts: Collection<Document>,
    pub(super) samples: Collection<Document>,
    pub(super) rollups: Collection<Document>,
    pub(super) settled: Collection<Document>,
    pub(super) dropped: Collection<Document>,
    /// Ten-minute buckets whose samples are not rolled up yet.
    pub(super) pending: Collection<Document>,
    pub(super) answers: Collection<Document>,
    pub(super) deploy_events: Collection<Document>,
    pub(super) meta: Collection<Document>,
}

impl Collections {
    pub(super) async fn open(
        address: &str,
        password: Option<SecretString>,
        retention: &Retention,
    ) -> Result<Self, StoreError> {
        let mut options = ClientOptions::parse(address).await.map_err(misaddressed)?;
        if let Some(password) = password {
            let named = options.credential.as_mut();
            let user = named.filter(|user| user.username.is_some());
            let user = user.ok_or_else(|| StoreError::Refused {
                reason: "there is a password for MongoDB, but its address names no user: write mongodb://USER@HOST/"
                    .to_owned(),
            })?;
            user.password = Some(password.expose_secret().to_owned());
        }
        options.app_name = Some("metric-flow".to_owned());
        options.server_selection_timeout = Some(SELECTION_TIMEOUT);
        options.write_concern = Some(
            WriteConcern::builder()
                .w(Acknowledgment::Majority)
                .journal(true)
                .build(),
        );
        let name = options
            .default_database
            .clone()
            .unwrap_or_else(|| DATABASE.to_owned());
        let client = Client::with_options(options).map_err(failed)?;
        let database = client.database(&name);
        let of = |name: &str| database.collection::<Document>(name);
        let collections = Self {
            users: of("users"),
            sessions: of("sessions"),
            api_keys: of("api_keys"),
            hosts: of("hosts"),
            samples: of("samples"),
            rollups: of("rollups"),
            settled: of("settled"),
            dropped: of("dropped"),
            pending: of("pending"),
            answers: of("answers"),
            deploy_events: of("deploy_events"),
            meta: of("meta"),
            client,
        };
        collections.migrate(retention).await?;
        collections.make_indexes().await.map_err(failed)?;
        Ok(collections)
    }

    async fn make_indexes(&self) -> Result<(), Error> {
        let plain = |keys: Document| IndexModel::builder().keys(keys).build();
        let unique = |keys: Document| {
            let options = IndexOptions::builder().unique(true).build();
            IndexModel::builder().keys(keys).options(options).build()
        };
        let expiring = || {
            let options = IndexOptions::builder().expire_after(Duration::ZERO).build();
            IndexModel::builder()
                .keys(doc! { "expires": 1 })
                .options(options)
                .build()
        };
        let only_first = IndexOptions::builder()
            .unique(true)
            .partial_filter_expression(doc! { "first": true })
            .build();
        let only_first = IndexModel::builder()
            .keys(doc! { "first": 1 })
            .options(only_first)
            .build();
        self.users
            .create_indexes([unique(doc! { "name_lower": 1 }), only_first])
            .await?;
        self.sessions
            .create_indexes([plain(doc! { "family": 1 }), plain(doc! { "account": 1 })])
            .await?;
        self.api_keys
            .create_indexes([unique(doc! { "key_hash": 1 }), plain(doc! { "account": 1 })])
            .await?;
        self.hosts.create_indexes([plain(doc! { "account": 1 })]).await?;
        self.samples
            .create_indexes([plain(doc! { "host": 1, "time": 1, "seq": 1 }), expiring()])
            .await?;
        self.rollups
            .create_indexes([plain(doc! { "host": 1, "resolution": 1, "time": 1 }), expiring()])
            .await?;
        self.answers.create_indexes([plain(doc! { "host": 1 })]).await?;
        self.deploy_events
            .create_indexes([plain(doc! { "account": 1, "time": 1 }), expiring()])
            .await?;
        self.settled.create_indexes([plain(doc! { "host": 1 })]).await?;
        self.dropped
            .create_indexes([plain(doc! { "host": 1 }), expiring()])
            .await?;
        self.pending
            .create_indexes([plain(doc! { "host": 1, "bucket": 1 })])
            .await?;
        Ok(())
    }

    /// The collections that hold a host's past.
    pub(super) fn of_hosts(&self) -> [&Collection<Document>; 6] {
        [
            &self.samples,
            &self.rollups,
            &self.pending,
            &self.settled,
            &self.dropped,
            &self.answers,
        ]
    }
}

/// What a failed command means to the server.
pub(super) fn failed(error: Error) -> StoreError {
    match error.kind.as_ref() {
        ErrorKind::BsonDeserialization(_) | ErrorKind::InvalidResponse { .. } => StoreError::Damaged {
            reason: format!("MongoDB: {error}"),
        },
        ErrorKind::Authentication { .. } => refused(&error),
        ErrorKind::Command(command) if NOT_ALLOWED.contains(&command.code) => refused(&error),
        _ => StoreError::Unavailable {
            reason: format!(
                "MongoDB: {error}; check that it runs and that its address and credentials are right"
            ),
        },
    }
}

fn refused(error: &Error) -> StoreError {
    StoreError::Refused {
        reason: format!("MongoDB: {error}; check the user, the password and the authSource of the address"),
    }
}

/// An address that cannot be understood is not tried again.
fn misaddressed(error: Error) -> StoreError {
    match error.kind.as_ref() {
        ErrorKind::InvalidArgument { message, .. } => StoreError::Refused {
            reason: format!("the address of MongoDB is not valid: {message}"),
        },
        _ => failed(error),
    }
}

/// Whether a write failed only since the key is there already.
pub(super) fn is_duplicate(error: &Error) -> bool {
    match error.kind.as_ref() {
        ErrorKind::Write(mongodb::error::WriteFailure::WriteError(error)) => error.code == DUPLICATE,
        ErrorKind::InsertMany(many) => {
            many.write_concern_error.is_none()
                && many
                    .write_errors
                    .as_ref()
                    .is_some_and(|errors| errors.iter().all(|error| error.code == DUPLICATE))
        }
        _ => false,
    }
}

pub(super) fn unreadable(error: impl std::fmt::Display) -> StoreError {
    StoreError::Damaged {
        reason: format!("a MongoDB document cannot be understood: {error}"),
    }
}

/// First instant of year 1 and last of year 9999: dates beyond are beyond what drivers and shells can show.
pub(super) const DATES_MS: (i64, i64) = (-62_135_596_800_000, 253_402_300_799_999);

/// An instant as a date that every driver can read; one beyond is kept at the edge, and exactly in its sample.
pub(super) fn date(unix_ms: i64) -> DateTime {
    DateTime::from_millis(unix_ms.clamp(DATES_MS.0, DATES_MS.1))
}
