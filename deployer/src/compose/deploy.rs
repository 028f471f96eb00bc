//! `deploy.mode`, `deploy.replicas` and `deploy.placement.constraints`.

use compose_spec::service::deploy::{Deploy, Mode as SpecMode};

use super::model::{Constraint, Mode, Subject};

/// How many and where, or what is wrong with it.
pub(super) fn placement(
    deploy: Option<&Deploy>,
    path: &str,
    problems: &mut Vec<String>,
) -> (Mode, Vec<Constraint>) {
    let Some(deploy) = deploy else {
        return (Mode::Replicated(1), Vec::new());
    };
    let replicas = deploy.replicas.unwrap_or(1);
    let mode = match deploy.mode.unwrap_or_default() {
        SpecMode::Global => Mode::Global,
        SpecMode::Replicated => Mode::Replicated(u32::try_from(replicas).unwrap_or(u32::MAX)),
    };
    let mut constraints = Vec::new();
    for text in deploy
        .placement
        .iter()
        .flat_map(|placement| &placement.constraints)
    {
        match constraint(text) {
            Some(constraint) => constraints.push(constraint),
            None => problems.push(format!(
                "{path}.placement.constraints: `{text}` is not understood; write `node.labels.X == Y`, \
                 `node.role != Y` or `node.hostname == Y`"
            )),
        }
    }
    (mode, constraints)
}

fn constraint(text: &str) -> Option<Constraint> {
    let (subject, equal, value) = match (text.split_once("=="), text.split_once("!=")) {
        (Some((subject, value)), None) => (subject, true, value),
        (None, Some((subject, value))) => (subject, false, value),
        _ => return None,
    };
    let value = value.trim();
    let subject = match subject.trim() {
        "node.hostname" => Subject::Hostname,
        "node.role" => Subject::Role,
        other => Subject::Label(
            other
                .strip_prefix("node.labels.")
                .filter(|label| !label.is_empty())?
                .to_owned(),
        ),
    };
    (!value.is_empty()).then(|| Constraint {
        subject,
        equal,
        value: value.to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn constraints_are_read_with_and_without_spaces() {
        let label = |equal| Constraint {
            subject: Subject::Label("rack".to_owned()),
            equal,
            value: "a".to_owned(),
        };
        assert_eq!(constraint("node.labels.rack==a"), Some(label(true)));
        assert_eq!(constraint("node.labels.rack != a"), Some(label(false)));
        for wrong in ["node.labels. == a", "rack == a", "node.hostname", "node.role == "] {
            assert_eq!(constraint(wrong), None, "{wrong}");
        }
    }
}
