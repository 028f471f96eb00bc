//! Writing an export file: beside its place first, and there only when it is whole.

use std::{
    fs::{self, File, OpenOptions},
    io::{BufWriter, Write as _},
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
};

use sha2::{Digest as _, Sha256};

use super::{
    Report, TransferError,
    checksum::hex,
    format::{Item, MAGIC, MANIFEST, Manifest, Section, SectionSum, VERSION},
};

/// Only the owner may read an export: it holds password hashes.
const MODE: u32 = 0o600;

/// What a file is called until it is whole.
const PARTIAL: &str = "partial";

/// An export file on its way.
pub(super) struct ExportWriter {
    path: PathBuf,
    partial: PathBuf,
    file: BufWriter<File>,
    whole: Sha256,
    sums: Vec<(Section, Sha256)>,
    report: Report,
}

impl ExportWriter {
    /// Begins a file; what an earlier run left unfinished is replaced.
    pub(super) fn create(path: &Path) -> Result<Self, TransferError> {
        if path.exists() {
            return Err(TransferError::Exists {
                path: path.to_owned(),
            });
        }
        let mut name = path.as_os_str().to_owned();
        name.push(".");
        name.push(PARTIAL);
        let partial = PathBuf::from(name);
        if partial.exists() {
            fs::remove_file(&partial).map_err(TransferError::file("remove", &partial))?;
        }
        let file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(MODE)
            .open(&partial)
            .map_err(TransferError::file("make", &partial))?;
        let mut writer = Self {
            path: path.to_owned(),
            partial,
            file: BufWriter::new(file),
            whole: Sha256::new(),
            sums: Section::ALL
                .into_iter()
                .map(|section| (section, Sha256::new()))
                .collect(),
            report: Report::empty(),
        };
        writer.put(&MAGIC)?;
        writer.put(&VERSION.to_le_bytes())?;
        Ok(writer)
    }

    pub(super) fn write(&mut self, item: &Item) -> Result<(), TransferError> {
        let section = item.section();
        let payload = item
            .encode()
            .map_err(|error| self.failed("write", error.into()))?;
        self.record(section.code(), &payload)?;
        for (_, sum) in self.sums.iter_mut().filter(|(known, _)| *known == section) {
            sum.update(&payload);
        }
        self.report.add(section, item.count(), 0);
        Ok(())
    }

    /// Writes the manifest and puts the file in its place, durably.
    pub(super) fn finish(mut self) -> Result<Report, TransferError> {
        let sums = std::mem::take(&mut self.sums).into_iter();
        let sections = sums
            .map(|(section, sum)| SectionSum {
                section,
                count: self.report.in_file(section),
                sha256: hex(sum),
            })
            .collect();
        let manifest =
            serde_json::to_vec(&Manifest { sections }).map_err(|error| self.failed("write", error.into()))?;
        self.record(MANIFEST, &manifest)?;
        let whole = self.whole.clone().finalize();
        self.put(&whole)?;
        let Self {
            path,
            partial,
            file,
            report,
            ..
        } = self;
        let file = file
            .into_inner()
            .map_err(|error| TransferError::file("write", &partial)(error.into_error()))?;
        file.sync_all().map_err(TransferError::file("write", &partial))?;
        fs::rename(&partial, &path).map_err(TransferError::file("make", &path))?;
        let folder = path
            .parent()
            .filter(|folder| !folder.as_os_str().is_empty())
            .unwrap_or(Path::new("."));
        File::open(folder)
            .and_then(|folder| folder.sync_all())
            .map_err(TransferError::file("write", folder))?;
        Ok(report)
    }

    fn record(&mut self, code: u8, payload: &[u8]) -> Result<(), TransferError> {
        // No page comes near the limit of a length.
        let length = u32::try_from(payload.len()).unwrap_or(u32::MAX);
        self.put(&[code])?;
        self.put(&length.to_le_bytes())?;
        self.put(payload)
    }

    fn put(&mut self, bytes: &[u8]) -> Result<(), TransferError> {
        self.whole.update(bytes);
        let written = self.file.write_all(bytes);
        written.map_err(|cause| self.failed("write", cause))
    }

    fn failed(&self, verb: &'static str, cause: std::io::Error) -> TransferError {
        TransferError::file(verb, &self.partial)(cause)
    }
}
