//! Prints docs/configuration.md from the server's own types; `cargo xtask codegen` writes it.

use std::io::{self, Write as _};

fn main() -> io::Result<()> {
    io::stdout().write_all(socket_server::configuration_reference().as_bytes())
}
