//! What this machine allows: who we are, its cgroups, its limits, its routes. Read from /proc and /sys.

use std::{fs, path::Path};

use super::error::LabError;

/// How many inotify instances one host takes: systemd, its journal, dbus, logind, firewalld, and containers inside.
const INOTIFY_PER_HOST: u64 = 48;
/// What the rest of the machine is left with.
const INOTIFY_REST: u64 = 128;
/// What a limit that is too low is raised to at least: labs share it, and each looks at its own hosts only.
const INOTIFY_ENOUGH: u64 = 2048;
const INOTIFY_LIMIT: &str = "/proc/sys/fs/inotify/max_user_instances";
/// The limit of open files and of processes of a host where limits cannot be raised: podman's own default hard limit
/// there is refused by the runtime, and this is allowed everywhere.
pub(super) const MODEST_LIMIT: i64 = 4096;
/// `CAP_SYS_RESOURCE`, by its number in linux/capability.h.
const SYS_RESOURCE: u32 = 24;

/// This machine, as far as it matters to a lab.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Surroundings {
    /// Whether we are root.
    pub(super) root: bool,
    /// Whether a process may get higher limits than we have.
    pub(super) may_raise_limits: bool,
    /// Whether cgroup v1 and v2 are mixed, with v2 below `/sys/fs/cgroup/unified`.
    pub(super) hybrid_cgroups: bool,
    /// Whether Podman's own network program is there; older ones would choose CNI on a machine that once had that.
    pub(super) netavark: bool,
}

impl Surroundings {
    pub(super) fn read() -> Self {
        let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
        Self {
            hybrid_cgroups: Path::new("/sys/fs/cgroup/unified/cgroup.procs").exists(),
            netavark: ["/usr/lib/podman/netavark", "/usr/libexec/podman/netavark"]
                .iter()
                .any(|path| Path::new(path).exists()),
            ..Self::from_status(&status)
        }
    }

    fn from_status(status: &str) -> Self {
        let field = |name: &str| {
            let values = status.lines().find_map(|line| line.strip_prefix(name));
            values.and_then(|values| values.split_whitespace().next())
        };
        let capabilities = field("CapEff:").and_then(|word| u64::from_str_radix(word, 16).ok());
        Self {
            root: field("Uid:") == Some("0"),
            may_raise_limits: capabilities.is_none_or(|bits| bits >> SYS_RESOURCE & 1 == 1),
            hybrid_cgroups: false,
            netavark: false,
        }
    }

    /// The containers.conf under which this machine can run hosts, when the engine's defaults would not do.
    pub(super) fn settings(self) -> Option<String> {
        if self.may_raise_limits && !self.hybrid_cgroups {
            return None;
        }
        let mut text =
            String::from("# Written by `deployer lab`: settings under which this machine can run hosts.\n");
        if !self.may_raise_limits {
            text.push_str("[containers]\ndefault_ulimits = [\"nofile=4096:4096\", \"nproc=4096:4096\"]\n");
        }
        // crun refuses hybrid cgroups and some limits; runc takes both.
        text.push_str("[engine]\nruntime = \"runc\"\ncgroup_manager = \"cgroupfs\"\n");
        if self.netavark {
            text.push_str("[network]\nnetwork_backend = \"netavark\"\n");
        }
        Some(text)
    }
}

/// Makes sure that so many hosts find inotify instances. Says what was raised.
pub(super) fn raise_inotify(hosts: usize) -> Result<Option<String>, LabError> {
    let Some(have) = fs::read_to_string(INOTIFY_LIMIT)
        .ok()
        .and_then(|text| text.trim().parse::<u64>().ok())
    else {
        // Not Linux, or hidden: the engine's machine is another one.
        return Ok(None);
    };
    let need = INOTIFY_REST + INOTIFY_PER_HOST * u64::try_from(hosts).unwrap_or(u64::MAX / INOTIFY_PER_HOST);
    if have >= need {
        return Ok(None);
    }
    let wanted = need.max(INOTIFY_ENOUGH);
    fs::write(INOTIFY_LIMIT, wanted.to_string()).map_err(|_| LabError::Inotify { have, need, hosts })?;
    Ok(Some(format!(
        "raised fs.inotify.max_user_instances from {have} to {wanted} until the next boot: all hosts share it"
    )))
}

/// The destinations of this machine's IPv4 routes, as `10.231.7.0`.
pub(super) fn routes() -> Vec<String> {
    destinations(&fs::read_to_string("/proc/net/route").unwrap_or_default())
}

fn destinations(table: &str) -> Vec<String> {
    let words = table
        .lines()
        .skip(1)
        .filter_map(|line| line.split_whitespace().nth(1));
    words
        .filter_map(|word| u32::from_str_radix(word, 16).ok())
        .map(|number| {
            // The kernel prints the number as it lies in memory.
            let [a, b, c, d] = number.to_le_bytes();
            format!("{a}.{b}.{c}.{d}")
        })
        .collect()
}

/// Whether a program is in PATH, or where Podman keeps its own.
pub(super) fn has_program(name: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path)
        .chain(["/usr/sbin", "/sbin"].map(Into::into))
        .any(|folder| folder.join(name).is_file())
}

#[cfg(test)]
mod tests {
    #![expect(clippy::expect_used, reason = "a test fails by panicking")]

    use super::*;

    #[test]
    fn root_and_the_right_to_raise_limits_are_read_from_the_process_status() {
        let root = Surroundings::from_status("Name:\tx\nUid:\t0\t0\t0\t0\nCapEff:\t000001ffffffffff\n");
        assert!(root.root && root.may_raise_limits);
        assert_eq!(root.settings(), None);
        let weak = Surroundings::from_status("Uid:\t0\t0\t0\t0\nCapEff:\t00000000a80425fb\n");
        assert!(weak.root && !weak.may_raise_limits);
        let settings = weak.settings().expect("settings");
        assert!(settings.contains("nofile=4096:4096"), "{settings}");
        let user = Surroundings::from_status("Uid:\t1000\t1000\t1000\t1000\nCapEff:\t0000000000000000\n");
        assert!(!user.root);
    }

    #[test]
    fn routes_are_read_as_addresses() {
        let table = "Iface\tDestination\tGateway\neth0\t00000000\t010011AC\neth0\t0007E70A\t00000000\n";
        assert_eq!(destinations(table), ["0.0.0.0", "10.231.7.0"]);
    }
}
