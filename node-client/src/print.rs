//! Shows one reading on the terminal.
