//! OpenSSH's known_hosts: hashed names, wildcards, negation, `@revoked`, `@cert-authority`. What russh's own reader leaves
//! out.

use std::{
    io::{self, Write as _},
    path::{Path, PathBuf},
};

use base64::Engine as _;
use russh::keys::{Certificate, HashAlg, PublicKey, ssh_key::certificate::CertType};

/// What the recorded lines say about a key that a host offers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// This key is recorded for this host.
    Known,
    /// Nothing is recorded for this host.
    Unknown,
    /// Another key is recorded: of the same or of another algorithm.
    Changed {
        /// The file and line of the recorded key.
        recorded_at: String,
    },
    /// The key is marked `@revoked`.
    Revoked {
        /// The file and line of the mark.
        recorded_at: String,
    },
}

/// The lines of one or more known_hosts files.
#[derive(Debug, Clone, Default)]
pub struct KnownHosts {
    lines: Vec<Line>,
}

#[derive(Debug, Clone)]
struct Line {
    at: String,
    revoked: bool,
    /// The key does not belong to a host, but signs the certificates of hosts.
    authority: bool,
    patterns: String,
    key: PublicKey,
}

impl Line {
    fn is_key(&self) -> bool {
        !self.revoked && !self.authority
    }
}

impl KnownHosts {
    /// The user's and the system's files. A file that is not there is empty; one that cannot be read is an error, for
    /// an unreadable file must not look like one without keys.
    ///
    /// # Errors
    ///
    /// When a file exists and cannot be read.
    pub fn standard() -> io::Result<Self> {
        let mut files = vec![PathBuf::from("/etc/ssh/ssh_known_hosts")];
        files.extend(Self::user_file());
        Self::load(&files)
    }

    /// Where `deployer trust` records keys.
    #[must_use]
    pub fn user_file() -> Option<PathBuf> {
        std::env::home_dir().map(|home| home.join(".ssh/known_hosts"))
    }

    /// Reads the given files.
    ///
    /// # Errors
    ///
    /// When a file exists and cannot be read.
    pub fn load(files: &[PathBuf]) -> io::Result<Self> {
        let mut known = Self::default();
        for file in files {
            match std::fs::read_to_string(file) {
                Ok(text) => known.read(&text, &file.display().to_string()),
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => {
                    return Err(io::Error::new(
                        error.kind(),
                        format!("{}: {error}", file.display()),
                    ));
                }
            }
        }
        Ok(known)
    }

    /// Adds the lines of a text; `name` says where they come from.
    pub fn read(&mut self, text: &str, name: &str) {
        for (index, line) in text.lines().enumerate() {
            let mut words = line.split_whitespace().peekable();
            let marker = words.next_if(|word| word.starts_with('@'));
            let (Some(patterns), Some(_algorithm), Some(key)) = (words.next(), words.next(), words.next())
            else {
                continue;
            };
            let known = [None, Some("@revoked"), Some("@cert-authority")];
            if patterns.starts_with('#') || !known.contains(&marker) {
                continue;
            }
            // A line of an algorithm that is not known here cannot match a key that is.
            let Ok(key) = russh::keys::parse_public_key_base64(key) else {
                continue;
            };
            let at = format!("{name}:{}", index + 1);
            self.lines.push(Line {
                at,
                revoked: marker == Some("@revoked"),
                authority: marker == Some("@cert-authority"),
                patterns: patterns.to_owned(),
                key,
            });
        }
    }

    /// What is recorded about `key` being the key of that host.
    #[must_use]
    pub fn check(&self, address: &str, port: u16, key: &PublicKey) -> Verdict {
        let same = |line: &Line| line.key.key_data() == key.key_data();
        if let Some(line) = self.lines.iter().find(|line| line.revoked && same(line)) {
            return Verdict::Revoked {
                recorded_at: line.at.clone(),
            };
        }
        let name = host_name(address, port);
        let mut matching = self
            .lines
            .iter()
            .filter(|line| line.is_key() && matches(&line.patterns, &name))
            .peekable();
        let Some(first) = matching.peek() else {
            return Verdict::Unknown;
        };
        let recorded_at = first.at.clone();
        if matching.any(same) {
            Verdict::Known
        } else {
            Verdict::Changed { recorded_at }
        }
    }

    /// Whether a certificate that a host shows makes it that host: signed by an authority that is recorded for it, for
    /// its name, in its time, and nothing of it revoked.
    #[must_use]
    pub fn vouched(&self, address: &str, port: u16, certificate: &Certificate) -> Verdict {
        let key = PublicKey::new(certificate.public_key().clone(), "");
        let revoked = |line: &&Line| {
            let data = line.key.key_data();
            line.revoked && (data == key.key_data() || data == certificate.signature_key())
        };
        if let Some(line) = self.lines.iter().find(revoked) {
            return Verdict::Revoked {
                recorded_at: line.at.clone(),
            };
        }
        let name = host_name(address, port);
        let authorities = self
            .lines
            .iter()
            .filter(|line| line.authority && matches(&line.patterns, &name));
        let trusted: Vec<_> = authorities
            .map(|line| line.key.fingerprint(HashAlg::Sha256))
            .collect();
        // OpenSSH's own rule: a host certificate that names no host is for none.
        let principals = certificate.valid_principals();
        let named = principals.iter().any(|principal| wildcard(principal, address));
        let good = certificate.cert_type() == CertType::Host
            && named
            && certificate.critical_options().is_empty()
            && certificate.validate(trusted.iter()).is_ok();
        if good { Verdict::Known } else { Verdict::Unknown }
    }

    /// Whether an authority is recorded for a host, so that its certificate is worth asking for.
    #[must_use]
    pub fn has_authority(&self, address: &str, port: u16) -> bool {
        let name = host_name(address, port);
        self.lines
            .iter()
            .any(|line| line.authority && matches(&line.patterns, &name))
    }

    /// Whether this key, as `ssh-ed25519 AAAA…`, is recorded for that host.
    #[must_use]
    pub fn knows(&self, address: &str, port: u16, key: &str) -> bool {
        PublicKey::from_openssh(key).is_ok_and(|key| self.check(address, port, &key) == Verdict::Known)
    }

    /// Whether any key is recorded for that host.
    #[must_use]
    pub fn has(&self, address: &str, port: u16) -> bool {
        !self.recorded(address, port).is_empty()
    }

    /// The keys recorded for a host: their algorithms are asked for first, so that a key of another algorithm is never
    /// offered to a host whose key is known.
    #[must_use]
    pub fn recorded(&self, address: &str, port: u16) -> Vec<PublicKey> {
        let name = host_name(address, port);
        let lines = self
            .lines
            .iter()
            .filter(|line| line.is_key() && matches(&line.patterns, &name));
        lines.map(|line| line.key.clone()).collect()
    }
}

/// Adds a key to a known_hosts file, in one write so that two processes do not mix their lines.
///
/// # Errors
///
/// When the file cannot be written.
pub fn record(file: &Path, address: &str, port: u16, key: &str) -> io::Result<()> {
    if let Some(folder) = file.parent() {
        std::fs::create_dir_all(folder)?;
    }
    let before = std::fs::read(file).unwrap_or_default();
    let separator = if before.last().is_none_or(|last| *last == b'\n') {
        ""
    } else {
        "\n"
    };
    let line = format!("{separator}{} {key}\n", host_name(address, port));
    std::fs::OpenOptions::new()
        .append(true)
        .create(true)
        .open(file)?
        .write_all(line.as_bytes())
}

/// A host as known_hosts writes it: the port only where it is not 22.
fn host_name(address: &str, port: u16) -> String {
    let address = address.to_ascii_lowercase();
    if port == 22 {
        address
    } else {
        format!("[{address}]:{port}")
    }
}

fn matches(patterns: &str, name: &str) -> bool {
    let mut matched = false;
    for pattern in patterns.split(',') {
        if let Some(negated) = pattern.strip_prefix('!') {
            if wildcard(negated, name) {
                return false;
            }
        } else {
            matched |= if pattern.starts_with("|1|") {
                hashed(pattern, name)
            } else {
                wildcard(pattern, name)
            };
        }
    }
    matched
}

/// `|1|salt|hash`: HMAC-SHA1 of the name, keyed by the salt (OpenSSH's hostfile.c).
fn hashed(pattern: &str, name: &str) -> bool {
    let mut parts = pattern.split('|').skip(2);
    let decode = |text: Option<&str>| base64::engine::general_purpose::STANDARD.decode(text?).ok();
    let (Some(salt), Some(hash)) = (decode(parts.next()), decode(parts.next())) else {
        return false;
    };
    hmac_sha1::hmac(&salt, name.as_bytes()).as_slice() == hash.as_slice()
}

/// `*` is any run of characters, `?` any one; everything else is itself, without regard to case.
fn wildcard(pattern: &str, name: &str) -> bool {
    fn go(pattern: &[u8], name: &[u8]) -> bool {
        match (pattern.split_first(), name.split_first()) {
            (None, None) => true,
            (Some((b'*', rest)), _) => {
                go(rest, name) || name.split_first().is_some_and(|(_, name)| go(pattern, name))
            }
            (Some((b'?', rest)), Some((_, name))) => go(rest, name),
            (Some((p, rest)), Some((n, name))) => p.eq_ignore_ascii_case(n) && go(rest, name),
            _ => false,
        }
    }
    go(pattern.as_bytes(), name.as_bytes())
}

/// HMAC-SHA1 for hashed names: recognition of a name, not a defence, so SHA-1 does.
mod hmac_sha1 {
    use sha1::{Digest as _, Sha1};

    /// The block of SHA-1, in bytes.
    const BLOCK: usize = 64;

    pub(super) fn hmac(key: &[u8], message: &[u8]) -> Vec<u8> {
        let mut block = [0u8; BLOCK];
        if key.len() > BLOCK {
            let digest = Sha1::digest(key);
            block
                .iter_mut()
                .zip(digest.as_slice())
                .for_each(|(to, from)| *to = *from);
        } else {
            block.iter_mut().zip(key).for_each(|(to, from)| *to = *from);
        }
        let pad = |byte: u8| block.iter().map(|b| b ^ byte).collect::<Vec<u8>>();
        let inner = Sha1::new()
            .chain_update(pad(0x36))
            .chain_update(message)
            .finalize();
        Sha1::new()
            .chain_update(pad(0x5c))
            .chain_update(inner)
            .finalize()
            .to_vec()
    }
}
