//! Answers to the questions that a server may ask: a closed list, never a command.

mod containers;
mod engine_socket;
mod network;
mod processes;
mod question;
mod storage;
mod system;

pub use question::{ANSWER_BYTES_MAX, AnswerError, answer};
