//! `deployer build [SERVICE…]`.

use std::path::Path;

use super::scene::Here;
use crate::{
    compose::{self, Project, Variables},
    error::{Exit, Failure},
    printer::Printer,
    progress::{self, Progress, Silent, Task},
};

/// Builds the images that the Compose file says how to build.
///
/// # Errors
///
/// When the file is wrong, no engine runs here, or a build fails.
pub async fn run(
    file: &Path,
    services: &[String],
    no_cache: bool,
    printer: &Printer,
) -> Result<Exit, Failure> {
    let variables: Variables = std::env::vars().collect();
    let project = compose::load(file, &variables)?;
    build_all(&project, services, no_cache, printer).await?;
    Ok(Exit::Done)
}

/// Builds each image once, and prints its name and id.
pub(super) async fn build_all(
    project: &Project,
    services: &[String],
    no_cache: bool,
    printer: &Printer,
) -> Result<(), Failure> {
    let here = Here::open().await.map_err(|error| {
        let failure = Failure::because("there is no engine to build with", &error);
        error.hint().map_or_else(
            || Failure::because("there is no engine to build with", &error),
            |hint| failure.hint(hint),
        )
    })?;
    let progress: Box<dyn Progress> = if printer.is_quiet() {
        Box::new(Silent)
    } else {
        progress::for_this_terminal(false)
    };
    let engine = &here.engine;
    let mut built = std::collections::BTreeSet::new();
    for service in &project.services {
        let Some(build) = &service.build else { continue };
        let image = &service.container.image;
        if (!services.is_empty() && !services.contains(&service.name)) || !built.insert(image.clone()) {
            continue;
        }
        let task = Task::start(progress.as_ref(), image.clone(), "building");
        match engine
            .build_image(build, image, no_cache, |line| task.doing(line))
            .await
        {
            Ok(id) => {
                task.done("built");
                printer.data(&format!("{image} {id}"));
            }
            Err(error) => {
                task.failed(&error.to_string());
                return Err(Failure::because(format!("image {image} was not built"), &error));
            }
        }
    }
    Ok(())
}
