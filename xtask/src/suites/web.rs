//! The dashboard: style, types, tests, build.

use anyhow::{Result, ensure};

use super::Session;
use crate::test_counts::{Counts, vitest};

/// Every check that web/package.json names, then the build.
pub(super) fn run(session: &mut Session<'_>) -> Result<Counts> {
    ensure!(
        session.workspace.has("web/package.json"),
        "web/package.json is missing"
    );
    session.node_modules("web")?;
    let folder = session.workspace.root.join("web");
    let mut counts = Counts::default();
    for script in ["lint", "typecheck"] {
        let mut command = session.node()?.npm(&folder, &["run", script]);
        counts += session.check(script, &mut command)?;
    }
    let mut command = session.node()?.npm(&folder, &["test"]);
    counts += session.tests("vitest", &mut command, vitest)?;
    session.dashboard()?;
    counts += Counts::one(true);
    Ok(counts)
}
