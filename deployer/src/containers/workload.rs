//! The project's containers, networks and volumes on an engine.

use std::collections::HashMap;

use bollard::{
    errors::Error,
    models::{NetworkCreateRequest, VolumeCreateRequest},
    query_parameters::{
        CreateContainerOptionsBuilder, ListNetworksOptions, ListVolumesOptions,
        RemoveContainerOptionsBuilder, RemoveVolumeOptions, RenameContainerOptionsBuilder,
        StartContainerOptions, StopContainerOptionsBuilder,
    },
};

use super::{body::body, engine::Engine, error::EngineError};
use crate::compose::ContainerSpec;

/// The project that a thing belongs to.
pub const LABEL_PROJECT: &str = "io.metric-flow.deployer.project";
/// The service that a container is of.
pub const LABEL_SERVICE: &str = "io.metric-flow.deployer.service";
/// The hash of what a container is.
pub const LABEL_HASH: &str = "io.metric-flow.deployer.hash";
/// The release that made a container.
pub const LABEL_RELEASE: &str = "io.metric-flow.deployer.release";

/// How long a container may take to stop where it does not say: Docker's own default.
const STOP_SECONDS: u64 = 10;

/// A container as a listing has it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Listed {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Its labels.
    pub labels: HashMap<String, String>,
    /// Its image's id.
    pub image_id: String,
    /// `running`, `exited` and so on.
    pub state: String,
    /// `Up 5 minutes (healthy)`.
    pub status: String,
}

/// How a container does.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Condition {
    /// The engine's word for it: `running`, `exited`, or one that is new to us.
    pub state: String,
    /// It runs.
    pub running: bool,
    /// How its process ended.
    pub exit_code: Option<i64>,
    /// How often the engine has started it again.
    pub restarts: i64,
    /// `healthy`, `unhealthy` or `starting`; nothing without a healthcheck.
    pub health: Option<String>,
    /// What the last check wrote.
    pub health_output: Option<String>,
    /// Since when it runs, as the engine writes it.
    pub started_at: String,
}

/// A container to make.
#[derive(Debug, Clone, Copy)]
pub struct NewContainer<'a> {
    /// Its name.
    pub name: &'a str,
    /// What it is.
    pub spec: &'a ContainerSpec,
    /// The id or name of its image.
    pub image: &'a str,
    /// Labels beside its own.
    pub labels: &'a [(&'a str, &'a str)],
    /// Files of the host and their places in it.
    pub files: &'a [(String, String)],
}

impl Engine {
    /// Makes a container; it does not run yet.
    ///
    /// # Errors
    ///
    /// When the engine refuses: the name is taken, the image is not there, an option is unknown.
    pub async fn create_container(&self, new: NewContainer<'_>) -> Result<(), EngineError> {
        let labels = new
            .labels
            .iter()
            .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
            .collect();
        let options = CreateContainerOptionsBuilder::new().name(new.name).build();
        let body = body(new.spec, new.image, labels, new.files);
        let created = self.docker().create_container(Some(options), body).await;
        created
            .map(drop)
            .map_err(self.failed(&format!("create {}", new.name)))
    }

    /// Starts a container; one that runs already is fine, and one that is frozen goes on.
    ///
    /// # Errors
    ///
    /// When it cannot be started: a port is taken, the program is not there.
    pub async fn start_container(&self, name: &str) -> Result<(), EngineError> {
        self.thaw(name).await?;
        let started = self
            .docker()
            .start_container(name, None::<StartContainerOptions>)
            .await;
        settled(started).map_err(self.failed(&format!("start {name}")))
    }

    /// Stops a container; one that has stopped already is fine.
    ///
    /// # Errors
    ///
    /// When the engine does not answer.
    pub async fn stop_container(&self, name: &str, grace_seconds: Option<u64>) -> Result<(), EngineError> {
        self.thaw(name).await?;
        let seconds = i32::try_from(grace_seconds.unwrap_or(STOP_SECONDS)).unwrap_or(i32::MAX);
        let options = StopContainerOptionsBuilder::new().t(seconds).build();
        let stopped = self.docker().stop_container(name, Some(options)).await;
        settled(stopped).map_err(self.failed(&format!("stop {name}")))
    }

    /// Lets a frozen container go on, which engines neither start nor stop.
    async fn thaw(&self, name: &str) -> Result<(), EngineError> {
        if self.condition(name).await?.state == "paused" {
            self.unpause_container(name).await?;
        }
        Ok(())
    }

    /// Lets a frozen container go on.
    ///
    /// # Errors
    ///
    /// When it is not frozen.
    pub async fn unpause_container(&self, name: &str) -> Result<(), EngineError> {
        let resumed = self.docker().unpause_container(name).await;
        resumed.map_err(self.failed(&format!("unpause {name}")))
    }

    /// Removes a container, running or not; one that is not there is fine.
    ///
    /// # Errors
    ///
    /// When the engine does not answer.
    pub async fn remove_container(&self, name: &str) -> Result<(), EngineError> {
        let options = RemoveContainerOptionsBuilder::new().force(true).v(true).build();
        let removed = self.docker().remove_container(name, Some(options)).await;
        gone(removed.map_err(self.failed(&format!("remove {name}"))))
    }

    /// Gives a container another name.
    ///
    /// # Errors
    ///
    /// When it is not there or the name is taken.
    pub async fn rename_container(&self, name: &str, to: &str) -> Result<(), EngineError> {
        let options = RenameContainerOptionsBuilder::new().name(to).build();
        let renamed = self.docker().rename_container(name, options).await;
        renamed.map_err(self.failed(&format!("rename {name} to {to}")))
    }

    /// The names of the project's networks.
    ///
    /// # Errors
    ///
    /// When the engine does not answer.
    pub async fn project_networks(&self, project: &str) -> Result<Vec<String>, EngineError> {
        let options = ListNetworksOptions {
            filters: Some(of_project(project)),
        };
        let found = self
            .docker()
            .list_networks(Some(options))
            .await
            .map_err(self.failed("list the networks"))?;
        Ok(found.into_iter().filter_map(|network| network.name).collect())
    }

    /// Makes a network.
    ///
    /// # Errors
    ///
    /// When the engine refuses.
    pub async fn create_project_network(&self, name: &str, project: &str) -> Result<(), EngineError> {
        let labels = HashMap::from([(LABEL_PROJECT.to_owned(), project.to_owned())]);
        let request = NetworkCreateRequest {
            name: name.to_owned(),
            driver: Some("bridge".to_owned()),
            labels: Some(labels),
            ..NetworkCreateRequest::default()
        };
        let made = self.docker().create_network(request).await;
        made.map(drop)
            .map_err(self.failed(&format!("make network {name}")))
    }

    /// Removes a network; one that is not there is fine.
    ///
    /// # Errors
    ///
    /// When something still uses it.
    pub async fn remove_project_network(&self, name: &str) -> Result<(), EngineError> {
        let removed = self.docker().remove_network(name).await;
        gone(removed.map_err(self.failed(&format!("remove network {name}"))))
    }

    /// The names of the project's volumes.
    ///
    /// # Errors
    ///
    /// When the engine does not answer.
    pub async fn project_volumes(&self, project: &str) -> Result<Vec<String>, EngineError> {
        let options = ListVolumesOptions {
            filters: Some(of_project(project)),
        };
        let found = self
            .docker()
            .list_volumes(Some(options))
            .await
            .map_err(self.failed("list the volumes"))?;
        Ok(found
            .volumes
            .unwrap_or_default()
            .into_iter()
            .map(|volume| volume.name)
            .collect())
    }

    /// Makes a volume.
    ///
    /// # Errors
    ///
    /// When the engine refuses.
    pub async fn create_project_volume(&self, name: &str, project: &str) -> Result<(), EngineError> {
        let request = VolumeCreateRequest {
            name: Some(name.to_owned()),
            labels: Some(HashMap::from([(LABEL_PROJECT.to_owned(), project.to_owned())])),
            ..VolumeCreateRequest::default()
        };
        let made = self.docker().create_volume(request).await;
        made.map(drop)
            .map_err(self.failed(&format!("make volume {name}")))
    }

    /// Removes a volume and what is in it; one that is not there is fine.
    ///
    /// # Errors
    ///
    /// When something still uses it.
    pub async fn remove_project_volume(&self, name: &str) -> Result<(), EngineError> {
        let removed = self
            .docker()
            .remove_volume(name, None::<RemoveVolumeOptions>)
            .await;
        gone(removed.map_err(self.failed(&format!("remove volume {name}"))))
    }
}

fn of_project(project: &str) -> HashMap<String, Vec<String>> {
    HashMap::from([("label".to_owned(), vec![format!("{LABEL_PROJECT}={project}")])])
}

/// 304: it is so already.
fn settled(outcome: Result<(), Error>) -> Result<(), Error> {
    match outcome {
        Err(Error::DockerResponseServerError { status_code: 304, .. }) => Ok(()),
        other => other,
    }
}

fn gone(outcome: Result<(), EngineError>) -> Result<(), EngineError> {
    match outcome {
        Err(error) if error.is_missing() => Ok(()),
        other => other,
    }
}
