//! Where the programs under test are.

use std::{env, path::PathBuf};

/// Path of a program: from the variable that names it, such as `SOCKET_SERVER`, else beside this test's own folder,
/// where `cargo test --workspace` puts it.
///
/// # Errors
/// When it is in neither place, in words that say how to build it.
pub fn program(name: &str) -> Result<PathBuf, String> {
    let variable = name.to_uppercase().replace('-', "_");
    if let Some(path) = env::var_os(&variable) {
        return Ok(PathBuf::from(path));
    }
    let own = env::current_exe().map_err(|error| format!("cannot find this test's own folder: {error}"))?;
    // A test is in target/PROFILE/deps, the programs are in target/PROFILE.
    let found = own
        .ancestors()
        .skip(1)
        .take(2)
        .map(|folder| folder.join(name))
        .find(|path| path.is_file());
    found.ok_or_else(|| {
        format!("{name} is not built: run `cargo build --workspace`, or name it with {variable}=PATH")
    })
}
