//! The lab's hosts.toml: ready for a rollout, with the host keys pinned. Pure.

use std::path::Path;

use toml_edit::{Array, ArrayOfTables, DocumentMut, Item, Table, value};

/// A host as the file names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Listed {
    pub(super) name: String,
    pub(super) address: String,
    pub(super) user: String,
    /// `ssh-ed25519 AAAA…`
    pub(super) host_key: String,
}

/// The text of the file. The first host is the server; all of them are nodes.
pub(super) fn inventory(lab: &str, identity: &Path, hosts: &[Listed]) -> String {
    let mut defaults = Table::new();
    defaults.insert("identity_file", value(identity.display().to_string()));
    defaults.insert("engine", value("podman"));
    let heading = format!("# The hosts of the lab \"{lab}\", written by `deployer lab up`.\n\n");
    defaults.decor_mut().set_prefix(heading);

    let mut tables = ArrayOfTables::new();
    for (index, host) in hosts.iter().enumerate() {
        let mut roles = Array::new();
        if index == 0 {
            roles.push("server");
        }
        roles.push("node");
        let mut table = Table::new();
        table.insert("name", value(&host.name));
        table.insert("address", value(&host.address));
        table.insert("user", value(&host.user));
        table.insert("roles", value(roles));
        table.insert("host_key", value(&host.host_key));
        tables.push(table);
    }
    let mut document = DocumentMut::new();
    document.insert("defaults", Item::Table(defaults));
    document.insert("hosts", Item::ArrayOfTables(tables));
    document.to_string()
}

/// The text of a known_hosts file, for a person's own ssh.
pub(super) fn known_hosts(hosts: &[Listed]) -> String {
    hosts
        .iter()
        .map(|host| format!("{},{} {}\n", host.name, host.address, host.host_key))
        .collect()
}

#[cfg(test)]
mod tests {
    #![expect(clippy::expect_used, reason = "a test fails by panicking")]

    use super::*;
    use crate::inventory::Inventory;

    const KEY: &str = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIG3ZxqJMu4QXjvXHnB8pyx7fS3k7bqFh3zUnfK5b5y7Q";

    #[test]
    fn the_file_is_read_back_as_the_hosts_that_were_written() {
        let host = |number: u8| Listed {
            name: format!("node{number}"),
            address: format!("10.231.0.{number}"),
            user: "deploy".to_owned(),
            host_key: KEY.to_owned(),
        };
        let text = inventory("lab", Path::new("/tmp/lab/id_ed25519"), &[host(1), host(2)]);
        let inventory = Inventory::parse(&text, Path::new("")).expect("a valid file");
        assert_eq!(inventory.hosts.len(), 2);
        let first = inventory.host("node1").expect("node1");
        assert_eq!(
            (first.address.as_str(), first.user.as_str()),
            ("10.231.0.1", "deploy")
        );
        assert!(first.roles.contains("server"));
        assert!(!inventory.hosts[1].roles.contains("server"));
        assert_eq!(first.host_key.as_deref(), Some(KEY));
    }
}
