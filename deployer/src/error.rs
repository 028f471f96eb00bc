//! How a command ends: the documented exit statuses, and a failure with its message, causes and hint kept apart.

use std::{error::Error, fmt, process::ExitCode};

/// The exit statuses that `--help` documents.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// Done, or nothing to do.
    Done,
    /// Failed.
    Failed,
    /// Looked, and found something that a rollout would change.
    Changes,
    /// A rollout failed and every host that it touched was put back.
    RolledBack,
    /// Another rollout holds the lock.
    Locked,
    /// The command line or a file that it names is wrong.
    Usage,
    /// Ctrl-C.
    Interrupted,
}

impl Exit {
    /// The number that the process ends with.
    #[must_use]
    pub fn code(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::Failed => 1,
            Self::Changes => 2,
            Self::RolledBack => 3,
            Self::Locked => 4,
            // EX_USAGE of sysexits.h: 2 would be read as "changes".
            Self::Usage => 64,
            // 128 + SIGINT, as shells do.
            Self::Interrupted => 130,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.code())
    }
}

/// Why a command ended early: what happened, the chain of reasons, and what to do next.
#[derive(Debug)]
pub struct Failure {
    /// What happened, as a lowercase fragment.
    pub message: String,
    /// Why, outermost first.
    pub causes: Vec<String>,
    /// What to do next.
    pub hint: Option<String>,
    /// The status to exit with.
    pub exit: Exit,
}

impl Failure {
    /// A failure with the plain status 1.
    pub fn new(message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            causes: Vec::new(),
            hint: None,
            exit: Exit::Failed,
        }
    }

    /// A failure caused by an error, whose chain of sources becomes the causes.
    pub fn because(message: impl Into<String>, error: &dyn Error) -> Self {
        Self::new(message).caused_by(error)
    }

    /// A mistake in the command line or in a file that it names.
    pub fn usage(message: impl Into<String>) -> Self {
        Self {
            exit: Exit::Usage,
            ..Self::new(message)
        }
    }

    /// Adds an error and its sources as causes. A source whose text its parent repeats is left out.
    #[must_use]
    pub fn caused_by(mut self, error: &dyn Error) -> Self {
        let mut next = Some(error);
        while let Some(error) = next {
            let text = error.to_string();
            if self.causes.last().is_none_or(|last| !last.contains(&text)) {
                self.causes.push(text);
            }
            next = error.source();
        }
        self
    }

    /// Says what to do next.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// Exits with another status than 1.
    #[must_use]
    pub fn exit(mut self, exit: Exit) -> Self {
        self.exit = exit;
        self
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "error: {}", self.message)?;
        for cause in &self.causes {
            write!(formatter, "\n  because {}", cause.replace('\n', "\n    "))?;
        }
        if let Some(hint) = &self.hint {
            write!(formatter, "\n  hint: {hint}")?;
        }
        Ok(())
    }
}

impl Error for Failure {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_prints_message_causes_and_hint_on_lines_of_their_own() {
        let inner = std::io::Error::other("the wire is cut");
        let failure = Failure::because("cannot reach node1", &inner).hint("check the cable");
        assert_eq!(
            failure.to_string(),
            "error: cannot reach node1\n  because the wire is cut\n  hint: check the cable"
        );
    }

    #[test]
    fn plan_and_usage_have_statuses_of_their_own() {
        assert_eq!(Exit::Changes.code(), 2);
        assert_eq!(Exit::Usage.code(), 64);
    }
}
