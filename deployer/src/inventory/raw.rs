//! What was typed, with the line of every value: toml_edit's tables read key by key, mistakes gathered on the way.

use std::collections::BTreeMap;

use toml_edit::{Document, Item, TableLike};

use super::problem::{Problem, nearest};

/// A value and the line it stands on.
#[derive(Debug, Clone)]
pub(super) struct At<T> {
    pub(super) line: usize,
    pub(super) value: T,
}

/// What can stand in `[defaults]` and in `[[hosts]]`.
#[derive(Debug, Default)]
pub(super) struct RawHost {
    pub(super) line: usize,
    pub(super) name: Option<At<String>>,
    pub(super) address: Option<At<String>>,
    pub(super) port: Option<At<i64>>,
    pub(super) user: Option<At<String>>,
    pub(super) identity_file: Option<At<String>>,
    pub(super) engine: Option<At<String>>,
    pub(super) roles: Option<At<Vec<String>>>,
    pub(super) labels: Option<At<BTreeMap<String, String>>>,
    pub(super) host_key: Option<At<String>>,
    pub(super) jump: Option<At<String>>,
}

/// What can stand in `[lab]`.
#[derive(Debug, Default)]
pub(super) struct RawLab {
    pub(super) registry: Option<At<String>>,
    pub(super) insecure_registries: Option<At<Vec<String>>>,
    pub(super) parallel: Option<At<i64>>,
    pub(super) connect_timeout_seconds: Option<At<i64>>,
    pub(super) step_timeout_seconds: Option<At<i64>>,
    pub(super) health_timeout_seconds: Option<At<i64>>,
}

/// The whole file.
#[derive(Debug, Default)]
pub(super) struct RawInventory {
    pub(super) defaults: RawHost,
    pub(super) hosts: Vec<RawHost>,
    pub(super) lab: RawLab,
}

/// Reads as much as can be read, and says all that cannot.
pub(super) fn parse(text: &str) -> (RawInventory, Vec<Problem>) {
    let mut reader = Reader {
        text,
        problems: Vec::new(),
    };
    let mut inventory = RawInventory::default();
    match Document::parse(text) {
        Ok(document) => reader.document(document.as_table(), &mut inventory),
        Err(error) => {
            let line = error.span().map_or(0, |span| line_of(text, span.start));
            reader.problems.push(Problem {
                line,
                message: error.message().trim().to_owned(),
            });
        }
    }
    (inventory, reader.problems)
}

struct Reader<'a> {
    text: &'a str,
    problems: Vec<Problem>,
}

fn line_of(text: &str, offset: usize) -> usize {
    text.as_bytes()
        .iter()
        .take(offset)
        .filter(|byte| **byte == b'\n')
        .count()
        + 1
}

impl Reader<'_> {
    fn document(&mut self, root: &dyn TableLike, inventory: &mut RawInventory) {
        for (key, item) in root.iter() {
            let line = self.line(root, key, item);
            match key {
                "defaults" => match item.as_table_like() {
                    Some(table) => {
                        let known = ["user", "port", "identity_file", "engine"];
                        inventory.defaults = self.host(table, line, &known, "[defaults]");
                    }
                    None => self.wrong(line, "`defaults` is a table: [defaults]"),
                },
                "hosts" => self.hosts(item, line, inventory),
                "lab" => match item.as_table_like() {
                    Some(table) => self.lab(table, inventory),
                    None => self.wrong(line, "`lab` is a table: [lab]"),
                },
                other => self.unknown(line, other, &["defaults", "hosts", "lab"], "the file"),
            }
        }
    }

    fn hosts(&mut self, item: &Item, line: usize, inventory: &mut RawInventory) {
        const KNOWN: [&str; 10] = [
            "name",
            "address",
            "port",
            "user",
            "identity_file",
            "engine",
            "roles",
            "labels",
            "host_key",
            "jump",
        ];
        if let Some(tables) = item.as_array_of_tables() {
            for table in tables {
                let line = table.span().map_or(line, |span| line_of(self.text, span.start));
                let host = self.host(table, line, &KNOWN, "[[hosts]]");
                inventory.hosts.push(host);
            }
        } else if let Some(array) = item.as_array() {
            for value in array {
                let line = value.span().map_or(line, |span| line_of(self.text, span.start));
                match value.as_inline_table() {
                    Some(table) => {
                        let host = self.host(table, line, &KNOWN, "[[hosts]]");
                        inventory.hosts.push(host);
                    }
                    None => self.wrong(line, "a host is a table: [[hosts]]"),
                }
            }
        } else {
            self.wrong(
                line,
                "`hosts` is a list of tables: write [[hosts]] above each host",
            );
        }
    }

    fn host(&mut self, table: &dyn TableLike, line: usize, known: &[&str], place: &str) -> RawHost {
        let mut host = RawHost {
            line,
            ..RawHost::default()
        };
        for (key, item) in table.iter() {
            let line = self.line(table, key, item);
            if !known.contains(&key) {
                self.unknown(line, key, known, place);
                continue;
            }
            match key {
                "name" => host.name = self.string(key, item, line),
                "address" => host.address = self.string(key, item, line),
                "port" => host.port = self.integer(key, item, line),
                "user" => host.user = self.string(key, item, line),
                "identity_file" => host.identity_file = self.string(key, item, line),
                "engine" => host.engine = self.string(key, item, line),
                "roles" => host.roles = self.strings(key, item, line),
                "labels" => host.labels = self.map(key, item, line),
                "host_key" => host.host_key = self.string(key, item, line),
                "jump" => host.jump = self.string(key, item, line),
                _ => {}
            }
        }
        host
    }

    fn lab(&mut self, table: &dyn TableLike, inventory: &mut RawInventory) {
        const KNOWN: [&str; 6] = [
            "registry",
            "insecure_registries",
            "parallel",
            "connect_timeout_seconds",
            "step_timeout_seconds",
            "health_timeout_seconds",
        ];
        let lab = &mut inventory.lab;
        for (key, item) in table.iter() {
            let line = self.line(table, key, item);
            match key {
                "registry" => lab.registry = self.string(key, item, line),
                "insecure_registries" => lab.insecure_registries = self.strings(key, item, line),
                "parallel" => lab.parallel = self.integer(key, item, line),
                "connect_timeout_seconds" => lab.connect_timeout_seconds = self.integer(key, item, line),
                "step_timeout_seconds" => lab.step_timeout_seconds = self.integer(key, item, line),
                "health_timeout_seconds" => lab.health_timeout_seconds = self.integer(key, item, line),
                other => self.unknown(line, other, &KNOWN, "[lab]"),
            }
        }
    }

    fn string(&mut self, key: &str, item: &Item, line: usize) -> Option<At<String>> {
        let value = item.as_str().map(|value| At {
            line,
            value: value.to_owned(),
        });
        self.expect(value, key, line, "a string in quotes")
    }

    fn integer(&mut self, key: &str, item: &Item, line: usize) -> Option<At<i64>> {
        let value = item.as_integer().map(|value| At { line, value });
        self.expect(value, key, line, "a whole number")
    }

    fn strings(&mut self, key: &str, item: &Item, line: usize) -> Option<At<Vec<String>>> {
        let values = item.as_array().and_then(|array| {
            array
                .iter()
                .map(|value| value.as_str().map(str::to_owned))
                .collect::<Option<Vec<_>>>()
        });
        self.expect(
            values.map(|value| At { line, value }),
            key,
            line,
            "a list of strings",
        )
    }

    fn map(&mut self, key: &str, item: &Item, line: usize) -> Option<At<BTreeMap<String, String>>> {
        let values = item.as_table_like().and_then(|table| {
            let pairs = table
                .iter()
                .map(|(name, value)| Some((name.to_owned(), value.as_str()?.to_owned())));
            pairs.collect::<Option<BTreeMap<_, _>>>()
        });
        self.expect(
            values.map(|value| At { line, value }),
            key,
            line,
            "a table of strings",
        )
    }

    fn expect<T>(&mut self, value: Option<T>, key: &str, line: usize, wanted: &str) -> Option<T> {
        if value.is_none() {
            self.wrong(line, &format!("`{key}` must be {wanted}"));
        }
        value
    }

    fn line(&self, table: &dyn TableLike, key: &str, item: &Item) -> usize {
        let span = table
            .key(key)
            .and_then(toml_edit::Key::span)
            .or_else(|| item.span());
        span.map_or(0, |span| line_of(self.text, span.start))
    }

    fn wrong(&mut self, line: usize, message: &str) {
        self.problems.push(Problem {
            line,
            message: message.to_owned(),
        });
    }

    fn unknown(&mut self, line: usize, key: &str, known: &[&str], place: &str) {
        let advice = nearest(key, known).map_or_else(
            || format!("it may hold {}", known.join(", ")),
            |known| format!("did you mean `{known}`?"),
        );
        self.wrong(line, &format!("unknown key `{key}` in {place}; {advice}"));
    }
}
