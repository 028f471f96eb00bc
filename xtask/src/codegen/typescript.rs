//! web/src/protocol.generated.ts: the viewer side's wire types, as TypeScript.

use std::{any::TypeId, collections::BTreeMap, collections::HashSet};

use metric_flow_protocol::{
    deploy::DeployEvents,
    live::{LiveMessage, ViewerMessage},
    node::{DropReason, Question},
    series::{GapReason, History},
};
use ts_rs::{Config, TS, TypeVisitor};

/// The generated file.
pub(super) const PATH: &str = "web/src/protocol.generated.ts";

const HEAD: &str = "// Generated from protocol/ by `cargo xtask codegen`. Do not edit.\n";

/// Every type that a viewer sends or receives, and those inside them, by name.
pub(super) fn generate() -> String {
    let mut declarations = Declarations {
        // JSON carries numbers only, and ours stay below 2^53.
        config: Config::new().with_large_int("number"),
        seen: HashSet::new(),
        by_name: BTreeMap::new(),
    };
    declarations.visit::<LiveMessage>();
    declarations.visit::<ViewerMessage>();
    declarations.visit::<History>();
    declarations.visit::<GapReason>();
    declarations.visit::<DeployEvents>();
    declarations.visit::<DropReason>();
    declarations.visit::<Question>();

    let mut text = String::from(HEAD);
    for declaration in declarations.by_name.values() {
        text.push('\n');
        text.push_str(declaration);
    }
    text
}

struct Declarations {
    config: Config,
    seen: HashSet<TypeId>,
    by_name: BTreeMap<String, String>,
}

impl TypeVisitor for Declarations {
    fn visit<T: TS + 'static + ?Sized>(&mut self) {
        if !self.seen.insert(TypeId::of::<T>()) {
            return;
        }
        // Only a type with a file of its own has a declaration; the others are TypeScript's.
        if T::output_path().is_some() {
            let docs = T::docs().unwrap_or_default();
            let declaration = format!("{docs}export {}", T::decl(&self.config));
            let lines: Vec<&str> = declaration.lines().map(str::trim_end).collect();
            self.by_name
                .insert(T::ident(&self.config), lines.join("\n") + "\n");
        }
        T::visit_dependencies(self);
        T::visit_generics(self);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_inside_a_message_is_declared_too() {
        let text = generate();
        for name in ["LiveMessage", "HostSummary", "Sample", "Cpu", "History"] {
            assert!(
                text.contains(&format!("export type {name} =")),
                "{name} is missing"
            );
        }
    }

    #[test]
    fn the_order_does_not_change() {
        assert_eq!(generate(), generate());
    }

    #[test]
    fn no_number_is_a_bigint() {
        assert!(!generate().contains("bigint"));
    }
}
