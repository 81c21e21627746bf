//! The tree as JSON, written without a tree of values in between.

use super::{Block, Inline, Item};
use serde_json::value::RawValue;

/// The blocks of a text.
pub fn of(blocks: &[Block]) -> Box<RawValue> {
    let mut out = String::new();
    list(blocks, &mut out, block);
    RawValue::from_string(out).expect("every part writes a whole value")
}

fn list<T>(items: &[T], out: &mut String, write: fn(&T, &mut String)) {
    out.push('[');
    for (place, item) in items.iter().enumerate() {
        if place > 0 {
            out.push(',');
        }
        write(item, out);
    }
    out.push(']');
}

fn text(text: &str, out: &mut String) {
    out.push_str(&serde_json::to_string(text).expect("a text always makes JSON"));
}

/// The beginning of a node; its value follows.
fn open(kind: &str, out: &mut String) {
    out.push_str("{\"type\":\"");
    out.push_str(kind);
    out.push_str("\",\"value\":");
}

fn plain(words: &str, out: &mut String) {
    open("PLAIN_TEXT", out);
    text(words, out);
    out.push('}');
}

fn inlines(items: &[Inline], out: &mut String) {
    list(items, out, inline);
}

fn paragraph(line: &[Inline], out: &mut String) {
    open("PARAGRAPH", out);
    inlines(line, out);
    out.push('}');
}

fn block(block: &Block, out: &mut String) {
    match block {
        Block::Paragraph(line) => return paragraph(line, out),
        Block::LineBreak => return out.push_str("{\"type\":\"LINE_BREAK\"}"),
        Block::BigEmoji(line) => {
            open("BIG_EMOJI", out);
            inlines(line, out);
        }
        Block::Heading { level, text } => {
            open("HEADING", out);
            out.push('[');
            plain(text, out);
            out.push_str(&format!("],\"level\":{level}"));
        }
        Block::Quote(lines) => {
            open("QUOTE", out);
            list(lines, out, |line, out| paragraph(line, out));
        }
        Block::Code { language, lines } => {
            open("CODE", out);
            list(lines, out, |line, out| {
                open("CODE_LINE", out);
                plain(line, out);
                out.push('}');
            });
            out.push_str(",\"language\":");
            text(if language.is_empty() { "none" } else { language }, out);
        }
        Block::List(kind, items) => {
            open(kind, out);
            list(items, out, item);
        }
    }
    out.push('}');
}

fn item(item: &Item, out: &mut String) {
    open(if item.done.is_some() { "TASK" } else { "LIST_ITEM" }, out);
    inlines(&item.value, out);
    if let Some(number) = item.number {
        out.push_str(&format!(",\"number\":{number}"));
    }
    if let Some(done) = item.done {
        out.push_str(&format!(",\"status\":{done}"));
    }
    out.push('}');
}

fn inline(part: &Inline, out: &mut String) {
    match part {
        Inline::Plain(words) => return plain(words, out),
        Inline::Span(kind, within) => {
            open(kind, out);
            inlines(within, out);
        }
        Inline::Code(words) => {
            open("INLINE_CODE", out);
            plain(words, out);
        }
        Inline::Link { src, label } => {
            open("LINK", out);
            out.push_str("{\"src\":");
            plain(src, out);
            out.push_str(",\"label\":");
            inlines(label, out);
            out.push('}');
        }
        Inline::Image { src, label } => {
            open("IMAGE", out);
            out.push_str("{\"src\":");
            plain(src, out);
            out.push_str(",\"label\":");
            plain(label, out);
            out.push('}');
        }
        Inline::Mention(kind, name) => {
            open(kind, out);
            plain(name, out);
        }
        Inline::Emoji { text: written, code } => {
            open("EMOJI", out);
            plain(written, out);
            out.push_str(",\"shortCode\":");
            text(code, out);
        }
        Inline::Unicode(emoji) => {
            out.push_str("{\"type\":\"EMOJI\",\"unicode\":");
            text(emoji, out);
        }
        Inline::Color([r, g, b, a]) => {
            open("COLOR", out);
            out.push_str(&format!("{{\"r\":{r},\"g\":{g},\"b\":{b},\"a\":{a}}}"));
        }
        Inline::Timestamp { at, format } => {
            open("TIMESTAMP", out);
            out.push_str(&format!("{{\"timestamp\":\"{at}\",\"format\":\"{format}\"}},\"fallback\":"));
            plain(&format!("<t:{at}:{format}>"), out);
        }
    }
    out.push('}');
}
