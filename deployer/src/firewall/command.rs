//! The shell commands that see and change a firewall.

use crate::remote::quote;

use super::rule::PortRule;

/// ALREADY_ENABLED and NOT_ENABLED: what was asked for is so already.
const SETTLED: [u8; 2] = [11, 12];

/// Asks firewalld itself, as any user may (firewalld.dbus(5)). The answer is `s "public"`.
const ASK: &str = "busctl --allow-interactive-authorization=no call org.fedoraproject.FirewallD1 /org/fedoraproject/FirewallD1";

/// A script that prints the zone of the interface we came in by, at runtime and for the next boot, parted by `separator`.
/// It prints `absent` where no firewalld runs. Each call of firewall-cmd starts Python, a sixth of a second of processor
/// time: firewalld itself is asked for the zone's name, and firewall-cmd only where that does not answer.
#[must_use]
pub fn query(sudo: &str, separator: &str) -> String {
    format!(
        r#"if ! command -v firewall-cmd >/dev/null 2>&1 || ! systemctl -q is-active firewalld; then echo absent
else
  set -- $SSH_CONNECTION
  interface=$(ip -o addr show 2>/dev/null | awk -v a="$3" '{{split($4,p,"/"); if (p[1]==a) {{print $2; exit}}}}')
  # An interface that is left to the default zone has none of its own.
  zone=$({ASK} org.fedoraproject.FirewallD1.zone getZoneOfInterface s "$interface" 2>/dev/null) \
    && {{ [ "$zone" != 's ""' ] || zone=$({ASK} org.fedoraproject.FirewallD1 getDefaultZone 2>/dev/null); }} \
    && zone=${{zone#s \"}} && zone=${{zone%\"}} \
    || zone=$({sudo}firewall-cmd --get-zone-of-interface="$interface" 2>/dev/null) || zone=$({sudo}firewall-cmd --get-default-zone 2>/dev/null)
  {sudo}firewall-cmd --zone="$zone" --list-all 2>&1
  echo '{separator}'
  {sudo}firewall-cmd --permanent --zone="$zone" --list-all 2>&1
fi
"#
    )
}

/// A command that prints something else whenever what a firewall lets in has changed, now or for the next boot: the rules
/// in the kernel, and the age of the files. It costs a tenth of what [`query`] does, for it starts no Python. A host that
/// does not let us look prints something else each time.
#[must_use]
pub fn stamp(sudo: &str) -> String {
    format!("{{ {sudo}{RULES} && {sudo}{FILES}; }} 2>/dev/null || date +%s.%N")
}

/// The rules in the kernel, without counters; by its path, as sudo wants it. bootstrap.sh allows just these words.
const RULES: &str = "/usr/sbin/nft -s list table inet firewalld";
/// The files of firewalld with their times. Its folder is closed to other users.
const FILES: &str = "/usr/bin/ls -lnR --full-time /etc/firewalld";

/// A command that adds or removes rules, either at runtime or for the next boot. Rules that are so already are fine.
#[must_use]
pub fn change(sudo: &str, zone: &str, verb: &str, rules: &[PortRule], permanent: bool) -> String {
    let permanent = if permanent { "--permanent " } else { "" };
    let options: Vec<String> = rules.iter().map(|rule| quote(&rule.option(verb))).collect();
    let settled = SETTLED
        .map(|status| format!("[ $status -eq {status} ]"))
        .join(" || ");
    format!(
        "{sudo}firewall-cmd {permanent}--zone={} {}; status=$?; [ $status -eq 0 ] || {settled} || exit $status",
        quote(zone),
        options.join(" ")
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn now_and_the_next_boot_are_set_each_on_its_own_and_nothing_is_reloaded() {
        let rules = [PortRule {
            port: 9090,
            protocol: "tcp".to_owned(),
            source: None,
        }];
        let now = change("sudo -n ", "public", "add", &rules, false);
        let next_boot = change("sudo -n ", "public", "add", &rules, true);
        assert!(now.starts_with("sudo -n firewall-cmd --zone=public --add-port=9090/tcp"));
        assert!(next_boot.starts_with("sudo -n firewall-cmd --permanent --zone=public --add-port=9090/tcp"));
        // A port that is open already is no failure.
        assert!(now.contains("[ $status -eq 11 ]"));
        for command in [now, next_boot, query("", "---")] {
            assert!(!command.contains("reload"));
        }
    }
}
