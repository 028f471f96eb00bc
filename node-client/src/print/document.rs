//! One reading as JSON, in the words of the protocol.

use metric_flow_protocol::{metrics::Sample, node::HostFacts};
use serde::Serialize;

#[derive(Serialize)]
struct Document<'a> {
    machine_identity: &'a str,
    facts: &'a HostFacts,
    sample: &'a Sample,
}

/// A document with the host's identity, its facts and a sample, ended by a line end.
///
/// # Errors
/// When a value has no JSON form.
pub fn json(identity: &str, facts: &HostFacts, sample: &Sample) -> Result<String, serde_json::Error> {
    let document = Document {
        machine_identity: identity,
        facts,
        sample,
    };
    Ok(serde_json::to_string_pretty(&document)? + "\n")
}
