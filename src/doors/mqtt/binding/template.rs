//! How a binding turns one MQTT message into the text of a chat message.
//!
//! | field | becomes |
//! |---|---|
//! | `{topic}` | the whole topic |
//! | `{topic.1}` | one level of it, counted from 0 |
//! | `{payload}` | the payload; `(12 bytes, not text)` when it is not text, `(empty)` when there is nothing |
//! | `{json.DS18B20.Temperature}` | a value inside a JSON payload; a number as key picks from a list |
//! | `{value}` | what the binding's `value` leads to; without one, the whole payload |
//! | `{unit}` | the binding's `unit` |
//! | `{device}` | the part of the topic that the filter's first `+` or `#` stands for; the topic where it has none |
//! | `{{` and `}}` | the braces themselves |
//!
//! A value that is not there renders as `?`, so a report without a sensor still arrives and shows what was missing.
//! Rendering cannot fail and its text is never longer than a message may be: a broker repeats what was not
//! acknowledged, so a payload that could not be rendered would come back for ever.

use super::report::{MISSING, Path, Report, is_unprintable, readable};
use crate::base::limits::{TEMPLATE_CHARS_MAX, TEMPLATE_PARTS_MAX, TEMPLATE_PATH_KEYS_MAX, TEXT_CHARS_MAX};
use crate::base::near::nearest;
use std::fmt;

/// A template that was checked when the settings were read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Template {
    source: String,
    parts: Vec<Part>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    Text(String),
    Topic,
    TopicLevel(usize),
    Payload,
    Value,
    Unit,
    Device,
    Json(Path),
}

/// Why a template is refused, and at which character, counted from 1.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TemplateError {
    /// Character of the template, from 1.
    pub at: usize,
    what: Wrong,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Wrong {
    Empty,
    TooLong,
    TooManyParts,
    NeverClosed,
    StrayClose,
    UnknownField(String),
    NotALevel(String),
    EmptyKey(String),
    PathTooDeep,
}

impl Template {
    /// Checks a template as written in the settings.
    pub fn parse(source: &str) -> Result<Template, TemplateError> {
        if source.trim().is_empty() {
            return Err(TemplateError { at: 1, what: Wrong::Empty });
        }
        if source.chars().count() > TEMPLATE_CHARS_MAX {
            return Err(TemplateError { at: TEMPLATE_CHARS_MAX, what: Wrong::TooLong });
        }
        let parts = parse_parts(source)?;
        Ok(Template { source: source.to_owned(), parts })
    }

    /// The template as it was written.
    pub fn source(&self) -> &str {
        &self.source
    }

    /// The message for one publication; at most [`TEXT_CHARS_MAX`] characters, none of them a control character
    /// except line breaks and tabs.
    pub fn render(&self, report: &Report<'_>) -> String {
        let mut text = Bounded::default();
        for part in &self.parts {
            match part {
                Part::Text(literal) => text.push(literal),
                Part::Topic => text.push(report.topic),
                Part::TopicLevel(level) => text.push(report.topic.split('/').nth(*level).unwrap_or(MISSING)),
                Part::Payload => text.push(&readable(report.payload)),
                Part::Value => text.push(report.value.as_deref().unwrap_or(MISSING)),
                Part::Unit => text.push(report.unit),
                Part::Device => text.push(report.device),
                Part::Json(path) => text.push(report.at(path).as_deref().unwrap_or(MISSING)),
            }
        }
        text.finish()
    }

    /// Whether it looks inside a payload that is JSON.
    pub fn looks_inside(&self) -> bool {
        self.parts.iter().any(|part| matches!(part, Part::Json(_)))
    }
}

fn parse_parts(source: &str) -> Result<Vec<Part>, TemplateError> {
    let mut parts = Vec::new();
    let mut literal = String::new();
    let mut letters = source.chars().enumerate().peekable();
    while let Some((index, letter)) = letters.next() {
        let at = index + 1;
        match letter {
            '{' | '}' if letters.next_if(|(_, next)| *next == letter).is_some() => literal.push(letter),
            '}' => return Err(TemplateError { at, what: Wrong::StrayClose }),
            '{' => {
                let mut field = String::new();
                loop {
                    match letters.next() {
                        Some((_, '}')) => break,
                        Some((_, '{')) | None => return Err(TemplateError { at, what: Wrong::NeverClosed }),
                        Some((_, letter)) => field.push(letter),
                    }
                }
                if !literal.is_empty() {
                    parts.push(Part::Text(std::mem::take(&mut literal)));
                }
                parts.push(parse_field(&field).map_err(|what| TemplateError { at, what })?);
            }
            _ => literal.push(letter),
        }
        if parts.len() >= TEMPLATE_PARTS_MAX {
            return Err(TemplateError { at, what: Wrong::TooManyParts });
        }
    }
    if !literal.is_empty() {
        parts.push(Part::Text(literal));
    }
    Ok(parts)
}

fn parse_field(field: &str) -> Result<Part, Wrong> {
    match field.split_once('.') {
        None if field == "topic" => Ok(Part::Topic),
        None if field == "payload" => Ok(Part::Payload),
        None if field == "value" => Ok(Part::Value),
        None if field == "unit" => Ok(Part::Unit),
        None if field == "device" => Ok(Part::Device),
        Some(("topic", level)) if !level.is_empty() && level.bytes().all(|b| b.is_ascii_digit()) => {
            level.parse().map(Part::TopicLevel).map_err(|_| Wrong::NotALevel(field.to_owned()))
        }
        Some(("topic", _)) => Err(Wrong::NotALevel(field.to_owned())),
        Some(("json", _)) if field.split('.').count() > TEMPLATE_PATH_KEYS_MAX + 1 => Err(Wrong::PathTooDeep),
        Some(("json", path)) => {
            Path::parse(path).map(Part::Json).map_err(|_| Wrong::EmptyKey(field.to_owned()))
        }
        None if field == "json" => Err(Wrong::EmptyKey(field.to_owned())),
        _ => Err(Wrong::UnknownField(field.to_owned())),
    }
}

/// Text that stops growing at the length of a message and then says how much is not shown.
#[derive(Default)]
struct Bounded {
    text: String,
    letters: usize,
    dropped: usize,
}

/// Kept free for "... (123456789 more characters)".
const TAIL_CHARS: usize = 40;

impl Bounded {
    fn push(&mut self, text: &str) {
        for letter in text.chars() {
            if self.letters >= TEXT_CHARS_MAX {
                self.dropped += 1;
                continue;
            }
            self.text.push(if is_unprintable(letter) { char::REPLACEMENT_CHARACTER } else { letter });
            self.letters += 1;
        }
    }

    fn finish(mut self) -> String {
        if self.dropped > 0 {
            let kept = TEXT_CHARS_MAX - TAIL_CHARS;
            let end = self.text.char_indices().nth(kept).map_or(self.text.len(), |(index, _)| index);
            self.text.truncate(end);
            let more = self.dropped + TAIL_CHARS;
            self.text.push_str(&format!("... ({more} more characters)"));
        }
        self.text
    }
}

impl fmt::Display for TemplateError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        const FIELDS: &str =
            "fields are {topic}, {topic.1}, {payload}, {value}, {unit}, {device} and {json.key.key}";
        write!(out, "at character {}: ", self.at)?;
        match &self.what {
            Wrong::Empty => write!(out, "nothing to say: write a text with fields; {FIELDS}"),
            Wrong::TooLong => write!(out, "too long: at most {TEMPLATE_CHARS_MAX} characters"),
            Wrong::TooManyParts => write!(out, "too many fields: at most {} fit", TEMPLATE_PARTS_MAX / 2),
            Wrong::NeverClosed => {
                write!(out, "'{{' has no '}}': close the field, or write '{{{{' for a brace itself")
            }
            Wrong::StrayClose => write!(out, "'}}' closes nothing: write '}}}}' for a brace itself"),
            Wrong::UnknownField(field) => {
                match nearest(field, ["topic", "payload", "json", "value", "unit", "device"]) {
                    Some(meant) => {
                        write!(out, "'{{{field}}}' is unknown, did you mean '{{{meant}}}'? {FIELDS}")
                    }
                    None => write!(out, "'{{{field}}}' is unknown; {FIELDS}"),
                }
            }
            Wrong::NotALevel(field) => {
                write!(out, "'{{{field}}}' needs the number of a level, counted from 0, such as {{topic.1}}")
            }
            Wrong::EmptyKey(field) => {
                write!(out, "'{{{field}}}' needs a key after each dot, such as {{json.DS18B20.Temperature}}")
            }
            Wrong::PathTooDeep => write!(out, "too many keys: at most {TEMPLATE_PATH_KEYS_MAX} in one field"),
        }
    }
}

impl std::error::Error for TemplateError {}

#[cfg(test)]
mod tests;
