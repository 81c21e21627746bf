//! The lines of a text, and which of them belong together.

use super::inline::{Line, big_emoji};
use super::{Block, Inline, Item, steps};

/// The blocks of a text.
pub fn of(text: &str) -> Vec<Block> {
    if let Some(emoji) = big_emoji(text) {
        return vec![Block::BigEmoji(emoji)];
    }
    let mut steps = steps(text);
    Text { lines: text.split('\n').map(|line| line.strip_suffix('\r').unwrap_or(line)).collect(), at: 0 }
        .blocks(&mut steps)
}

struct Text<'a> {
    lines: Vec<&'a str>,
    at: usize,
}

/// What a line of a list begins with.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Mark {
    Task(bool),
    Number(u64),
    Hyphen,
    Asterisk,
}

impl Mark {
    /// Lines of one kind make one list.
    fn kind(self) -> u8 {
        match self {
            Mark::Task(_) => 0,
            Mark::Number(_) => 1,
            Mark::Hyphen => 2,
            Mark::Asterisk => 3,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Mark::Task(_) => "TASKS",
            Mark::Number(_) => "ORDERED_LIST",
            Mark::Hyphen | Mark::Asterisk => "UNORDERED_LIST",
        }
    }
}

/// What follows at least one blank.
fn after_blank(rest: &str) -> Option<&str> {
    let words = rest.trim_start_matches([' ', '\t']);
    (words.len() < rest.len() && !words.is_empty()).then_some(words)
}

/// The mark that a line of a list begins with, and the words behind it.
fn marked(line: &str) -> Option<(Mark, &str)> {
    for (mark, done) in [("- [x]", true), ("- [ ]", false)] {
        if let Some(words) = line.strip_prefix(mark).and_then(after_blank) {
            return Some((Mark::Task(done), words));
        }
    }
    let digits = line.len() - line.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    if let (Ok(number), Some(rest)) = (line[..digits].parse(), line[digits..].strip_prefix('.')) {
        return Some((Mark::Number(number), after_blank(rest)?));
    }
    match line.strip_prefix('-') {
        Some(rest) => Some((Mark::Hyphen, after_blank(rest)?)),
        None => Some((Mark::Asterisk, after_blank(line.strip_prefix('*')?)?)),
    }
}

impl Text<'_> {
    fn is_last(&self) -> bool {
        self.at + 1 == self.lines.len()
    }

    fn blocks(mut self, steps: &mut usize) -> Vec<Block> {
        let mut blocks = Vec::new();
        while let Some(line) = self.lines.get(self.at).copied() {
            // A text that ends with a line's end has no line behind it.
            if line.is_empty() && self.is_last() {
                break;
            }
            self.next(line, steps, &mut blocks);
        }
        blocks
    }

    fn next(&mut self, line: &str, steps: &mut usize, blocks: &mut Vec<Block>) {
        if let Some(quote) = self.quote(steps) {
            blocks.push(quote);
        } else if let Some(code) = self.code() {
            blocks.push(code);
            self.end_of_block(blocks);
        } else if let Some(heading) = heading(line) {
            self.at += 1;
            blocks.push(heading);
            self.end_of_block(blocks);
        } else if let Some(list) = self.list(steps) {
            blocks.push(list);
        } else {
            let blank = line.trim().is_empty() && !self.is_last();
            blocks.push(match blank {
                true => Block::LineBreak,
                false => Block::Paragraph(Line::parse(line, steps)),
            });
            self.at += 1;
        }
    }

    /// The end of a line that closes such a block counts as one of its own.
    fn end_of_block(&self, blocks: &mut Vec<Block>) {
        if self.at < self.lines.len() {
            blocks.push(Block::LineBreak);
        }
    }

    fn quote(&mut self, steps: &mut usize) -> Option<Block> {
        let mut lines = Vec::new();
        while let Some(words) = self.lines.get(self.at).and_then(|line| line.strip_prefix('>')) {
            let words = words.trim_start_matches([' ', '\t']);
            if words.is_empty() && self.is_last() {
                break;
            }
            lines.push(match words.is_empty() {
                true => vec![Inline::Plain(String::new())],
                false => Line::parse(words, steps),
            });
            self.at += 1;
        }
        (!lines.is_empty()).then_some(Block::Quote(lines))
    }

    fn code(&mut self) -> Option<Block> {
        let language = self.lines[self.at].strip_prefix("```")?;
        let is_language = |c: char| c.is_ascii_alphanumeric() || " _-.".contains(c);
        if !language.chars().all(is_language) {
            return None;
        }
        let within = &self.lines[self.at + 1..];
        let end = within.iter().position(|line| line.contains("```"))?;
        let is_whole = within[end] == "```" && within[..end].iter().any(|line| !line.is_empty());
        if !is_whole {
            return None;
        }
        let lines = within[..end].iter().map(|line| (*line).to_owned()).collect();
        self.at += end + 2;
        Some(Block::Code { language: language.to_owned(), lines })
    }

    fn list(&mut self, steps: &mut usize) -> Option<Block> {
        let (first, _) = marked(self.lines[self.at])?;
        let mut items = Vec::new();
        while let Some((mark, words)) = self.lines.get(self.at).and_then(|line| marked(line)) {
            if mark.kind() != first.kind() {
                break;
            }
            let value = Line::parse(words, steps);
            // What could be the end of something bold is.
            let is_loose = |part: &Inline| matches!(part, Inline::Plain(text) if text.contains('*'));
            if mark == Mark::Asterisk && value.iter().any(is_loose) {
                break;
            }
            let number = if let Mark::Number(number) = mark { Some(number) } else { None };
            let done = if let Mark::Task(done) = mark { Some(done) } else { None };
            items.push(Item { number, done, value });
            self.at += 1;
        }
        (!items.is_empty()).then_some(Block::List(first.name(), items))
    }
}

fn heading(line: &str) -> Option<Block> {
    let level = line.len() - line.trim_start_matches('#').len();
    let text = after_blank(&line[level..])?;
    (1..=4).contains(&level).then(|| Block::Heading { level, text: text.to_owned() })
}
