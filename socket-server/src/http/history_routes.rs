//! The past of a host.
