//! Rooms as files for people, and such files read back: exports and imports. A paper is a door like any other: it
//! translates between what the node keeps and what other programs read, and knows no socket.

pub mod arriving;
pub mod csv;
pub mod export;
pub mod html;
pub mod lines;
pub mod mail;
pub mod mbox;
pub mod parse;
pub mod record;

use crate::chat::refusal::Refusal;

/// What whoever names a format hears that is none.
const FORMAT_UNKNOWN: Refusal = Refusal::Invalid { what: "format", want: "jsonl, html, csv or mbox" };

/// How an export is written.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Format {
    /// One JSON object a line, complete.
    Jsonl,
    /// One page to read, with everything of each message in its attributes.
    Html,
    /// For spreadsheets: RFC 4180.
    Csv,
    /// For mail programs: RFC 4155.
    Mbox,
}

impl Format {
    /// Every format.
    pub const ALL: [Format; 4] = [Format::Jsonl, Format::Html, Format::Csv, Format::Mbox];

    /// The word for it, which also ends file names.
    pub fn word(self) -> &'static str {
        match self {
            Format::Jsonl => "jsonl",
            Format::Html => "html",
            Format::Csv => "csv",
            Format::Mbox => "mbox",
        }
    }

    /// The format of that word.
    pub fn of(word: &str) -> Option<Format> {
        Format::ALL.into_iter().find(|format| format.word() == word)
    }
}
