//! Which question gets which answer, and how long an answer may be.

use metric_flow_protocol::node::Question;
use serde_json::{Map, Value, json};
use thiserror::Error;

use super::{containers, network, processes, storage, system};
use crate::host_root::HostRoot;

/// Longest answer in bytes. It travels in a frame of 64 KiB, and as text in a JSON frame, where quotes take two
/// bytes each.
pub const ANSWER_BYTES_MAX: usize = 40 << 10;

/// A question that this client cannot answer.
#[derive(Debug, Error)]
pub enum AnswerError {
    /// The question is newer than this client.
    #[error("this node-client does not know the question: update it")]
    UnknownQuestion,
    /// The host does not say.
    #[error("the host does not say: {0}")]
    Unavailable(String),
}

/// Answers a question with a JSON document: an object of facts and lists. A list that is too long ends early, and
/// `left_out` says how many of its entries are missing.
///
/// It reads many files and may take half a second: call it on a blocking thread.
///
/// # Errors
/// When the question is unknown or the host does not say.
pub fn answer(root: &HostRoot, question: Question) -> Result<String, AnswerError> {
    let document = match question {
        Question::Processes => processes::processes(root)?,
        Question::Disks => storage::disks(root),
        Question::Os => system::os(root),
        Question::Network => network::network(root),
        Question::Containers => containers::containers(root)?,
        Question::Unknown => return Err(AnswerError::UnknownQuestion),
    };
    Ok(fit(document))
}

/// Drops entries from the end of the longest list until the document fits.
fn fit(mut document: Map<String, Value>) -> String {
    let mut left_out = 0_u64;
    loop {
        if left_out > 0 {
            document.insert("left_out".to_owned(), json!(left_out));
        }
        let text = Value::Object(document.clone()).to_string();
        if text.len() <= ANSWER_BYTES_MAX {
            return text;
        }
        let longest = document
            .values_mut()
            .filter_map(Value::as_array_mut)
            .max_by_key(|list| list.len());
        let Some(list) = longest.filter(|list| !list.is_empty()) else {
            return json!({ "left_out": left_out }).to_string();
        };
        // An eighth at a time: a list of ten thousand is short in a few rounds.
        let dropped = list.len().div_ceil(8);
        list.truncate(list.len() - dropped);
        left_out += dropped as u64;
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::expect_used, reason = "a test fails by panicking")]

    use super::*;

    #[test]
    fn a_long_list_ends_early_and_says_so() {
        let entries: Vec<Value> = (0..10_000).map(|number| json!({ "number": number })).collect();
        let mut document = Map::new();
        document.insert("entries".to_owned(), Value::Array(entries));
        let text = fit(document);
        assert!(text.len() <= ANSWER_BYTES_MAX);
        let back: Value = serde_json::from_str(&text).expect("JSON");
        let kept = back["entries"].as_array().expect("a list").len();
        assert!(kept > 1_000);
        assert_eq!(back["left_out"], json!(10_000 - kept));
    }

    #[test]
    fn an_unknown_question_is_refused() {
        let error = answer(&HostRoot::default(), Question::Unknown).expect_err("no answer");
        assert!(error.to_string().contains("update"));
    }

    #[test]
    fn every_other_question_has_an_answer_or_a_reason() {
        for question in [
            Question::Processes,
            Question::Disks,
            Question::Os,
            Question::Network,
            Question::Containers,
        ] {
            match answer(&HostRoot::default(), question) {
                Ok(text) => assert!(
                    serde_json::from_str::<Map<String, Value>>(&text).is_ok(),
                    "{question:?}"
                ),
                Err(error) => assert!(!error.to_string().is_empty()),
            }
        }
    }
}
