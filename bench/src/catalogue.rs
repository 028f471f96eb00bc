//! The list of scenarios, in the order of the report.

use futures_util::future::BoxFuture;

use crate::{
    context::Context,
    peer::Peer,
    report::Figure,
    scenario::{self, ScenarioError},
};

/// One scenario.
pub struct Scenario {
    /// What `--only` calls it.
    pub name: &'static str,
    /// What it measures, in a few words.
    pub about: &'static str,
    /// Packages of this workspace whose release programs it runs, beside the load generator.
    pub packages: &'static [&'static str],
    /// Groups of system packages that it needs, as `provision/dev-setup.sh` names them.
    pub groups: &'static [&'static str],
    /// Programs of those groups that must be there.
    pub programs: &'static [&'static str],
    /// Folders of the project with a package.json: it runs Node with the packages of each.
    pub node_folders: &'static [&'static str],
    /// Runs it.
    pub run: for<'a> fn(&'a Context) -> Running<'a>,
}

/// A scenario that runs.
pub type Running<'a> = BoxFuture<'a, Result<Vec<Figure>, ScenarioError>>;

const PEERS: &[&str] = &[Peer::Ws.folder(), Peer::SocketIo.folder()];
const SERVER: &[&str] = &["metric-flow-socket-server"];
const BOTH: &[&str] = &["metric-flow-socket-server", "metric-flow-node-client"];

/// All scenarios.
pub const SCENARIOS: &[Scenario] = &[
    Scenario {
        name: "live",
        about: "1,000 hosts at 1 Hz, 4 viewers",
        packages: SERVER,
        groups: &[],
        programs: &[],
        node_folders: PEERS,
        run: |context| Box::pin(scenario::live(context)),
    },
    Scenario {
        name: "live-10000",
        about: "10,000 hosts at 1 Hz, 4 viewers",
        packages: SERVER,
        groups: &[],
        programs: &[],
        node_folders: &[],
        run: |context| Box::pin(scenario::live_large(context)),
    },
    Scenario {
        name: "stalled",
        about: "100 viewers that never read beside 4 that do",
        packages: SERVER,
        groups: &[],
        programs: &[],
        node_folders: &[],
        run: |context| Box::pin(scenario::stalled_viewers(context)),
    },
    Scenario {
        name: "delivery",
        about: "what one host's reading costs for one more viewer",
        packages: SERVER,
        groups: &[],
        programs: &[],
        node_folders: PEERS,
        run: |context| Box::pin(scenario::delivery(context)),
    },
    Scenario {
        name: "idle",
        about: "9,000 hosts that only stay connected",
        packages: SERVER,
        groups: &[],
        programs: &[],
        node_folders: PEERS,
        run: |context| Box::pin(scenario::idle_sockets(context)),
    },
    Scenario {
        name: "reconnect",
        about: "9,000 hosts come back after the server was killed",
        packages: SERVER,
        groups: &[],
        programs: &[],
        node_folders: PEERS,
        run: |context| Box::pin(scenario::reconnect(context)),
    },
    Scenario {
        name: "node",
        about: "a real node-client beside Debian's prometheus-node-exporter, both at 1 Hz",
        packages: BOTH,
        groups: &["bench"],
        programs: &["prometheus-node-exporter"],
        node_folders: &[],
        run: |context| Box::pin(scenario::node_client(context)),
    },
    Scenario {
        name: "endurance",
        about: "a node-client's memory over samples and reconnects (`--endurance-reconnects 1000` for 100,000 and 1,000)",
        packages: BOTH,
        groups: &[],
        programs: &[],
        node_folders: &[],
        run: |context| Box::pin(scenario::endurance(context)),
    },
    Scenario {
        name: "store",
        about: "the embedded store: durable samples a second, bytes a value",
        packages: &[],
        groups: &[],
        programs: &[],
        node_folders: &[],
        run: |context| Box::pin(scenario::store(context)),
    },
    Scenario {
        name: "history",
        about: "questions about the past, over HTTP",
        packages: SERVER,
        groups: &[],
        programs: &[],
        node_folders: &[],
        run: |context| Box::pin(scenario::history(context)),
    },
    Scenario {
        name: "soak",
        about: "the server's memory with 1,000 hosts at 1 Hz, 4 viewers (`--soak-minutes 60` for an hour)",
        packages: SERVER,
        groups: &[],
        programs: &[],
        node_folders: &[],
        run: |context| Box::pin(scenario::soak(context)),
    },
    Scenario {
        name: "browser",
        about: "the fleet page in Chromium with 1,000 hosts at 1 Hz, scrolling",
        packages: BOTH,
        groups: &["browser"],
        programs: &[],
        node_folders: &["e2e/browser"],
        run: |context| Box::pin(scenario::browser(context)),
    },
    Scenario {
        name: "lab",
        about: "hosts as containers on this machine",
        packages: &["metric-flow-deployer"],
        groups: &["lab"],
        programs: &["podman", "mmdebstrap"],
        node_folders: &[],
        run: |context| Box::pin(scenario::lab(context)),
    },
    Scenario {
        name: "rollout",
        about: "the deployer beside Ansible (pipelining on) and one ssh exec a host, on lab hosts",
        packages: &[
            "metric-flow-socket-server",
            "metric-flow-node-client",
            "metric-flow-deployer",
        ],
        groups: &["lab", "bench"],
        programs: &["podman", "ssh", "ansible-playbook"],
        node_folders: &[],
        run: |context| Box::pin(scenario::rollout(context)),
    },
];

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    #[test]
    fn the_packages_of_every_node_folder_are_locked() {
        let project = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        for folder in SCENARIOS.iter().flat_map(|one| one.node_folders) {
            let lock = project.join(folder).join("package-lock.json");
            assert!(lock.exists(), "{}", lock.display());
        }
    }
}
