//! `deployer push [SERVICE…]`.

use std::collections::BTreeMap;

use super::scene::{Here, Scene};
use crate::{
    cli::ProjectArgs,
    error::{Exit, Failure},
    printer::Printer,
    progress::{self, Progress, Silent, Task},
    registry::{access, content_reference, tagged_reference},
};

/// Pushes the images of this machine's engine that the Compose file names to the registry of hosts.toml, and prints the
/// name that the hosts pull each by.
///
/// # Errors
///
/// When no registry is named, an image is not here, or the registry refuses it.
pub async fn run(arguments: &ProjectArgs, services: &[String], printer: &Printer) -> Result<Exit, Failure> {
    let scene = Scene::load(arguments)?;
    let lab = &scene.inventory.lab;
    let Some(registry) = &lab.registry else {
        return Err(Failure::usage("hosts.toml names no registry").hint(
            "write `registry = \"name:port\"` below [lab]; without one, images go over SSH and need no push",
        ));
    };
    let access = access(registry, &lab.insecure_registries)
        .map_err(|error| Failure::because(format!("no log-in for {registry} is to be had"), &error))?;
    let here = Here::open()
        .await
        .map_err(|error| Failure::because("there is no engine to push from", &error))?;
    let mut images: BTreeMap<&str, Option<String>> = BTreeMap::new();
    for service in &scene.project.services {
        if services.is_empty() || services.contains(&service.name) {
            let image = service.container.image.as_str();
            let id = here.engine.image_id(image).await;
            let id = id.map_err(|error| Failure::because(format!("{image} cannot be looked up"), &error))?;
            // An image that is only used is pulled by the hosts from where it is.
            if id.is_none() && service.build.is_some() {
                return Err(Failure::new(format!("image {image} is not on this machine"))
                    .hint("`deployer build` makes it"));
            }
            images.insert(image, id);
        }
    }
    let progress: Box<dyn Progress> = if printer.is_quiet() {
        Box::new(Silent)
    } else {
        progress::for_this_terminal(false)
    };
    for (image, id) in images {
        let Some(id) = id else { continue };
        let task = Task::start(progress.as_ref(), image, "pushing");
        let content = content_reference(registry, image, &id);
        for destination in [&content, &tagged_reference(registry, image)] {
            let pushed = here
                .engine
                .push_image_as(image, destination, &access, |line| task.doing(line))
                .await;
            if let Err(error) = pushed {
                task.failed(&error.to_string());
                return Err(Failure::because(format!("image {image} was not pushed"), &error).hint(
                    "is the log-in right (`podman login`)? A registry without TLS stands in `insecure_registries` of [lab]",
                ));
            }
        }
        task.done("pushed");
        printer.data(&format!("{image} {content}"));
    }
    Ok(Exit::Done)
}
