//! What an image is called at a registry.

/// The name of an image there: under its own path, with a tag that is its whole id, so that what is pulled can only be
/// what was pushed.
#[must_use]
pub fn content_reference(registry: &str, image: &str, id: &str) -> String {
    let id = id.strip_prefix("sha256:").unwrap_or(id);
    format!("{}:id-{id}", repository(registry, image))
}

/// The name of an image there with its own tag, for people.
#[must_use]
pub fn tagged_reference(registry: &str, image: &str) -> String {
    format!("{}:{}", repository(registry, image), parts(image).1)
}

fn repository(registry: &str, image: &str) -> String {
    let name = parts(image).0;
    // The first part names a registry when it cannot be a part of a path.
    let path = match name.split_once('/') {
        Some((first, path)) if first == "localhost" || first.contains(['.', ':']) => path,
        _ => name,
    };
    format!("{}/{path}", registry.trim_end_matches('/'))
}

/// The name and the tag.
fn parts(image: &str) -> (&str, &str) {
    let image = image.split_once('@').map_or(image, |(name, _)| name);
    match image.rsplit_once(':') {
        // The colon of a registry's port is no tag's.
        Some((name, tag)) if !tag.contains('/') => (name, tag),
        _ => (image, "latest"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_image_keeps_its_path_and_changes_its_registry() {
        let content = |image| content_reference("lab:5000", image, "sha256:12ab");
        assert_eq!(
            content("localhost/metric-flow/server:1"),
            "lab:5000/metric-flow/server:id-12ab"
        );
        assert_eq!(content("quay.io:443/x/y"), "lab:5000/x/y:id-12ab");
        assert_eq!(content("demo/agent"), "lab:5000/demo/agent:id-12ab");
        assert_eq!(content("web"), "lab:5000/web:id-12ab");
        assert_eq!(
            tagged_reference("lab:5000/team/", "localhost/web:2"),
            "lab:5000/team/web:2"
        );
        assert_eq!(
            tagged_reference("lab:5000", "localhost:5000/web"),
            "lab:5000/web:latest"
        );
    }
}
