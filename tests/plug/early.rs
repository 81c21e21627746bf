//! Acknowledgements that came before what they promise was on the disk, by the recording alone: it holds the order of all
//! writes and syncs, and the witness's clock is its length. A sound node has none. Where there are some, a power cut at
//! that very moment shows what is lost; moments that are chosen by chance may miss them all.

use crate::record::{Did, Recording};
use crate::witness::{Witness, token_of};
use std::collections::HashMap;
use std::path::Path;

/// Bytes of a token with the space behind it, at most.
const TOKEN_BYTES_MAX: usize = 32;

/// What names a message: its poster, and the number it has there.
type Token = (u32, u64);

/// What was found.
#[derive(Debug, Default)]
pub struct Early {
    /// Acknowledged messages that were looked at.
    pub looked: usize,
    /// When those were acknowledged that were not on the disk yet.
    pub moments: Vec<u64>,
}

/// Words in the journal that begin like a message.
struct Words {
    at: usize,
    /// The file they lie in and the length of the log after they were written.
    inode: u64,
    written: u64,
    /// The length of the log when they were synced.
    synced: Option<u64>,
}

/// Looks at every message that was acknowledged.
pub fn early(recording: &Recording, witness: &Witness) -> Early {
    let said = said(recording);
    let mut early = Early::default();
    for (text, acknowledged) in witness.acknowledged_messages() {
        early.looked += 1;
        let places = token_of(&text).and_then(|token| said.get(&token)).map_or(&[][..], Vec::as_slice);
        let mut same = places.iter().filter(|words| recording.bytes[words.at..].starts_with(text.as_bytes()));
        if !same.any(|words| words.synced.is_some_and(|synced| synced <= acknowledged)) {
            early.moments.push(acknowledged);
        }
    }
    early.moments.sort_unstable();
    early.moments.dedup();
    early
}

/// Where in the journal which messages were written, and when that was synced.
fn said(recording: &Recording) -> HashMap<Token, Vec<Words>> {
    let mut is_journal = HashMap::new();
    let mut said: HashMap<Token, Vec<Words>> = HashMap::new();
    let mut unsynced: HashMap<u64, Vec<(Token, usize)>> = HashMap::new();
    for record in &recording.records {
        match &record.did {
            Did::Create { path, inode } => drop(is_journal.insert(*inode, lies_in_journal(path))),
            Did::Write { inode, data, .. } if is_journal.get(inode) == Some(&true) => {
                for at in data.clone().filter(|at| recording.bytes[*at] == b'p') {
                    let end = data.end.min(at + TOKEN_BYTES_MAX);
                    let Some(token) = token_at(&recording.bytes[at..end]) else { continue };
                    let all = said.entry(token).or_default();
                    all.push(Words { at, inode: *inode, written: record.end, synced: None });
                    unsynced.entry(*inode).or_default().push((token, all.len() - 1));
                }
            }
            Did::Sync { inode, begun, .. } => {
                unsynced.entry(*inode).or_default().retain(|(token, number)| {
                    let words = said.get_mut(token).and_then(|all| all.get_mut(*number));
                    let Some(words) = words.filter(|words| words.inode == *inode) else { return false };
                    let is_kept = words.written <= *begun;
                    words.synced = is_kept.then_some(record.end);
                    !is_kept
                });
            }
            _ => {}
        }
    }
    said
}

fn lies_in_journal(path: &Path) -> bool {
    path.components().any(|part| part.as_os_str() == "journal")
}

/// The token that these bytes begin with.
fn token_at(bytes: &[u8]) -> Option<Token> {
    let end = bytes.iter().position(|byte| *byte == b' ')?;
    token_of(std::str::from_utf8(&bytes[..end]).ok()?)
}
