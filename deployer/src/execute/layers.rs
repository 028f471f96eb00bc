//! The layers that a host lacks, pulled by its own engine out of the SSH connection.

use std::{
    collections::HashMap,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use tokio::{
    sync::{Mutex, OnceCell},
    task::JoinSet,
};

use super::target::{Target, chain};
use crate::{
    containers::{Engine, EngineError, RegistryAccess},
    inventory::EngineKind,
    progress::{Event, Progress, Unit},
    registry::{Endpoint, ImageFiles},
    remote::Forward,
};

/// A report for so many bytes: often enough for a bar, seldom enough for a log of events.
const REPORT_EVERY: u64 = 256 * 1024;

/// Images taken to pieces, each once for all hosts of a rollout.
#[derive(Clone, Default)]
pub(super) struct Pieces(Arc<Mutex<HashMap<String, Arc<Taken>>>>);

/// Empty until the first host needs it.
type Taken = OnceCell<Arc<ImageFiles>>;

impl Pieces {
    /// The pieces of an image of this machine's engine; `image` is the name or id that the engine knows it by.
    pub(super) async fn of(
        &self,
        here: &Engine,
        image: &str,
        id: &str,
    ) -> Result<Arc<ImageFiles>, EngineError> {
        let cell = Arc::clone(self.0.lock().await.entry(id.to_owned()).or_default());
        let files = cell.get_or_try_init(|| async { here.image_files(image).await.map(Arc::new) });
        files.await.cloned()
    }
}

/// Counts what goes to a host, and tells of it now and then.
#[derive(Clone)]
pub(super) struct Counter {
    host: String,
    progress: Arc<dyn Progress>,
    sent: Arc<AtomicU64>,
}

impl Counter {
    pub(super) fn new(host: &str, progress: &Arc<dyn Progress>) -> Self {
        Self {
            host: host.to_owned(),
            progress: Arc::clone(progress),
            sent: Arc::default(),
        }
    }

    pub(super) fn bytes(&self) -> u64 {
        self.sent.load(Ordering::Relaxed)
    }

    pub(super) fn add(&self, bytes: u64) {
        let before = self.sent.fetch_add(bytes, Ordering::Relaxed);
        if before / REPORT_EVERY != (before + bytes) / REPORT_EVERY {
            self.progress.report(Event::Advanced {
                task: &self.host,
                done: before + bytes,
                total: None,
                unit: Unit::Bytes,
            });
        }
    }
}

/// Has the host pull the image out of the connection, and gives it a name there if it has one. The error is the reason
/// why it has to go another way.
pub(super) async fn by_layers(
    files: &Arc<ImageFiles>,
    name: Option<&str>,
    target: &Target,
    counter: &Counter,
) -> Result<(), String> {
    let counter = counter.clone();
    let endpoint = Endpoint::new(Arc::clone(files), move |bytes| counter.add(bytes));
    let mut forward = Forward::open(&target.session())
        .await
        .map_err(|error| format!("the host's sshd forwards no port: {error}"))?;
    let reference = endpoint.reference(forward.port());
    let pulled = tokio::select! {
        pulled = pull(target, &reference) => pulled.map_err(|error| chain(&error)),
        () = serve(&endpoint, &mut forward) => Err("the connection has ended".to_owned()),
    };
    forward.close().await;
    pulled?;
    let known = target.engine.image_id(&files.id).await;
    if known.map_err(|error| chain(&error))?.is_none() {
        return Err("the engine gives the image another id".to_owned());
    }
    // Without a name of its own it keeps the one that it came by, for an image without any would be gone.
    let Some(name) = name else { return Ok(()) };
    let tagged = target.engine.tag_image(&files.id, name).await;
    tagged.map_err(|error| chain(&error))?;
    if let Err(error) = target.engine.remove_image(&reference).await {
        tracing::debug!(host = target.name(), %error, "the name of the transfer stays until the image goes");
    }
    Ok(())
}

async fn pull(target: &Target, reference: &str) -> Result<(), EngineError> {
    match target.host().engine {
        // Docker takes what is on its own loopback without TLS.
        EngineKind::Docker => target.engine.pull_image(reference).await,
        EngineKind::Podman | EngineKind::PodmanRootless => {
            let access = RegistryAccess {
                insecure: true,
                credentials: None,
            };
            target.engine.pull_from(reference, &access, |_| {}).await
        }
    }
}

/// Answers every connection until the host is gone.
async fn serve(endpoint: &Endpoint, forward: &mut Forward) {
    let mut connections = JoinSet::new();
    while let Some(stream) = forward.next().await {
        let endpoint = endpoint.clone();
        connections.spawn(async move { endpoint.serve(stream).await });
        while connections.try_join_next().is_some() {}
    }
}
