//! Things with labels: the networks, volumes and machines that one owner made, found again by its label.

use std::{collections::HashMap, net::Ipv4Addr};

use bollard::{
    models::{
        EndpointIpamConfig, EndpointSettings, Ipam, IpamConfig, NetworkConnectRequest, NetworkCreateRequest,
        NetworkDisconnectRequest, VolumeCreateRequest,
    },
    query_parameters::{ListNetworksOptions, ListVolumesOptions, RemoveVolumeOptions},
};

use super::{engine::Engine, error::EngineError};

/// Labels by name.
pub type Labels = HashMap<String, String>;

/// A network of an engine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Network {
    /// Its name.
    pub name: String,
    /// Its first subnet, as `10.1.2.0/24`.
    pub subnet: Option<String>,
    /// Its labels.
    pub labels: Labels,
}

/// The filter for things that carry `name=value`.
pub(super) fn with_label(name: &str, value: &str) -> HashMap<String, Vec<String>> {
    HashMap::from([("label".to_owned(), vec![format!("{name}={value}")])])
}

impl Engine {
    /// All networks.
    ///
    /// # Errors
    ///
    /// When the engine does not answer.
    pub async fn networks(&self) -> Result<Vec<Network>, EngineError> {
        let listed = self.docker().list_networks(None::<ListNetworksOptions>).await;
        let listed = listed.map_err(self.failed("list the networks"))?;
        Ok(listed
            .into_iter()
            .map(|network| Network {
                name: network.name.unwrap_or_default(),
                subnet: network
                    .ipam
                    .and_then(|ipam| ipam.config)
                    .and_then(|configs| configs.into_iter().next())
                    .and_then(|config| config.subnet),
                labels: network.labels.unwrap_or_default(),
            })
            .collect())
    }

    /// Makes a bridge network with addresses of our choice.
    ///
    /// # Errors
    ///
    /// When the name or the subnet is taken, or the engine cannot make networks.
    pub async fn create_network(
        &self,
        name: &str,
        subnet: &str,
        gateway: &str,
        labels: Labels,
    ) -> Result<(), EngineError> {
        let request = NetworkCreateRequest {
            name: name.to_owned(),
            driver: Some("bridge".to_owned()),
            ipam: Some(Ipam {
                driver: None,
                config: Some(vec![IpamConfig {
                    subnet: Some(subnet.to_owned()),
                    gateway: Some(gateway.to_owned()),
                    ..IpamConfig::default()
                }]),
                options: None,
            }),
            labels: Some(labels),
            ..NetworkCreateRequest::default()
        };
        let made = self.docker().create_network(request).await;
        made.map(drop)
            .map_err(self.failed(&format!("make the network {name} with {subnet}")))
    }

    /// Removes a network.
    ///
    /// # Errors
    ///
    /// When something still uses it.
    pub async fn remove_network(&self, name: &str) -> Result<(), EngineError> {
        let removed = self.docker().remove_network(name).await;
        removed.map_err(self.failed(&format!("remove the network {name}")))
    }

    /// Joins a container to a network with the given address.
    ///
    /// # Errors
    ///
    /// When either is missing, or the address is taken.
    pub async fn join_network(
        &self,
        network: &str,
        container: &str,
        alias: &str,
        address: &str,
    ) -> Result<(), EngineError> {
        let request = NetworkConnectRequest {
            container: container.to_owned(),
            endpoint_config: Some(endpoint(alias, address)),
        };
        let joined = self.docker().connect_network(network, request).await;
        joined.map_err(self.failed(&format!("join {container} to {network}")))
    }

    /// Takes a container off a network.
    ///
    /// # Errors
    ///
    /// When either is missing.
    pub async fn leave_network(&self, network: &str, container: &str) -> Result<(), EngineError> {
        let request = NetworkDisconnectRequest {
            container: container.to_owned(),
            force: Some(true),
        };
        let left = self.docker().disconnect_network(network, request).await;
        left.map_err(self.failed(&format!("take {container} off {network}")))
    }

    /// Makes a volume; one of that name that exists is taken as it is.
    ///
    /// # Errors
    ///
    /// When the engine cannot make it.
    pub async fn create_volume(&self, name: &str, labels: Labels) -> Result<(), EngineError> {
        let request = VolumeCreateRequest {
            name: Some(name.to_owned()),
            labels: Some(labels),
            ..VolumeCreateRequest::default()
        };
        let made = self.docker().create_volume(request).await;
        made.map(drop)
            .map_err(self.failed(&format!("make the volume {name}")))
    }

    /// The names of the volumes that carry `label=value`.
    ///
    /// # Errors
    ///
    /// When the engine does not answer.
    pub async fn volumes_with(&self, label: &str, value: &str) -> Result<Vec<String>, EngineError> {
        let options = ListVolumesOptions {
            filters: Some(with_label(label, value)),
        };
        let listed = self.docker().list_volumes(Some(options)).await;
        let listed = listed.map_err(self.failed("list the volumes"))?;
        Ok(listed
            .volumes
            .unwrap_or_default()
            .into_iter()
            .map(|volume| volume.name)
            .collect())
    }

    /// Removes a volume.
    ///
    /// # Errors
    ///
    /// When a container still uses it.
    pub async fn remove_volume(&self, name: &str) -> Result<(), EngineError> {
        let removed = self
            .docker()
            .remove_volume(name, Some(RemoveVolumeOptions { force: true }))
            .await;
        removed.map_err(self.failed(&format!("remove the volume {name}")))
    }
}

pub(super) fn endpoint(alias: &str, address: &str) -> EndpointSettings {
    EndpointSettings {
        aliases: Some(vec![alias.to_owned()]),
        ipam_config: Some(EndpointIpamConfig {
            ipv4_address: Some(address.to_owned()),
            ..EndpointIpamConfig::default()
        }),
        // Podman 4 reads the address from here as well.
        ip_address: Some(address.to_owned()),
        mac_address: link_address(address),
        ..EndpointSettings::default()
    }
}

/// The Ethernet address that goes with an IPv4 address: always the same, so that a neighbour that has it in its cache
/// finds a container that left the network and came back. Cache entries live for up to a minute.
fn link_address(address: &str) -> Option<String> {
    let [a, b, c, d] = address.parse::<Ipv4Addr>().ok()?.octets();
    // 02 says that it is of local choice, and no group's.
    Some(format!("02:4d:{a:02x}:{b:02x}:{c:02x}:{d:02x}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_container_that_comes_back_has_the_ethernet_address_that_it_had() {
        assert_eq!(link_address("10.231.4.11").as_deref(), Some("02:4d:0a:e7:04:0b"));
        assert_eq!(link_address("fd00::1"), None);
    }
}
