//! What the tests on lab hosts share: a lab with a project, and how they wait.
//!
//! A test file takes it by `#[expect(dead_code, reason = "…")] mod support;`: none of them needs all of it.

pub(crate) mod stage;
pub(crate) mod wait;
