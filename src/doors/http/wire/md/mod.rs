//! What a text says beside its letters: the tree that Rocket.Chat's clients draw a message from, in the form of their
//! own parser (`@rocket.chat/message-parser`), written from what that parser gives for a text.
//!
//! Two things are otherwise on purpose. An address with a scheme is a link whatever its host is called: on a local
//! network it is `http://raspberrypi:3000`, which no list of top-level domains knows. And what would run a script in
//! whoever draws it (`javascript:`) is never a link.

mod address;
mod blocks;
mod emoji;
mod inline;
mod json;

use crate::base::limits::{MD_STEPS_PER_BYTE, MENTIONS_MAX, URLS_MAX};
use serde_json::value::RawValue;

const USER: &str = "MENTION_USER";
const ROOM: &str = "MENTION_CHANNEL";

/// A part of a line.
#[derive(Clone, PartialEq, Eq, Debug)]
enum Inline {
    Plain(String),
    /// `BOLD`, `ITALIC`, `STRIKE` or `SPOILER`, and what is in it.
    Span(&'static str, Vec<Inline>),
    Code(String),
    Link {
        src: String,
        label: Vec<Inline>,
    },
    Image {
        src: String,
        label: String,
    },
    /// [`USER`] or [`ROOM`], and the name.
    Mention(&'static str, String),
    /// An emoji by its name, and how it was written.
    Emoji {
        text: String,
        code: String,
    },
    Unicode(String),
    Color([u8; 4]),
    Timestamp {
        at: String,
        format: char,
    },
}

/// One line of a list.
#[derive(Clone, PartialEq, Eq, Debug)]
struct Item {
    /// Of a list with numbers.
    number: Option<u64>,
    /// Of a list of tasks.
    done: Option<bool>,
    value: Vec<Inline>,
}

/// A part of a text: a line, or several that belong together.
#[derive(Clone, PartialEq, Eq, Debug)]
enum Block {
    Paragraph(Vec<Inline>),
    BigEmoji(Vec<Inline>),
    Heading {
        level: usize,
        text: String,
    },
    Quote(Vec<Vec<Inline>>),
    Code {
        language: String,
        lines: Vec<String>,
    },
    /// `UNORDERED_LIST`, `ORDERED_LIST` or `TASKS`.
    List(&'static str, Vec<Item>),
    LineBreak,
}

/// What a text says beside its letters.
#[derive(Default)]
pub struct Drawn {
    /// The tree, as JSON; `None` where there is nothing to draw.
    pub tree: Option<Box<RawValue>>,
    /// Where its links lead to, of those that are pages, each once; at most [`URLS_MAX`].
    pub urls: Vec<String>,
    /// The names behind `@`, each once; at most [`MENTIONS_MAX`]. Whether somebody is called so is not known here.
    pub people: Vec<String>,
    /// The names behind `#`, as above.
    pub rooms: Vec<String>,
}

/// What there is to draw of a text.
pub fn drawn(text: &str) -> Drawn {
    let (mut drawn, blocks) = (Drawn::default(), blocks::of(text));
    for block in &blocks {
        match block {
            Block::Paragraph(line) => drawn.gather(line),
            Block::Quote(lines) => lines.iter().for_each(|line| drawn.gather(line)),
            Block::List(_, items) => items.iter().for_each(|item| drawn.gather(&item.value)),
            // It is drawn as it is written, and names people all the same.
            Block::Heading { text, .. } => drawn.gather(&inline::Line::parse(text, &mut steps(text))),
            Block::BigEmoji(_) | Block::Code { .. } | Block::LineBreak => {}
        }
    }
    drawn.tree = (!blocks.is_empty()).then(|| json::of(&blocks));
    drawn
}

/// What may be tried on a text.
fn steps(text: &str) -> usize {
    text.len().saturating_mul(MD_STEPS_PER_BYTE)
}

impl Drawn {
    fn gather(&mut self, parts: &[Inline]) {
        for part in parts {
            match part {
                Inline::Span(_, within) => self.gather(within),
                Inline::Link { src, .. } | Inline::Image { src, .. } => {
                    let url = if src.starts_with("//") { format!("http:{src}") } else { src.clone() };
                    if url.starts_with("http://") || url.starts_with("https://") {
                        add(&mut self.urls, &url, URLS_MAX);
                    }
                }
                Inline::Mention(kind, name) => {
                    let names = if *kind == USER { &mut self.people } else { &mut self.rooms };
                    add(names, name.trim_end_matches('.'), MENTIONS_MAX);
                }
                _ => {}
            }
        }
    }
}

fn add(list: &mut Vec<String>, new: &str, max: usize) {
    if list.len() < max && !list.iter().any(|known| known == new) {
        list.push(new.to_owned());
    }
}

#[cfg(test)]
mod tests;
