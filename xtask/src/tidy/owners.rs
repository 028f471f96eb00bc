//! Which folder may name which crate or module: an owner keeps a library to itself, a layer knows none above it.

use std::path::Path;

/// In the files under `inside`, but not in those under `but`, none of `names` may be named.
struct Rule {
    inside: &'static str,
    but: &'static [&'static str],
    names: &'static [&'static str],
    reason: &'static str,
}

const RULES: &[Rule] = &[
    Rule {
        inside: "deployer/src/",
        but: &["deployer/src/remote/"],
        names: &["russh"],
        reason: "only remote/ knows SSH",
    },
    Rule {
        inside: "deployer/src/",
        but: &["deployer/src/containers/"],
        names: &["bollard"],
        reason: "only containers/ knows the engine's API",
    },
    Rule {
        inside: "deployer/src/",
        but: &["deployer/src/progress/"],
        names: &["indicatif"],
        reason: "only progress/ knows the terminal's bars",
    },
    Rule {
        inside: "deployer/src/plan",
        but: &[],
        names: &[
            "std::fs",
            "std::net::TcpStream",
            "std::net::ToSocketAddrs",
            "std::process",
            "tokio",
            "crate::remote",
            "crate::containers",
            "crate::progress",
            "crate::execute",
            "crate::commands",
        ],
        reason: "a plan is data; making one does no IO",
    },
    Rule {
        inside: "socket-server/src/fleet",
        but: &[],
        names: &[
            "warp",
            "hyper",
            "tungstenite",
            "tokio_tungstenite",
            "mongodb",
            "fjall",
            "crate::http",
            "crate::socket",
        ],
        reason: "the fleet knows neither transport nor database",
    },
    Rule {
        inside: "socket-server/src/store",
        but: &[],
        names: &[
            "warp",
            "tokio_tungstenite",
            "crate::http",
            "crate::socket",
            "crate::fleet",
            "crate::accounts",
        ],
        reason: "the store knows nothing above it",
    },
    Rule {
        inside: "socket-server/src/",
        but: &["socket-server/src/store/"],
        names: &["mongodb", "fjall", "pco"],
        reason: "only the store's implementations know a database",
    },
    Rule {
        inside: "socket-server/src/accounts",
        but: &[],
        names: &[
            "warp",
            "hyper",
            "tokio_tungstenite",
            "mongodb",
            "fjall",
            "crate::http",
            "crate::socket",
        ],
        reason: "accounts know neither transport nor database",
    },
    Rule {
        inside: "socket-server/src/history",
        but: &[],
        names: &[
            "warp",
            "hyper",
            "tokio_tungstenite",
            "mongodb",
            "fjall",
            "crate::http",
            "crate::socket",
        ],
        reason: "history knows neither transport nor database",
    },
    Rule {
        inside: "node-client/src/collect",
        but: &[],
        names: &[
            "tokio_tungstenite",
            "tokio_rustls",
            "crate::uplink",
            "crate::spool",
        ],
        reason: "a collector knows no network and no spool",
    },
    Rule {
        inside: "protocol/src/",
        but: &[],
        names: &["std::fs", "std::net", "std::process", "std::thread"],
        reason: "the protocol does no IO",
    },
];

/// Every name that a file may not use.
pub(super) fn check(path: &Path, text: &str) -> Vec<String> {
    let Some(shown) = path.to_str() else {
        return Vec::new();
    };
    let mut found = Vec::new();
    for rule in RULES.iter().filter(|rule| applies(rule, shown)) {
        for (index, line) in text.lines().enumerate() {
            let code = line.split("//").next().unwrap_or_default();
            if let Some(name) = rule.names.iter().find(|name| names(code, name)) {
                found.push(format!(
                    "{shown}:{}: may not name `{name}`: {}",
                    index + 1,
                    rule.reason
                ));
            }
        }
    }
    found
}

fn applies(rule: &Rule, path: &str) -> bool {
    let under = |folder: &str| match path.strip_prefix(folder) {
        Some(rest) => folder.ends_with('/') || rest.starts_with('/') || rest == ".rs",
        None => false,
    };
    under(rule.inside)
        && !rule
            .but
            .iter()
            .any(|folder| under(folder) || path == folder_file(folder))
}

/// `a/remote/` is also the file `a/remote.rs`.
fn folder_file(folder: &str) -> String {
    format!("{}.rs", folder.trim_end_matches('/'))
}

/// Whether code uses a name as a path: `use name…`, `name::…`, or `name` within braces of a `use`.
fn names(code: &str, name: &str) -> bool {
    code.match_indices(name).any(|(start, _)| {
        let part_of_word = |character: char| character.is_alphanumeric() || character == '_';
        let before = code[..start].chars().next_back();
        let after = &code[start + name.len()..];
        let whole = !before
            .is_some_and(|character| part_of_word(character) || matches!(character, ':' | '"' | '.'))
            && !after.chars().next().is_some_and(part_of_word);
        whole
            && (after.starts_with("::") || code.trim_start().starts_with("use ") || code.contains("pub use "))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn count(path: &str, text: &str) -> usize {
        check(Path::new(path), text).len()
    }

    #[test]
    fn a_library_outside_its_owner_is_found() {
        assert_eq!(count("deployer/src/commands/plan.rs", "use russh::client;\n"), 1);
        assert_eq!(count("deployer/src/remote/ssh.rs", "use russh::client;\n"), 0);
        assert_eq!(
            count(
                "deployer/src/execute.rs",
                "let docker = bollard::Docker::connect();\n"
            ),
            1
        );
    }

    #[test]
    fn a_layer_that_names_one_above_is_found() {
        assert_eq!(
            count("socket-server/src/fleet/room.rs", "use crate::http::Reply;\n"),
            1
        );
        assert_eq!(count("socket-server/src/fleet.rs", "use warp::Filter;\n"), 1);
        assert_eq!(count("socket-server/src/http/mod.rs", "use warp::Filter;\n"), 0);
    }

    #[test]
    fn words_that_only_look_alike_are_not() {
        assert_eq!(
            count(
                "socket-server/src/fleet/room.rs",
                "// warp::reply is not for here\n"
            ),
            0
        );
        assert_eq!(
            count("socket-server/src/fleet/room.rs", "use time_warp::Clock;\n"),
            0
        );
        assert_eq!(
            count("deployer/src/plan/step.rs", "let text = \"tokio::spawn\";\n"),
            0
        );
    }
}
