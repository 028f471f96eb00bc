//! The things that can happen to a task.

use serde::Serialize;

/// What `done` and `total` count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Unit {
    /// Steps, hosts, files: things.
    Items,
    /// Bytes moved.
    Bytes,
}

/// How an image came to a host.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "way", rename_all = "snake_case")]
pub enum Way {
    /// The layers that it lacked.
    Layers,
    /// The whole of it.
    Whole {
        /// Why not by layers.
        reason: String,
    },
    /// From the registry of hosts.toml.
    Registry,
}

/// One report. `task` names what is worked on: a host, an image, the lab; it is the same in all events of one task.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Event<'a> {
    /// A task has begun.
    Started {
        /// What is worked on.
        task: &'a str,
        /// What is being done, as a fragment: `starting 3 hosts`.
        doing: &'a str,
        /// How much there is to do, where it is known.
        total: Option<u64>,
        /// What `total` counts.
        unit: Unit,
    },
    /// The task does something else now.
    Doing {
        /// What is worked on.
        task: &'a str,
        /// What is being done, as a fragment.
        doing: &'a str,
    },
    /// So much of it is done.
    Advanced {
        /// What is worked on.
        task: &'a str,
        /// Of the total, so far.
        done: u64,
        /// The total, where it is known.
        total: Option<u64>,
        /// What both count.
        unit: Unit,
    },
    /// An image has come to a host.
    Shipped {
        /// The host.
        task: &'a str,
        /// The image's name.
        image: &'a str,
        /// What went over the connection, in bytes.
        sent_bytes: u64,
        /// What the image has in all, in bytes; 0 where it is not known.
        image_bytes: u64,
        /// How it went.
        #[serde(flatten)]
        way: &'a Way,
    },
    /// The task has succeeded.
    Finished {
        /// What is worked on.
        task: &'a str,
        /// What was done, as a fragment.
        result: &'a str,
        /// How long it took.
        seconds: f64,
    },
    /// The task has failed.
    Failed {
        /// What is worked on.
        task: &'a str,
        /// Why.
        reason: &'a str,
        /// How long it took.
        seconds: f64,
    },
    /// Something to know that is no task: a limit that was raised, a file that was written.
    Note {
        /// A sentence.
        message: &'a str,
    },
    /// Something to look at, although the work goes on.
    Warning {
        /// A sentence.
        message: &'a str,
    },
}
