//! Bindings: what is published under a topic filter becomes messages of a room. The same rule serves the node's own broker
//! (`[[bind]]`) and bridges (`[[bridge]]`).
//!
//! A binding says *events*, not telemetry: what is too little of a change, too soon or out of bounds is withheld, and costs
//! no disk. What it compares with is in memory only, so the first value of each topic after a start is said.

mod filter;
pub mod guess;
mod memory;
mod report;
mod template;
mod trial;

pub use filter::TopicFilter;
pub use memory::{Key, Memory, Verdict, Word};
pub use report::{Path, Report};
pub use template::Template;
pub use trial::Trial;

use crate::base::limits::BRIDGE_PAYLOAD_BYTES_MAX;
use crate::chat::name::Name;
use report::readable;
use std::borrow::Cow;
use std::time::Duration;

/// What to hear, how it reads, and what of it is worth a message.
#[derive(Debug, Clone, PartialEq)]
pub struct Binding {
    /// What to hear.
    pub topic: TopicFilter,
    /// How it reads.
    pub text: Template,
    /// Where the value is in a payload that is JSON; without it the payload is the value.
    pub value: Option<Path>,
    /// What the value is counted in; may be empty.
    pub unit: String,
    /// By how much a value has to differ from the one that was said last.
    pub deadband: Option<Deadband>,
    /// At most one message of each topic in this time.
    pub every: Option<Duration>,
    /// Only what differs from what was said last.
    pub on_change: bool,
    /// Only values above this.
    pub above: Option<f64>,
    /// Only values below this.
    pub below: Option<f64>,
}

/// How much of a difference is one.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Deadband {
    /// In the value's own unit.
    By(f64),
    /// In percent of what was said last.
    Percent(f64),
}

/// A `[[bind]]` of the settings: a binding at the node's own broker.
#[derive(Debug, Clone, PartialEq)]
pub struct BindRule {
    /// The bot that speaks for devices without a name of their own.
    pub name: String,
    /// The room, by name; made when it is missing at the start.
    pub room: Name,
    /// What is said there.
    pub binding: Binding,
}

/// Why a publication is no message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Why {
    /// The payload has nothing where the value should be.
    NoValue,
    /// The value is no number, and has to be one.
    NoNumber,
    /// Not above or below what was asked for.
    OutOfBounds,
    /// Too little of a difference to what was said last.
    Unchanged,
    /// Too soon after what was said last.
    TooSoon,
}

impl Why {
    /// For people.
    pub fn words(self) -> &'static str {
        match self {
            Why::NoValue => "no such value in the payload",
            Why::NoNumber => "the value is no number",
            Why::OutOfBounds => "not above or below the bound",
            Why::Unchanged => "no change, or too small a one",
            Why::TooSoon => "too soon after the last message",
        }
    }
}

impl Binding {
    /// A binding that says everything.
    pub fn of(topic: TopicFilter, text: Template) -> Self {
        let (unit, on_change) = (String::new(), false);
        Binding {
            topic,
            text,
            value: None,
            unit,
            deadband: None,
            every: None,
            on_change,
            above: None,
            below: None,
        }
    }

    /// The publication as this binding looks at it.
    pub fn report<'a>(&'a self, topic: &'a str, payload: &'a [u8]) -> Report<'a> {
        let looks_inside = self.value.is_some() || self.text.looks_inside();
        let mut report = Report::of(topic, payload, looks_inside);
        report.unit = &self.unit;
        report.device = self.topic.device(topic);
        report.value = match &self.value {
            Some(path) => report.at(path).map(|found| Cow::Owned(found.into_owned())),
            None => Some(match readable(payload) {
                Cow::Borrowed(text) => Cow::Borrowed(text.trim()),
                hint => hint,
            }),
        };
        report
    }

    /// Whether it needs to know what was said before.
    fn remembers(&self) -> bool {
        self.on_change || self.deadband.is_some() || self.every.is_some()
    }

    /// Whether only numbers are said.
    fn counts(&self) -> bool {
        self.deadband.is_some() || self.above.is_some() || self.below.is_some()
    }
}

impl Deadband {
    /// Whether a value differs enough from the one before.
    fn lets(self, said: f64, value: f64) -> bool {
        let (wanted, differs) = match self {
            Deadband::By(by) => (by, (value - said).abs()),
            Deadband::Percent(percent) => ((said * percent / 100.0).abs(), (value - said).abs()),
        };
        // 21.9 is 0.5 more than 21.4, whatever binary fractions make of it.
        let slack = f64::EPSILON * 4.0 * (said.abs() + value.abs());
        differs > 0.0 && differs + slack >= wanted
    }
}

/// The payload, or a hint of what it was when nobody would read it: a picture, a firmware, a whole device list.
pub fn shown(payload: &[u8]) -> Cow<'_, [u8]> {
    if payload.len() <= BRIDGE_PAYLOAD_BYTES_MAX {
        return Cow::Borrowed(payload);
    }
    Cow::Owned(format!("({} bytes, too large to show)", payload.len()).into_bytes())
}

/// A time such as `90s`, `10m`, `2h` or `1d`, at most a year.
pub fn span(text: &str) -> Option<Duration> {
    const UNITS: [(char, u64); 4] = [('s', 1), ('m', 60), ('h', 3_600), ('d', 86_400)];
    let (unit, seconds) = UNITS.into_iter().find(|(unit, _)| text.ends_with(*unit))?;
    let digits = text.strip_suffix(unit)?;
    let plain = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    let seconds = digits.parse::<u64>().ok().filter(|_| plain)?.checked_mul(seconds)?;
    (1..=366 * 86_400).contains(&seconds).then(|| Duration::from_secs(seconds))
}

#[cfg(test)]
mod tests;
