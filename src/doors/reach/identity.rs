//! What the node shows of itself: a certificate and its key in PEM files, made by the node where nobody gave any.
//!
//! A certificate of the node's own holds from 1975 to 4096. A node may have no clock when it makes it, and devices none
//! when they look at it: with honest dates both would refuse what is good, and one that ends would cut off every device
//! that knows it by its SHA-256, on a day when nobody looks. What it is worth is that SHA-256, not its dates. Browsers set
//! a maximum to them where it matters to others: Chrome and Firefox for authorities that they ship (398 days), Apple for all
//! that were issued after 1 July 2019 by their own account (825 days), which a beginning in 1975 is not.

use super::tls::Mark;
use crate::base::limits::{TLS_FILE_BYTES_MAX, TLS_NAMES_MAX};
use rcgen::{CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, KeyPair, date_time_ymd};
use rustls::RootCertStore;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use sha2::{Digest, Sha256};
use std::fmt;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

/// The PEM files.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Files {
    /// The certificate, and those between it and its root.
    pub certificate: PathBuf,
    /// Its key.
    pub key: PathBuf,
    /// Certificates of those who vouch for clients.
    pub client_ca: Option<PathBuf>,
}

/// Why there is no TLS, or not with these files.
#[derive(Debug)]
pub struct TlsError {
    path: PathBuf,
    what: String,
}

impl fmt::Display for TlsError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}: {}", self.path.display(), self.what)
    }
}

impl TlsError {
    fn new(path: &Path, what: impl fmt::Display) -> Self {
        Self { path: path.to_owned(), what: what.to_string() }
    }

    pub(super) fn pair(files: &Files, error: &rustls::Error) -> Self {
        let key = files.key.display();
        Self::new(&files.certificate, format_args!("it does not go with the key in {key}: {error}"))
    }

    pub(super) fn authorities(files: &Files, error: &dyn fmt::Display) -> Self {
        Self::new(files.client_ca.as_deref().unwrap_or(&files.certificate), error)
    }
}

impl Files {
    /// Those of a certificate of the node's own, in a folder that is made with them at the first start.
    pub fn own(folder: &Path, names: &[String]) -> Result<Files, TlsError> {
        let files = Files {
            certificate: folder.join("certificate.pem"),
            key: folder.join("key.pem"),
            client_ca: None,
        };
        if !files.certificate.exists() || !files.key.exists() {
            files.make(folder, names).map_err(|error| TlsError::new(folder, error))?;
        }
        Ok(files)
    }

    fn make(&self, folder: &Path, names: &[String]) -> Result<(), Box<dyn std::error::Error>> {
        let mut names = names.to_vec();
        names.truncate(TLS_NAMES_MAX);
        let mut params = CertificateParams::new(names)?;
        params.distinguished_name = DistinguishedName::new();
        params.distinguished_name.push(DnType::CommonName, "linnet");
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        params.not_before = date_time_ymd(1975, 1, 1);
        params.not_after = date_time_ymd(4096, 1, 1);
        let key = KeyPair::generate()?;
        let certificate = params.self_signed(&key)?;
        fs::create_dir_all(folder)?;
        // The key first: with a certificate in place, both are.
        keep(&self.key, &key.serialize_pem())?;
        keep(&self.certificate, &certificate.pem())?;
        File::open(folder)?.sync_all()?;
        Ok(())
    }

    /// How the files stand; a file that is not there has no mark.
    pub(super) fn marks(&self) -> Vec<Option<Mark>> {
        let paths = [Some(&self.certificate), Some(&self.key), self.client_ca.as_ref()];
        let mark =
            |path: &PathBuf| fs::metadata(path).and_then(|found| Ok((found.modified()?, found.len()))).ok();
        paths.into_iter().flatten().map(mark).collect()
    }
}

/// Puts a file where it is whole or not there, for this user's eyes.
fn keep(path: &Path, text: &str) -> io::Result<()> {
    let fresh = path.with_extension("new");
    let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&fresh)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    fs::rename(&fresh, path)
}

/// A certificate and its key, read.
pub(super) struct Identity {
    pub chain: Vec<CertificateDer<'static>>,
    pub key: PrivateKeyDer<'static>,
}

impl Identity {
    pub fn read(files: &Files) -> Result<Identity, TlsError> {
        let chain = certificates(&files.certificate)?;
        let key = PrivateKeyDer::from_pem_slice(&read(&files.key)?)
            .map_err(|_| TlsError::new(&files.key, "it holds no private key in PEM"))?;
        Ok(Identity { chain, key })
    }

    pub fn authorities(&self, files: &Files) -> Result<Option<RootCertStore>, TlsError> {
        let Some(path) = &files.client_ca else { return Ok(None) };
        let mut roots = RootCertStore::empty();
        for certificate in certificates(path)? {
            roots.add(certificate).map_err(|error| TlsError::new(path, error))?;
        }
        Ok(Some(roots))
    }

    /// The SHA-256 of the certificate, in pairs of capital digits.
    pub fn fingerprint(&self) -> String {
        let first = self.chain.first().expect("a chain that was read has a certificate");
        let pairs: Vec<String> = Sha256::digest(first).iter().map(|byte| format!("{byte:02X}")).collect();
        pairs.join(":")
    }
}

fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&read(path)?).collect();
    match found {
        Ok(found) if !found.is_empty() => Ok(found),
        Ok(_) | Err(_) => Err(TlsError::new(path, "it holds no certificate in PEM")),
    }
}

fn read(path: &Path) -> Result<Vec<u8>, TlsError> {
    let mut bytes = Vec::new();
    let file = File::open(path).map_err(|error| TlsError::new(path, error))?;
    let read = file.take(TLS_FILE_BYTES_MAX + 1).read_to_end(&mut bytes);
    read.map_err(|error| TlsError::new(path, error))?;
    if bytes.len() as u64 > TLS_FILE_BYTES_MAX {
        return Err(TlsError::new(path, "it is far larger than certificates are"));
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn a_certificate_of_ones_own_is_made_once_and_its_key_is_nobody_elses() {
        let temp = tempfile::tempdir().unwrap();
        let folder = temp.path().join("tls");
        let names = ["porch-pi.local".to_owned(), "192.168.1.42".to_owned(), "fd00::1".to_owned()];
        let made = Files::own(&folder, &names).unwrap();
        let mode = fs::metadata(&made.key).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        let shown = Identity::read(&made).unwrap().fingerprint();
        assert_eq!(shown.len(), 32 * 3 - 1, "{shown}");
        let again = Files::own(&folder, &[]).unwrap();
        assert_eq!(Identity::read(&again).unwrap().fingerprint(), shown);
        assert_eq!(fs::read_dir(&folder).unwrap().count(), 2);
        // A start that was cut off between the two begins anew.
        fs::remove_file(&made.certificate).unwrap();
        let again = Files::own(&folder, &names).unwrap();
        assert_ne!(Identity::read(&again).unwrap().fingerprint(), shown);
    }

    #[test]
    fn a_certificate_of_ones_own_holds_whatever_a_clock_says_and_for_those_who_limit_what_is_new() {
        let temp = tempfile::tempdir().unwrap();
        let made = Identity::read(&Files::own(temp.path(), &["porch".to_owned()]).unwrap()).unwrap();
        let holds = |bytes: &[u8]| made.chain[0].windows(bytes.len()).any(|window| window == bytes);
        // Times as DER writes them: 13 letters up to 2049, 15 later.
        assert!(holds(b"\x17\x0d750101000000Z\x18\x0f40960101000000Z"), "{:?}", made.chain[0]);
        // The object identifier of server authentication, which Apple asks for.
        assert!(holds(b"\x06\x08\x2b\x06\x01\x05\x05\x07\x03\x01"), "{:?}", made.chain[0]);
    }

    #[test]
    fn what_is_no_certificate_is_named() {
        let temp = tempfile::tempdir().unwrap();
        let good = Files::own(temp.path(), &["porch".to_owned()]).unwrap();
        let huge = temp.path().join("huge");
        fs::write(&huge, vec![b'x'; TLS_FILE_BYTES_MAX as usize + 1]).unwrap();
        let [missing, swapped] = [temp.path().join("missing"), good.key.clone()];
        for (path, what) in [(huge, "far larger"), (missing, "No such file"), (swapped, "no certificate")] {
            let files = Files { certificate: path.clone(), ..good.clone() };
            let error = Identity::read(&files).err().unwrap().to_string();
            assert!(error.contains(what) && error.starts_with(&*path.to_string_lossy()), "{error}");
        }
        let files = Files { key: good.certificate.clone(), ..good };
        assert!(Identity::read(&files).err().unwrap().to_string().contains("no private key"));
    }
}
