//! The hosts.toml that `deployer init` writes.

/// A file to start from: every key that exists, with what it is for.
#[must_use]
pub fn example() -> &'static str {
    r#"# The machines of the lab. compose.yaml says what runs; this file says where.

[defaults]
user = "root"
# port = 22
# identity_file = "~/.ssh/id_ed25519"   # the agent and the usual files are tried without it
# engine = "podman"                     # podman, podman-rootless or docker

[[hosts]]
name = "node1"
address = "192.0.2.11"
roles = ["server"]                      # `node.role == server` in a placement constraint
# labels = { rack = "a" }               # `node.labels.rack == a`
# host_key = "ssh-ed25519 AAAA…"        # the only host key to accept; `deployer trust` records one instead
# jump = "gateway"                      # the name of the host to go through

[[hosts]]
name = "node2"
address = "192.0.2.12"

[lab]
# registry = "registry.example:5000"    # images are shipped over SSH without one
# insecure_registries = ["registry.example:5000"]   # those of them that are used without TLS
# parallel = 20
# connect_timeout_seconds = 15
# step_timeout_seconds = 120
# health_timeout_seconds = 120
"#
}

#[cfg(test)]
mod tests {
    #![expect(clippy::expect_used, reason = "a test fails by panicking")]

    use std::path::Path;

    use super::super::Inventory;

    #[test]
    fn the_example_is_valid_and_stays_valid_with_its_comments_taken_away() {
        let inventory = Inventory::parse(super::example(), Path::new("")).expect("the example is valid");
        assert_eq!(inventory.hosts.len(), 2);
        let uncommented = super::example()
            .lines()
            .filter(|line| !line.contains("jump") && !line.contains("host_key") && !line.starts_with("# The"))
            .map(|line| line.strip_prefix("# ").unwrap_or(line))
            .collect::<Vec<_>>()
            .join("\n");
        let inventory = Inventory::parse(&uncommented, Path::new("")).expect("each key in a comment exists");
        assert_eq!(inventory.lab.registry.as_deref(), Some("registry.example:5000"));
    }
}
