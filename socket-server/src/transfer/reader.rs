//! Reading an export file, record by record, with everything checked that can be.

use std::{
    fs::File,
    io::{BufReader, ErrorKind, Read as _},
    path::{Path, PathBuf},
};

use sha2::{Digest as _, Sha256};

use super::{
    Report, Section, TransferError,
    checksum::hex,
    format::{Item, MAGIC, MANIFEST, Manifest, RECORD_BYTES_MAX, SectionSum, VERSION, VERSION_OLDEST},
};

/// An export file that is being read. Only once [`Self::next`] has given `None` is what it gave known to be right.
pub(super) struct ExportReader {
    path: PathBuf,
    file: BufReader<File>,
    whole: Sha256,
    sums: Vec<(Section, Sha256)>,
    report: Report,
    place: &'static str,
    latest: Option<Section>,
}

impl ExportReader {
    /// Opens a file of this format and version.
    pub(super) fn open(path: &Path) -> Result<Self, TransferError> {
        let file = File::open(path).map_err(TransferError::file("open", path))?;
        let mut reader = Self {
            path: path.to_owned(),
            file: BufReader::new(file),
            whole: Sha256::new(),
            sums: Section::ALL
                .into_iter()
                .map(|section| (section, Sha256::new()))
                .collect(),
            report: Report::empty(),
            place: "its first bytes",
            latest: None,
        };
        let magic: [u8; 8] = reader.array()?;
        if magic != MAGIC {
            return Err(TransferError::NotAnExport { path: reader.path });
        }
        let found = u32::from_le_bytes(reader.array()?);
        if !(VERSION_OLDEST..=VERSION).contains(&found) {
            return Err(TransferError::Version {
                path: reader.path,
                found,
            });
        }
        Ok(reader)
    }

    /// The next item; `None` after the manifest, when every checksum and count is right.
    pub(super) fn next(&mut self) -> Result<Option<Item>, TransferError> {
        let [code] = self.array()?;
        let length = u32::from_le_bytes(self.array()?) as usize;
        if length > RECORD_BYTES_MAX {
            return Err(self.altered(format!("a record in {} is too long", self.place)));
        }
        let payload = self.bytes(length)?;
        if code == MANIFEST {
            self.finish(&payload)?;
            return Ok(None);
        }
        let Some(section) = Section::of_code(code) else {
            return Err(self.altered(format!("an unknown section after {}", self.place)));
        };
        if self.latest.is_some_and(|latest| section < latest) {
            return Err(self.altered(format!("{} are in the wrong place", section.name())));
        }
        self.latest = Some(section);
        self.place = section.name();
        let item = Item::decode(section, &payload).map_err(|error| {
            self.altered(format!("one of the {} cannot be read: {error}", section.name()))
        })?;
        for (_, sum) in self.sums.iter_mut().filter(|(known, _)| *known == section) {
            sum.update(&payload);
        }
        self.report.add(section, item.count(), 0);
        Ok(Some(item))
    }

    /// What was read so far, in numbers.
    pub(super) fn report(&self) -> &Report {
        &self.report
    }

    /// What an item means cannot be: the file is not what was written.
    pub(super) fn altered(&self, reason: String) -> TransferError {
        TransferError::Altered {
            path: self.path.clone(),
            reason,
        }
    }

    fn finish(&mut self, manifest: &[u8]) -> Result<(), TransferError> {
        self.place = "its manifest";
        let manifest: Manifest = serde_json::from_slice(manifest)
            .map_err(|error| self.altered(format!("its manifest cannot be read: {error}")))?;
        let found: Vec<SectionSum> = self
            .sums
            .iter()
            .map(|(section, sum)| SectionSum {
                section: *section,
                count: self.report.in_file(*section),
                sha256: hex(sum.clone()),
            })
            .collect();
        for (found, written) in found.iter().zip(&manifest.sections) {
            if found.count != written.count {
                let (name, written) = (found.section.name(), written.count);
                return Err(self.altered(format!("it has {} {name} instead of {written}", found.count)));
            }
            if found != written {
                return Err(self.altered(format!("the checksum of the {} is wrong", found.section.name())));
            }
        }
        if found.len() != manifest.sections.len() {
            return Err(self.altered("its manifest misses a section".to_owned()));
        }
        let whole: [u8; 32] = self.whole.clone().finalize().into();
        if self.array::<32>()? != whole {
            return Err(self.altered("the checksum of the file is wrong".to_owned()));
        }
        match self.file.read(&mut [0]) {
            Ok(0) => Ok(()),
            Ok(_) => Err(self.altered("something follows its end".to_owned())),
            Err(cause) => Err(TransferError::file("read", &self.path)(cause)),
        }
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], TransferError> {
        let mut bytes = [0; N];
        let read = self.file.read_exact(&mut bytes);
        read.map_err(|cause| self.failed(cause))?;
        self.whole.update(bytes);
        Ok(bytes)
    }

    /// Takes memory only for what is there.
    fn bytes(&mut self, length: usize) -> Result<Vec<u8>, TransferError> {
        let mut bytes = Vec::new();
        let read = (&mut self.file).take(length as u64).read_to_end(&mut bytes);
        read.map_err(|cause| self.failed(cause))?;
        if bytes.len() < length {
            return Err(self.failed(ErrorKind::UnexpectedEof.into()));
        }
        self.whole.update(&bytes);
        Ok(bytes)
    }

    fn failed(&self, cause: std::io::Error) -> TransferError {
        match cause.kind() {
            ErrorKind::UnexpectedEof => TransferError::CutShort {
                path: self.path.clone(),
                place: self.place,
            },
            _ => TransferError::file("read", &self.path)(cause),
        }
    }
}
