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

use crate::base::limits::URLS_MAX;
use serde_json::value::RawValue;

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
    /// `MENTION_USER` or `MENTION_CHANNEL`, and the name.
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
pub struct Drawn {
    /// The tree, as JSON.
    pub tree: Box<RawValue>,
    /// Where its links lead to, of those that are pages, each once; at most [`URLS_MAX`].
    pub urls: Vec<String>,
}

/// What there is to draw of a text; `None` where there is nothing.
pub fn drawn(text: &str) -> Option<Drawn> {
    let blocks = blocks::of(text);
    if blocks.is_empty() {
        return None;
    }
    let mut urls = Vec::new();
    for block in &blocks {
        match block {
            Block::Paragraph(line) => pages(line, &mut urls),
            Block::Quote(lines) => lines.iter().for_each(|line| pages(line, &mut urls)),
            Block::List(_, items) => items.iter().for_each(|item| pages(&item.value, &mut urls)),
            Block::BigEmoji(_) | Block::Heading { .. } | Block::Code { .. } | Block::LineBreak => {}
        }
    }
    Some(Drawn { tree: json::of(&blocks), urls })
}

fn pages(parts: &[Inline], urls: &mut Vec<String>) {
    for part in parts {
        match part {
            Inline::Span(_, within) => pages(within, urls),
            Inline::Link { src, .. } | Inline::Image { src, .. } => {
                let url = if src.starts_with("//") { format!("http:{src}") } else { src.clone() };
                let is_page = url.starts_with("http://") || url.starts_with("https://");
                if is_page && urls.len() < URLS_MAX && !urls.contains(&url) {
                    urls.push(url);
                }
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests;
