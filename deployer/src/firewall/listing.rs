//! `firewall-cmd --list-all` as data.

use std::collections::BTreeSet;

use super::rule::PortRule;

/// The zone's name and the ports that it lets in, of the output of `firewall-cmd --list-all`.
#[must_use]
pub fn parse_listing(text: &str) -> Option<(String, BTreeSet<PortRule>)> {
    let mut lines = text.lines().skip_while(|line| line.trim().is_empty());
    let zone = lines.next()?.split_whitespace().next()?.to_owned();
    let mut rules = BTreeSet::new();
    for line in lines {
        let line = line.trim();
        if let Some(ports) = line.strip_prefix("ports:") {
            rules.extend(ports.split_whitespace().filter_map(port));
        } else if let Some(rule) = line.strip_prefix("rule ") {
            rules.extend(rich_rule(rule));
        }
    }
    Some((zone, rules))
}

fn port(word: &str) -> Option<PortRule> {
    let (port, protocol) = word.split_once('/')?;
    Some(PortRule {
        port: port.parse().ok()?,
        protocol: protocol.to_owned(),
        source: None,
    })
}

/// Rules of the form that we write; others are somebody else's and stay as they are.
fn rich_rule(rule: &str) -> Option<PortRule> {
    let field = |name: &str| {
        let (_, after) = rule.split_once(&format!("{name}=\""))?;
        after.split_once('"').map(|(value, _)| value.to_owned())
    };
    if !rule.trim_end().ends_with("accept") {
        return None;
    }
    let source = field("source address")?;
    Some(PortRule {
        port: field("port port")?.parse().ok()?,
        protocol: field("protocol")?,
        source: Some(source),
    })
}

#[cfg(test)]
mod tests {
    #![expect(clippy::expect_used, reason = "a test fails by panicking")]

    use proptest::prelude::*;

    use super::*;

    const LISTING: &str = "public (active)\n  target: default\n  interfaces: eth0\n  services: dhcpv6-client ssh\n  \
        ports: 8000/tcp 60000-60010/udp 53/udp\n  protocols: \n  rich rules: \n\trule family=\"ipv4\" source \
        address=\"10.0.0.0/8\" port port=\"9000\" protocol=\"tcp\" accept\n\trule family=\"ipv4\" source \
        address=\"10.0.0.0/8\" port port=\"22\" protocol=\"tcp\" drop\n";

    #[test]
    fn ports_and_our_kind_of_rich_rules_are_read() {
        let (zone, rules) = parse_listing(LISTING).expect("a listing");
        assert_eq!(zone, "public");
        let texts: Vec<String> = rules.iter().map(ToString::to_string).collect();
        assert_eq!(texts, ["53/udp", "8000/tcp", "9000/tcp from 10.0.0.0/8"]);
    }

    proptest! {
        #[test]
        fn a_rule_that_we_write_is_a_rule_that_we_read(port in 1u16.., octet in 0u8..) {
            let rule = PortRule { port, protocol: "tcp".to_owned(), source: Some(format!("10.{octet}.0.0/16")) };
            let option = rule.option("add");
            let (_, text) = option.split_once('=').expect("an option with a value");
            let (_, rules) = parse_listing(&format!("public\n\t{text}\n")).expect("a listing");
            prop_assert!(rules.contains(&rule));
        }
    }
}
