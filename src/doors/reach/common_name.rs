//! The common name in a certificate that was verified: a walk over its DER (X.690) to the subject (RFC 5280, 4.1).

use crate::base::limits::COMMON_NAME_BYTES_MAX;

const INTEGER: u8 = 0x02;
const UTF8: u8 = 0x0C;
const PRINTABLE: u8 = 0x13;
const IA5: u8 = 0x16;
const SEQUENCE: u8 = 0x30;
const SET: u8 = 0x31;
const VERSION: u8 = 0xA0;
/// `id-at-commonName`, 2.5.4.3, with its tag and length.
const COMMON_NAME: [u8; 5] = [0x06, 3, 0x55, 0x04, 0x03];

/// The last common name of the subject, as the most specific one.
pub fn of(certificate: &[u8]) -> Option<String> {
    let (certificate, _) = inside(certificate, SEQUENCE)?;
    let (mut fields, _) = inside(certificate, SEQUENCE)?;
    if fields.first() == Some(&VERSION) {
        (_, fields) = inside(fields, VERSION)?;
    }
    // Its number, how it is signed, by whom, and how long it holds.
    for tag in [INTEGER, SEQUENCE, SEQUENCE, SEQUENCE] {
        (_, fields) = inside(fields, tag)?;
    }
    let (mut names, _) = inside(fields, SEQUENCE)?;
    let mut found = None;
    while !names.is_empty() {
        let (mut together, rest) = inside(names, SET)?;
        names = rest;
        while !together.is_empty() {
            let (pair, rest) = inside(together, SEQUENCE)?;
            together = rest;
            if let Some(value) = pair.strip_prefix(&COMMON_NAME) {
                found = text(value);
            }
        }
    }
    found
}

fn text(value: &[u8]) -> Option<String> {
    let tag = *value.first()?;
    let (bytes, _) = inside(value, tag)?;
    let fits = matches!(tag, UTF8 | PRINTABLE | IA5) && (1..=COMMON_NAME_BYTES_MAX).contains(&bytes.len());
    let text = std::str::from_utf8(bytes).ok().filter(|_| fits)?;
    (!text.chars().any(char::is_control)).then(|| text.to_owned())
}

/// What the element at the front holds, and what follows it; `None` unless it has this tag and is there whole.
fn inside(bytes: &[u8], tag: u8) -> Option<(&[u8], &[u8])> {
    let (&[found, first], mut rest) = bytes.split_first_chunk::<2>()?;
    let mut length = usize::from(first);
    if first >= 0x80 {
        let digits = usize::from(first & 0x7F);
        // A certificate of more than 16 MB is none.
        let (big, after) = rest.split_at_checked(digits).filter(|_| (1..=3).contains(&digits))?;
        length = big.iter().fold(0, |length, byte| length << 8 | usize::from(*byte));
        rest = after;
    }
    (found == tag).then(|| rest.split_at_checked(length)).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;
    use rcgen::{CertificateParams, DnType, DnValue, KeyPair};

    fn certificate(names: &[(DnType, DnValue)]) -> Vec<u8> {
        let mut params = CertificateParams::new(vec!["porch.example".into()]).unwrap();
        params.distinguished_name = rcgen::DistinguishedName::new();
        names.iter().for_each(|(kind, value)| params.distinguished_name.push(kind.clone(), value.clone()));
        params.self_signed(&KeyPair::generate().unwrap()).unwrap().der().to_vec()
    }

    fn utf8(text: &str) -> DnValue {
        DnValue::Utf8String(text.into())
    }

    #[test]
    fn the_subjects_common_name_is_found() {
        let garden = (DnType::OrganizationName, utf8("garden"));
        let printable = DnValue::PrintableString("lamp".try_into().unwrap());
        let cases = [
            (vec![(DnType::CommonName, utf8("sensor"))], Some("sensor")),
            (vec![garden.clone(), (DnType::CommonName, utf8("Gärtner"))], Some("Gärtner")),
            (vec![(DnType::CommonName, printable), garden.clone()], Some("lamp")),
            (vec![garden], None),
            (vec![], None),
            (vec![(DnType::CommonName, utf8("two\nlines"))], None),
            (vec![(DnType::CommonName, utf8(&"x".repeat(COMMON_NAME_BYTES_MAX + 1)))], None),
        ];
        for (names, expected) in cases {
            assert_eq!(of(&certificate(&names)).as_deref(), expected, "{names:?}");
        }
    }

    #[test]
    fn a_certificate_cut_anywhere_or_with_any_byte_wrong_is_survived() {
        let whole = certificate(&[(DnType::CommonName, utf8("sensor"))]);
        for cut in 0..whole.len() {
            assert_eq!(of(&whole[..cut]), None, "cut at {cut}");
        }
        for at in 0..whole.len() {
            for byte in [0, 0x7F, 0x80, 0x84, 0xFF] {
                let mut wrong = whole.clone();
                wrong[at] = byte;
                let _ = of(&wrong);
            }
        }
    }
}
