//! The parts of one line.

use super::{Inline, ROOM, USER, address, emoji};

/// Within bold text nothing is bold, and so on: this is also how deep it can get.
const BOLD: u8 = 1;
const ITALIC: u8 = 2;
const STRIKE: u8 = 4;
const SPOILER: u8 = 8;
const LABEL: u8 = 16;
/// Where addresses stay words.
const NO_ADDRESS: u8 = BOLD | ITALIC | STRIKE | SPOILER | LABEL;

/// Bytes looked through that count as one step.
const SCANNED_PER_STEP: usize = 64;
/// Emoji of a text that is nothing but emoji and gets them drawn large.
const BIG_MAX: usize = 3;

/// The emoji of a text that has only a few of them and nothing else.
pub fn big_emoji(text: &str) -> Option<Vec<Inline>> {
    let mut found = Vec::new();
    let mut rest = text.trim();
    while !rest.is_empty() {
        let (emoji, taken) = emoji::at(rest)?;
        found.push(emoji);
        rest = rest[taken..].trim_start();
        if found.len() > BIG_MAX {
            return None;
        }
    }
    (!found.is_empty()).then_some(found)
}

/// A line in the reading.
pub struct Line<'a, 's> {
    text: &'a str,
    at: usize,
    /// In what we are.
    within: u8,
    /// What may still be tried: when it is used up, the rest is plain.
    steps: &'s mut usize,
}

/// Plain words come together.
fn push(parts: &mut Vec<Inline>, part: Inline) {
    match (parts.last_mut(), part) {
        (Some(Inline::Plain(before)), Inline::Plain(words)) => before.push_str(&words),
        (_, part) => parts.push(part),
    }
}

fn ends_word(c: Option<char>) -> bool {
    !c.is_some_and(|c| c.is_alphanumeric() || c == '_')
}

impl<'a> Line<'a, '_> {
    /// The parts of a line that has at least one character.
    pub fn parse(text: &'a str, steps: &mut usize) -> Vec<Inline> {
        Line { text, at: 0, within: 0, steps }.parts(None).unwrap_or_default()
    }

    fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }

    fn before(&self) -> Option<char> {
        self.text[..self.at].chars().next_back()
    }

    /// Whether a blank or nothing stands before.
    fn begins(&self) -> bool {
        self.before().is_none_or(char::is_whitespace)
    }

    /// The parts up to `close`, which is passed, or up to the end; `None` if it does not come, or nothing is before it.
    fn parts(&mut self, close: Option<&str>) -> Option<Vec<Inline>> {
        let start = self.at;
        let mut parts = Vec::new();
        while let Some(c) = self.rest().chars().next() {
            if let Some(close) = close
                && self.rest().starts_with(close)
                && self.closes(close)
            {
                let blank = self.text[start..self.at].trim().is_empty();
                self.at += close.len();
                return (!blank).then_some(parts);
            }
            let here = self.at;
            let part = match self.steps.checked_sub(1) {
                Some(left) => {
                    *self.steps = left;
                    self.part(c, parts.last())
                }
                None => None,
            };
            if part.is_none() && close.is_some_and(|close| close.starts_with(c)) {
                // Only as much of the mark as does not close: nothing closes here.
                return None;
            }
            match (part, parts.last_mut()) {
                (Some(part), _) => push(&mut parts, part),
                (None, Some(Inline::Plain(before))) => before.push(c),
                (None, _) => parts.push(Inline::Plain(c.to_string())),
            }
            if self.at == here {
                self.at += c.len_utf8();
            }
        }
        close.is_none().then_some(parts)
    }

    /// `_` closes only at the end of a word; the others everywhere.
    fn closes(&self, close: &str) -> bool {
        let after = self.rest()[close.len()..].chars().next();
        !close.starts_with('_') || !after.is_some_and(char::is_alphanumeric)
    }

    /// What begins here, if it is more than a character. It is passed then; else nothing is.
    fn part(&mut self, c: char, last: Option<&Inline>) -> Option<Inline> {
        let start = self.at;
        let part = match c {
            '\\' => self.escaped(),
            '`' => self.code(),
            '*' => self.span("*", BOLD, "BOLD"),
            '~' => self.span("~", STRIKE, "STRIKE"),
            '_' => self.italic().or_else(|| self.face()),
            '|' if self.within & SPOILER == 0 => self.spoiler(),
            '[' => self.link(),
            '!' if self.within == 0 => self.image(),
            '<' => self.angle().or_else(|| self.face()),
            '@' => self.mention(USER, last),
            '#' => self.mention(ROOM, last),
            ':' => self.short_code().or_else(|| self.face()),
            _ => self.word(c),
        };
        if part.is_none() {
            self.at = start;
        }
        part
    }

    fn escaped(&mut self) -> Option<Inline> {
        let next = self.rest().chars().nth(1).filter(|c| "*_~`#.".contains(*c))?;
        self.at += 2;
        Some(Inline::Plain(next.to_string()))
    }

    fn code(&mut self) -> Option<Inline> {
        self.look_through();
        let end = self.rest()[1..].find('`').filter(|end| *end > 0)?;
        let words = self.rest()[1..=end].to_owned();
        self.at += end + 2;
        Some(Inline::Code(words))
    }

    /// What stands between two marks, or between two double ones.
    fn span(&mut self, mark: &'static str, bit: u8, kind: &'static str) -> Option<Inline> {
        if self.within & bit != 0 {
            return None;
        }
        let start = self.at;
        self.within |= bit;
        let double = [mark, mark].concat();
        let closes = [double.as_str(), mark];
        let found = closes.iter().filter(|close| self.text[start..].starts_with(**close)).find_map(|close| {
            self.at = start + close.len();
            self.parts(Some(close))
        });
        self.within &= !bit;
        found.map(|within| Inline::Span(kind, within))
    }

    fn italic(&mut self) -> Option<Inline> {
        let inside = self.before().is_some_and(char::is_alphanumeric);
        if inside { None } else { self.span("_", ITALIC, "ITALIC") }
    }

    fn spoiler(&mut self) -> Option<Inline> {
        self.rest().strip_prefix("||")?;
        self.at += 2;
        self.within |= SPOILER;
        let within = self.parts(Some("||"));
        self.within &= !SPOILER;
        within.map(|within| Inline::Span("SPOILER", within))
    }

    /// What it costs to look through the rest of the line.
    fn look_through(&mut self) {
        *self.steps = self.steps.saturating_sub(self.rest().len() / SCANNED_PER_STEP);
    }

    /// What stands in `[...](...)` behind the mark before it: words, and where they lead to.
    fn bracketed(&mut self, mark: &str) -> Option<(&'a str, String, usize)> {
        self.look_through();
        let rest = self.rest().strip_prefix(mark)?;
        let middle = rest.find("](")?;
        let target = &rest[middle + 2..];
        let mut depth = 0;
        let end = target.find(|c| {
            depth += i32::from(c == '(') - i32::from(c == ')');
            depth < 0
        })?;
        let src = address::target(&target[..end])?;
        Some((&rest[..middle], src, mark.len() + middle + 2 + end + 1))
    }

    fn link(&mut self) -> Option<Inline> {
        if self.within & LABEL != 0 {
            return None;
        }
        let (words, src, taken) = self.bracketed("[")?;
        let mut label = Line { text: words, at: 0, within: self.within | LABEL, steps: &mut *self.steps };
        let label = match label.parts(None).filter(|label| !label.is_empty()) {
            Some(label) => label,
            None => vec![Inline::Plain(src.clone())],
        };
        self.at += taken;
        Some(Inline::Link { src, label })
    }

    fn image(&mut self) -> Option<Inline> {
        let (words, src, taken) = self.bracketed("![")?;
        self.at += taken;
        let label = if words.is_empty() { src.clone() } else { words.to_owned() };
        Some(Inline::Image { src, label })
    }

    /// `<address|words>` and `<t:seconds:format>`.
    fn angle(&mut self) -> Option<Inline> {
        self.look_through();
        let within = &self.rest()[1..];
        let end = within.find('>')?;
        let within = &within[..end];
        let part = match within.strip_prefix("t:") {
            Some(time) => {
                let (at, format) = time.split_once(':').unwrap_or((time, "t"));
                let seconds = at.len() == 10 && at.bytes().all(|byte| byte.is_ascii_digit());
                let format = format.parse().ok().filter(|format| seconds && "tTdDfFR".contains(*format))?;
                Inline::Timestamp { at: at.to_owned(), format }
            }
            None => {
                let (src, words) = within.split_once('|').filter(|(_, words)| !words.is_empty())?;
                Inline::Link { src: address::target(src)?, label: vec![Inline::Plain(words.to_owned())] }
            }
        };
        self.at += end + 2;
        Some(part)
    }

    fn mention(&mut self, kind: &'static str, last: Option<&Inline>) -> Option<Inline> {
        let is_name = |c: char| c.is_alphanumeric() || "-_.".contains(c);
        let in_word = self.before().is_some_and(|c| is_name(c) || matches!(c, '@' | '#'));
        if in_word && matches!(last, Some(Inline::Plain(_))) {
            return None;
        }
        let is_user = kind == USER;
        let rest = &self.rest()[1..];
        let end = rest.find(|c| !(is_name(c) || is_user && c == ':')).unwrap_or(rest.len());
        let name = rest[..end].trim_end_matches([':', '_']);
        if name.is_empty() {
            return None;
        }
        self.at += 1 + name.len();
        Some(Inline::Mention(kind, name.to_owned()))
    }

    fn short_code(&mut self) -> Option<Inline> {
        let (emoji, taken) = emoji::short_code(self.rest())?;
        let after = self.rest()[taken..].chars().next();
        let apart = !self.before().is_some_and(char::is_alphanumeric) && ends_word(after);
        apart.then(|| {
            self.at += taken;
            emoji
        })
    }

    fn face(&mut self) -> Option<Inline> {
        let (emoji, taken) = emoji::face(self.rest())?;
        let after = self.rest()[taken..].chars().next();
        let mark = |c: char| c.is_whitespace() || (self.within != 0 && "*_~|".contains(c));
        let apart = self.before().is_none_or(mark) && after.is_none_or(mark);
        apart.then(|| {
            self.at += taken;
            emoji
        })
    }

    /// An emoji, a colour, or an address at the beginning of a word.
    fn word(&mut self, c: char) -> Option<Inline> {
        if !c.is_alphanumeric() {
            let found = emoji::unicode(self.rest());
            if let Some((emoji, taken)) = found {
                self.at += taken;
                return Some(emoji);
            }
        }
        let inside = self.before().is_some_and(|c| c.is_alphanumeric() || "@#/.-_".contains(c));
        if inside || self.within & NO_ADDRESS != 0 {
            return if self.begins() { self.face() } else { None };
        }
        if !c.is_alphanumeric() && c != '+' {
            return self.face();
        }
        let near = self.rest().bytes().take(address::ADDRESS_BYTES_MAX);
        let looked = near.take_while(|byte| !byte.is_ascii_whitespace()).count() / SCANNED_PER_STEP;
        *self.steps = self.steps.saturating_sub(looked);
        if let Some(color) = color(self.rest()) {
            self.at += color.1;
            return Some(Inline::Color(color.0));
        }
        match address::at(self.rest()) {
            Some(address) => {
                self.at += address.taken;
                Some(Inline::Link { src: address.src, label: vec![Inline::Plain(address.shown)] })
            }
            None => self.face(),
        }
    }
}

/// `color:#rgb` and its longer forms.
fn color(text: &str) -> Option<([u8; 4], usize)> {
    let rest = text.strip_prefix("color:#")?;
    let end = rest.find(|c: char| !c.is_ascii_hexdigit()).unwrap_or(rest.len());
    let mut digits = Vec::with_capacity(8);
    for c in rest[..end].chars().take(9) {
        digits.push(c.to_digit(16)? as u8);
    }
    let pairs: Vec<u8> = match digits.len() {
        3 | 4 => digits.iter().map(|digit| digit * 17).collect(),
        6 | 8 => digits.chunks(2).map(|pair| pair[0] * 16 + pair[1]).collect(),
        _ => return None,
    };
    let alpha = pairs.get(3).copied().unwrap_or(255);
    ends_word(rest[end..].chars().next()).then_some(([pairs[0], pairs[1], pairs[2], alpha], end + 7))
}
