//! Containers that behave like machines: systemd as their first process, all privileges, an address of their own.

use std::collections::HashMap;

use bollard::{
    models::{
        ContainerCreateBody, HostConfig, HostConfigCgroupnsModeEnum, NetworkingConfig, ResourcesUlimits,
    },
    query_parameters::{
        CreateContainerOptionsBuilder, RemoveContainerOptionsBuilder, StartContainerOptions,
        StopContainerOptionsBuilder, UploadToContainerOptionsBuilder,
    },
};
use bytes::Bytes;

use super::{
    engine::Engine,
    error::EngineError,
    labelled::{Labels, endpoint},
};

/// systemd's own signal for an orderly power-off.
const POWER_OFF: &str = "SIGRTMIN+3";

/// What a machine is made of.
#[derive(Debug, Clone)]
pub struct MachineSpec {
    /// The container's name.
    pub name: String,
    /// The machine's own name.
    pub hostname: String,
    /// What it boots.
    pub image: String,
    /// The network that it is on.
    pub network: String,
    /// Its address there.
    pub address: String,
    /// Mounts, as `source:target:options`.
    pub binds: Vec<String>,
    /// Whether it sees the cgroups of the machine below: the only way where those are hybrid.
    pub shares_cgroups: bool,
    /// The limits of a container on a machine that cannot raise them.
    pub file_limit: Option<i64>,
    /// Folders in memory that the engine does not add for systemd by itself.
    pub tmpfs: Vec<String>,
    /// What it is found by.
    pub labels: Labels,
}

/// A machine as the engine sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Machine {
    /// The container's name.
    pub name: String,
    /// The engine's word for its state: `running`, `exited`, `paused`, `created`.
    pub state: String,
    /// The networks that it is on.
    pub networks: Vec<String>,
    /// What it is found by.
    pub labels: Labels,
}

impl Engine {
    /// The containers that carry `label=value`, running or not, ordered by name.
    ///
    /// # Errors
    ///
    /// When the engine does not answer.
    pub async fn machines_with(&self, label: &str, value: &str) -> Result<Vec<Machine>, EngineError> {
        let listed = self.entries(label, value).await?;
        let mut machines: Vec<Machine> = listed
            .into_iter()
            .map(|found| Machine {
                name: found.name(),
                networks: found.networks(),
                state: found.state,
                labels: found.labels,
            })
            .collect();
        machines.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(machines)
    }

    /// Makes a machine without starting it.
    ///
    /// # Errors
    ///
    /// When the name or the address is taken, or the image is missing.
    pub async fn create_machine(&self, spec: MachineSpec) -> Result<(), EngineError> {
        let failed = self.failed(&format!("make the machine {}", spec.name));
        let options = CreateContainerOptionsBuilder::new().name(&spec.name).build();
        self.docker()
            .create_container(Some(options), body(spec))
            .await
            .map(drop)
            .map_err(failed)
    }

    /// Puts a tar archive into a machine's root folder.
    ///
    /// # Errors
    ///
    /// When the machine is missing.
    pub async fn put_files(&self, name: &str, tar: Vec<u8>) -> Result<(), EngineError> {
        let options = UploadToContainerOptionsBuilder::new().path("/").build();
        let body = bollard::body_full(Bytes::from(tar));
        let put = self.docker().upload_to_container(name, Some(options), body).await;
        put.map_err(self.failed(&format!("put files into {name}")))
    }

    /// Starts a machine; one that runs already is left alone.
    ///
    /// # Errors
    ///
    /// When the engine's runtime refuses.
    pub async fn start_machine(&self, name: &str) -> Result<(), EngineError> {
        let started = self
            .docker()
            .start_container(name, None::<StartContainerOptions>)
            .await;
        started.map_err(self.failed(&format!("start {name}")))
    }

    /// Shuts a machine down, and cuts its power after so many seconds.
    ///
    /// # Errors
    ///
    /// When the machine is missing.
    pub async fn stop_machine(&self, name: &str, seconds: i32) -> Result<(), EngineError> {
        let options = StopContainerOptionsBuilder::new().t(seconds).build();
        let stopped = self.docker().stop_container(name, Some(options)).await;
        stopped.map_err(self.failed(&format!("stop {name}")))
    }

    /// Freezes a machine: it keeps its address and answers nothing.
    ///
    /// # Errors
    ///
    /// When it does not run.
    pub async fn pause_machine(&self, name: &str) -> Result<(), EngineError> {
        let paused = self.docker().pause_container(name).await;
        paused.map_err(self.failed(&format!("pause {name}")))
    }

    /// Removes a machine, running or not, with its unnamed volumes.
    ///
    /// # Errors
    ///
    /// When the engine cannot kill it.
    pub async fn remove_machine(&self, name: &str) -> Result<(), EngineError> {
        let options = RemoveContainerOptionsBuilder::new().force(true).v(true).build();
        let removed = self.docker().remove_container(name, Some(options)).await;
        removed.map_err(self.failed(&format!("remove {name}")))
    }
}

fn body(spec: MachineSpec) -> ContainerCreateBody {
    let ulimits = spec.file_limit.map(|limit| {
        ["nofile", "nproc"]
            .map(|name| ResourcesUlimits {
                name: Some(name.to_owned()),
                soft: Some(limit),
                hard: Some(limit),
            })
            .to_vec()
    });
    let cgroups = spec.shares_cgroups.then_some(HostConfigCgroupnsModeEnum::HOST);
    ContainerCreateBody {
        hostname: Some(spec.hostname.clone()),
        image: Some(spec.image),
        cmd: Some(vec!["/sbin/init".to_owned()]),
        // systemd finds out by this that it is in a container, and leaves the machine's devices alone.
        env: Some(vec!["container=oci".to_owned()]),
        stop_signal: Some(POWER_OFF.to_owned()),
        labels: Some(spec.labels),
        networking_config: Some(NetworkingConfig {
            endpoints_config: Some(HashMap::from([(
                spec.network.clone(),
                endpoint(&spec.hostname, &spec.address),
            )])),
        }),
        host_config: Some(HostConfig {
            privileged: Some(true),
            network_mode: Some(spec.network),
            binds: Some(spec.binds),
            cgroupns_mode: cgroups,
            // A machine has no limit of processes, and the engine's default of 2048 is soon reached by one.
            pids_limit: Some(-1),
            ulimits,
            tmpfs: (!spec.tmpfs.is_empty())
                .then(|| spec.tmpfs.into_iter().map(|path| (path, String::new())).collect()),
            ..HostConfig::default()
        }),
        ..ContainerCreateBody::default()
    }
}
