//! An image in pieces: its configuration, its layers, and a manifest that names them by their digests.
//!
//! The pieces come from the archive that every engine writes ("docker-archive"), whose layers are not compressed. Their
//! digests are then those of the configuration's own `rootfs.diff_ids`, by which an engine knows the layers that it has,
//! wherever it got them from.

use std::{
    collections::BTreeMap,
    fs::File,
    io::{self, Read, Write as _},
    path::PathBuf,
};

use serde::Deserialize;
use serde_json::json;
use sha2::{Digest as _, Sha256};

/// The first bytes of a compressed layer, as Docker's newer archives hold them.
const GZIP: [u8; 2] = [0x1f, 0x8b];
/// Read and hashed at once.
const PIECE_BYTES: usize = 64 * 1024;
/// The manifest's own type. Docker's rather than OCI's: only this one has room for a health check.
pub(super) const MANIFEST_TYPE: &str = "application/vnd.docker.distribution.manifest.v2+json";
const CONFIG_TYPE: &str = "application/vnd.docker.container.image.v1+json";
const LAYER_TYPE: &str = "application/vnd.docker.image.rootfs.diff.tar";
const GZIP_LAYER_TYPE: &str = "application/vnd.docker.image.rootfs.diff.tar.gzip";

/// Why an image cannot be taken to pieces.
#[derive(Debug, thiserror::Error)]
pub enum ImageFilesError {
    /// The archive breaks off, or there is no room for it.
    #[error("the image's archive cannot be read or kept: {0}")]
    Io(#[from] io::Error),
    /// The archive is not of the kind that engines write.
    #[error("the image's archive has no {what}")]
    Missing {
        /// What.
        what: String,
    },
    /// Its list of contents makes no sense.
    #[error("the image's manifest.json cannot be read: {0}")]
    Manifest(#[from] serde_json::Error),
}

/// A file of the image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Blob {
    /// Where it lies.
    pub path: PathBuf,
    /// `sha256:…`
    pub digest: String,
    /// In bytes.
    pub size: u64,
    compressed: bool,
}

/// An image in pieces, in a folder that goes with it.
#[derive(Debug)]
pub struct ImageFiles {
    /// The manifest, to the byte.
    pub manifest: Vec<u8>,
    /// Its digest.
    pub manifest_digest: String,
    /// The image's id: the digest of its configuration.
    pub id: String,
    blobs: BTreeMap<String, Blob>,
    _folder: tempfile::TempDir,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Listed {
    config: String,
    layers: Vec<String>,
}

impl ImageFiles {
    /// Takes an archive to pieces as it comes.
    ///
    /// # Errors
    ///
    /// When it breaks off, is of another kind, or there is no room for it.
    pub fn unpack(archive: impl Read) -> Result<Self, ImageFilesError> {
        let folder = tempfile::Builder::new().prefix("deployer-image-").tempdir()?;
        let mut files: BTreeMap<String, Blob> = BTreeMap::new();
        let mut links: BTreeMap<String, String> = BTreeMap::new();
        let mut listed: Vec<Listed> = Vec::new();
        let mut archive = tar::Archive::new(archive);
        for (number, entry) in archive.entries()?.enumerate() {
            let mut entry = entry?;
            let name = entry.path()?.to_string_lossy().into_owned();
            if let Some(target) = entry.link_name()? {
                links.insert(name.clone(), beside(&name, &target.to_string_lossy()));
            } else if name == "manifest.json" {
                let mut text = Vec::new();
                entry.read_to_end(&mut text)?;
                listed = serde_json::from_slice(&text)?;
            } else if entry.header().entry_type().is_file() {
                files.insert(name, keep(&mut entry, folder.path().join(number.to_string()))?);
            }
        }
        let missing = |what: &str| ImageFilesError::Missing {
            what: what.to_owned(),
        };
        let listed = listed
            .into_iter()
            .next()
            .ok_or_else(|| missing("manifest.json"))?;
        let find = |name: &String| {
            let name = links.get(name).unwrap_or(name);
            files.get(name).cloned().ok_or_else(|| missing(name))
        };
        let config = find(&listed.config)?;
        let layers: Vec<Blob> = listed.layers.iter().map(find).collect::<Result<_, _>>()?;
        let manifest = manifest(&config, &layers);
        Ok(Self {
            manifest_digest: digest(&manifest),
            manifest,
            id: config.digest.clone(),
            blobs: layers
                .into_iter()
                .chain([config])
                .map(|blob| (blob.digest.clone(), blob))
                .collect(),
            _folder: folder,
        })
    }

    /// The piece of that digest.
    #[must_use]
    pub fn blob(&self, digest: &str) -> Option<&Blob> {
        self.blobs.get(digest)
    }

    /// The whole image, in bytes.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.blobs.values().map(|blob| blob.size).sum()
    }
}

/// The path that a link leads to, from the top of the archive.
fn beside(name: &str, target: &str) -> String {
    let mut parts: Vec<&str> = name.split('/').collect();
    parts.pop();
    for part in target.split('/') {
        match part {
            ".." => _ = parts.pop(),
            "." | "" => {}
            part => parts.push(part),
        }
    }
    parts.join("/")
}

/// Writes a file and hashes it on the way.
fn keep(from: &mut impl Read, path: PathBuf) -> Result<Blob, ImageFilesError> {
    let mut file = File::create(&path)?;
    let mut hash = Sha256::new();
    let (mut size, mut compressed) = (0u64, false);
    let mut piece = vec![0u8; PIECE_BYTES];
    loop {
        let read = match from.read(&mut piece) {
            Ok(0) => break,
            Ok(read) => read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error.into()),
        };
        let bytes = piece.get(..read).unwrap_or_default();
        if size == 0 {
            compressed = bytes.starts_with(&GZIP);
        }
        hash.update(bytes);
        file.write_all(bytes)?;
        size += read as u64;
    }
    Ok(Blob {
        path,
        digest: named(hash),
        size,
        compressed,
    })
}

fn digest(bytes: &[u8]) -> String {
    named(Sha256::new().chain_update(bytes))
}

fn named(hash: Sha256) -> String {
    let hex: String = hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
    format!("sha256:{hex}")
}

fn manifest(config: &Blob, layers: &[Blob]) -> Vec<u8> {
    let part =
        |blob: &Blob, kind: &str| json!({ "mediaType": kind, "size": blob.size, "digest": blob.digest });
    let layers: Vec<_> = layers
        .iter()
        .map(|layer| {
            part(
                layer,
                if layer.compressed {
                    GZIP_LAYER_TYPE
                } else {
                    LAYER_TYPE
                },
            )
        })
        .collect();
    json!({
        "schemaVersion": 2,
        "mediaType": MANIFEST_TYPE,
        "config": part(config, CONFIG_TYPE),
        "layers": layers,
    })
    .to_string()
    .into_bytes()
}

#[cfg(test)]
pub(super) mod tests {
    #![expect(clippy::expect_used, reason = "a test fails by panicking")]

    use super::*;

    /// An archive as Podman writes it: the layer by its digest, and an old name that leads to it.
    pub(in crate::registry) fn archive(layer: &[u8]) -> Vec<u8> {
        let mut archive = tar::Builder::new(Vec::new());
        let mut add = |name: &str, content: &[u8]| {
            let mut header = tar::Header::new_gnu();
            header.set_size(content.len() as u64);
            header.set_mode(0o644);
            archive.append_data(&mut header, name, content).expect("a file");
        };
        add("abc.tar", layer);
        add("cfg.json", b"{}");
        let listed =
            json!([{ "Config": "cfg.json", "RepoTags": ["x:1"], "Layers": ["abc.tar", "old/layer.tar"] }]);
        add("manifest.json", listed.to_string().as_bytes());
        let mut link = tar::Header::new_gnu();
        link.set_entry_type(tar::EntryType::Symlink);
        link.set_size(0);
        archive
            .append_link(&mut link, "old/layer.tar", "../abc.tar")
            .expect("a link");
        archive.into_inner().expect("an archive")
    }

    #[test]
    fn an_archive_becomes_a_manifest_of_digests() {
        let image = ImageFiles::unpack(archive(b"layer").as_slice()).expect("an image");
        let manifest: serde_json::Value = serde_json::from_slice(&image.manifest).expect("JSON");
        assert_eq!(manifest["config"]["digest"], image.id);
        let layer = manifest["layers"][0]["digest"].as_str().expect("a digest");
        assert_eq!(layer, digest(b"layer"));
        assert_eq!(
            manifest["layers"][1]["digest"], layer,
            "a link leads to the same file"
        );
        let blob = image.blob(layer).expect("the layer");
        assert_eq!(std::fs::read(&blob.path).expect("a file"), b"layer");
        assert_eq!(image.size(), 7);
        let folder = blob
            .path
            .parent()
            .map(std::path::Path::to_owned)
            .expect("a folder");
        drop(image);
        assert!(!folder.exists());
    }

    #[test]
    fn an_archive_that_breaks_off_is_no_image() {
        let whole = archive(b"layer");
        assert!(ImageFiles::unpack(&whole[..600]).is_err());
        assert!(ImageFiles::unpack(&[0u8; 1024][..]).is_err());
    }
}
