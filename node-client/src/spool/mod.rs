//! Keeps samples until the server has acknowledged them.
