//! `deployer check`.

use super::scene::{chosen, connector, inventory};
use crate::{
    cli::HostsArgs,
    clock::now_unix_seconds,
    error::{Exit, Failure},
    execute::{Fleet, Target},
    printer::Printer,
};

/// A name for the project of a check: nothing is made under it.
const NO_PROJECT: &str = "check";

/// Looks at every host side by side: connection, engine, firewall, boot, room. Exits with 1 when a rollout would fail.
///
/// # Errors
///
/// When hosts.toml is wrong.
pub async fn run(arguments: &HostsArgs, printer: &Printer) -> Result<Exit, Failure> {
    let inventory = inventory(arguments)?;
    let connector = connector(&inventory)?;
    let hosts = chosen(&inventory, &arguments.only)?.hosts;
    let fleet = Fleet::open_some(&connector, &hosts, &inventory, NO_PROJECT).await;
    let findings = fleet.each(look).await;
    fleet.close().await;
    let mut good = true;
    for (host, error) in &fleet.unreachable {
        good = false;
        let causes = Failure::because(String::new(), error).causes.join(": ");
        printer.data(&format!("{host}: {causes}"));
        if let Some(hint) = error.hint(host) {
            printer.data(&format!("  cure: {hint}"));
        }
    }
    for (host, found) in findings {
        if found.is_empty() {
            printer.data(&format!("{host}: ready"));
        }
        for finding in found {
            good &= !finding.blocks;
            let word = if finding.blocks { "" } else { "note: " };
            printer.data(&format!("{host}: {word}{}", finding.what));
            printer.data(&format!("  cure: {}", finding.cure));
        }
    }
    Ok(if good { Exit::Done } else { Exit::Failed })
}

struct Finding {
    /// A rollout would fail.
    blocks: bool,
    what: String,
    cure: String,
}

/// What the script prints when something is not as a rollout needs it, with what it means and the cure.
const MEANINGS: [(&str, bool, &str, &str); 7] = [
    (
        "firewalld-off",
        false,
        "no firewalld runs: ports are as open as the network is",
        "systemctl enable --now firewalld, or roll out with --no-firewall",
    ),
    (
        "sudo-firewall",
        true,
        "sudo does not let this user run firewall-cmd without a password",
        "allow it in /etc/sudoers.d, or roll out with --no-firewall",
    ),
    (
        "boot-missing",
        false,
        "podman-restart.service does not exist: containers stay down after a reboot",
        "install a newer podman",
    ),
    (
        "boot-once",
        false,
        "podman-restart.service tries once after a boot: where firewalld is slow, containers stay down",
        "run provision/bootstrap.sh there, which has it wait and try again",
    ),
    (
        "strict-forward",
        true,
        "firewalld has StrictForwardPorts=yes: published ports of the engine are not reachable",
        "set StrictForwardPorts=no in /etc/firewalld/firewalld.conf",
    ),
    (
        "disk-full",
        true,
        "less than 200 MB are free where images are kept",
        "make room: podman image prune",
    ),
    (
        "home-read-only",
        true,
        "the home folder of this user cannot be written",
        "give the user a home folder",
    ),
];

/// A clock that is further off is told: certificates and charts suffer from it, a rollout does not.
const MOST_SKEW_SECONDS: i64 = 5;

/// How many seconds a host's clock is ahead of ours: what it said, less the time here, which lay between the question and
/// the answer. Nothing while the two agree.
fn skew(asked: i64, said: i64, answered: i64) -> Option<i64> {
    let ahead = if said < asked {
        said - asked
    } else {
        (said - answered).max(0)
    };
    (ahead.abs() > MOST_SKEW_SECONDS).then_some(ahead)
}

fn now_seconds() -> i64 {
    i64::try_from(now_unix_seconds()).unwrap_or(i64::MAX)
}

async fn look(target: &Target) -> Vec<Finding> {
    let mut findings = things(target).await;
    let asked = now_seconds();
    if let Ok(output) = target.shell("date +%s", b"").await
        && let Ok(said) = output.text().trim().parse()
        && let Some(ahead) = skew(asked, said, now_seconds())
    {
        let way = if ahead > 0 { "ahead" } else { "behind" };
        findings.push(Finding {
            blocks: false,
            what: format!("its clock is {} s {way}", ahead.abs()),
            cure: "systemctl enable --now chronyd (chrony on Debian), then `chronyc tracking`".to_owned(),
        });
    }
    findings
}

async fn things(target: &Target) -> Vec<Finding> {
    let sudo = target.sudo();
    let script = format!(
        r#"if systemctl -q is-active firewalld; then
  {sudo}firewall-cmd --state >/dev/null 2>&1 || echo sudo-firewall
  grep -qi '^StrictForwardPorts=yes' /etc/firewalld/firewalld.conf 2>/dev/null && echo strict-forward
else echo firewalld-off; fi
if command -v podman >/dev/null; then
  unit=$(systemctl show --property LoadState,Restart podman-restart.service 2>/dev/null)
  case $unit in
  *LoadState=loaded*) case $unit in *Restart=no*) echo boot-once ;; esac ;;
  *) echo boot-missing ;;
  esac
fi
for d in /var/lib/containers /var/lib/docker /var; do [ -d "$d" ] && break; done
[ "$(df -Pk "$d" | awk 'NR==2 {{print $4}}')" -ge 204800 ] || echo disk-full
touch "$HOME/.deployer-check" 2>/dev/null && rm -f "$HOME/.deployer-check" || echo home-read-only
true"#
    );
    match target.shell(&script, b"").await {
        Err(error) => vec![Finding {
            blocks: true,
            what: error.to_string(),
            cure: "try `ssh` to it".to_owned(),
        }],
        Ok(output) => {
            let text = output.text();
            let words: Vec<&str> = text.lines().collect();
            let found = MEANINGS.iter().filter(|(word, ..)| words.contains(word));
            found
                .map(|(_, blocks, what, cure)| Finding {
                    blocks: *blocks,
                    what: (*what).to_owned(),
                    cure: (*cure).to_owned(),
                })
                .collect()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::skew;

    #[test]
    fn a_clock_is_off_only_beyond_the_time_that_asking_takes() {
        assert_eq!(skew(100, 103, 106), None);
        assert_eq!(skew(100, 110, 106), None);
        assert_eq!(skew(100, 7_306, 106), Some(7_200));
        assert_eq!(skew(7_300, 100, 7_306), Some(-7_200));
        assert_eq!(skew(100, 96, 100), None);
    }
}
