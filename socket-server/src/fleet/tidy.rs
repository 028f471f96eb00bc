//! What a host says about itself, as people can look at it. Pure.

use metric_flow_protocol::node::{Hello, HostFacts};

/// Longest text of a fact: longer than any processor's or system's name, and than any host name (253).
const FACT_CHARS_MAX: usize = 256;
/// Addresses of one kind: a host with a thousand virtual interfaces is not told by the rest of them.
const ADDRESSES_MAX: usize = 256;

/// Takes out of a hello what would only garble a page: control characters, those that turn the direction of writing
/// round, spaces at the ends, and what is too long to be meant.
pub(super) fn tidy(hello: &mut Hello) {
    for label in &mut hello.labels {
        tidy_text(&mut label.name);
        tidy_text(&mut label.value);
    }
    // A label without a name cannot be told from another.
    hello.labels.retain(|label| !label.name.is_empty());
    let Some(HostFacts {
        host_name,
        os,
        kernel,
        architecture,
        cpu_model,
        client_version,
        mac_addresses,
        ip_addresses,
        ..
    }) = &mut hello.facts
    else {
        return;
    };
    for text in [host_name, os, kernel, architecture, cpu_model, client_version] {
        tidy_text(text);
    }
    for list in [mac_addresses, ip_addresses] {
        list.truncate(ADDRESSES_MAX);
        list.iter_mut().for_each(tidy_text);
    }
}

fn tidy_text(text: &mut String) {
    let is_plain =
        text.len() <= FACT_CHARS_MAX && !text.chars().any(is_garbling) && text.trim() == text.as_str();
    if !is_plain {
        let kept: String = text
            .chars()
            .filter(|character| !is_garbling(*character))
            .collect();
        *text = kept.trim().chars().take(FACT_CHARS_MAX).collect();
    }
}

/// Control characters, and the embeddings, overrides and isolates of Unicode's bidirectional algorithm (UAX #9).
fn is_garbling(character: char) -> bool {
    character.is_control() || matches!(character, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
#[expect(clippy::expect_used, reason = "a test fails by panicking")]
mod tests {
    use metric_flow_protocol::node::Label;

    use super::*;

    fn told_as(host_name: &str) -> String {
        let mut hello = Hello {
            facts: Some(HostFacts {
                host_name: host_name.to_owned(),
                ..HostFacts::default()
            }),
            ..Hello::default()
        };
        tidy(&mut hello);
        hello.facts.expect("facts").host_name
    }

    #[test]
    fn names_stay_what_they_are() {
        for name in [
            "web-1",
            "büro.example.org",
            "שרת-1",
            "机器",
            "😀",
            "<b>x</b>",
            "a b",
        ] {
            assert_eq!(told_as(name), name);
        }
    }

    #[test]
    fn what_garbles_a_page_is_left_out() {
        assert_eq!(told_as("line\nbreak\ttab\u{0}"), "linebreaktab");
        assert_eq!(told_as("a\u{202e}gnp.exe"), "agnp.exe");
        assert_eq!(told_as(" \u{202e} "), "");
        assert_eq!(told_as(&"ü".repeat(60_000)), "ü".repeat(FACT_CHARS_MAX));
    }

    #[test]
    fn lists_and_labels_have_an_end() {
        let mut hello = Hello {
            labels: vec![
                Label {
                    name: "\n".to_owned(),
                    value: "x".to_owned(),
                },
                Label {
                    name: "role".to_owned(),
                    value: "d\u{2066}b".to_owned(),
                },
            ],
            facts: Some(HostFacts {
                ip_addresses: vec!["192.0.2.1".to_owned(); 5_000],
                ..HostFacts::default()
            }),
            ..Hello::default()
        };
        tidy(&mut hello);
        assert_eq!(hello.facts.expect("facts").ip_addresses.len(), ADDRESSES_MAX);
        let labels: Vec<_> = hello
            .labels
            .iter()
            .map(|label| (&*label.name, &*label.value))
            .collect();
        assert_eq!(labels, [("role", "db")]);
    }
}
