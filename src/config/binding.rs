//! The keys that a `[[bind]]` and a `[[bridge]]` have in common, and the `[[bind]]` blocks.

use super::block::Block;
use super::bridge::{NAME, is_name};
use super::file::Entry;
use super::origin::{Origin, Row};
use super::problem::Problem;
use super::settings::{Given, quoted};
use crate::base::limits::{BIND_UNIT_CHARS_MAX, BINDS_MAX};
use crate::chat::topic::Filter;
use crate::doors::mqtt::binding::guess::usual_text;
use crate::doors::mqtt::binding::{BindRule, Binding, Deadband, Path, Template, TopicFilter, span};
use crate::doors::mqtt::bridge::rule::BridgeRule;
use std::time::Duration;

/// Keys of a `[[bind]]`, in the order they are shown.
pub(super) const KEYS: [&str; 11] =
    ["name", "topic", "room", "text", "value", "unit", "deadband", "every", "on", "above", "below"];
/// Those that say what of a topic is said, and how.
pub(super) const KEYS_OF_VALUES: [&str; 8] =
    ["text", "value", "unit", "deadband", "every", "on", "above", "below"];
/// What `text` was called first; a bridge may still write it.
pub(super) const FORMER_TEMPLATE: &str = "template";

/// The bot of bindings that name none.
const BOT: &str = "mqtt";

const TOPIC: &str = "a topic filter such as tele/+/SENSOR";
const OWN_TOPICS: &str =
    "the topics of devices: what is said in rooms (linnet/room/...) and $SYS is not for bindings";
const DEADBAND: &str = "how much a value has to differ, such as 0.5 or \"5%\"";
const EVERY: &str = "a time such as \"90s\", \"10m\" or \"2h\"";
const BOUND: &str = "a number such as 30 or -12.5";
const UNIT: &str = "at most 16 characters such as \"°C\"";

/// The rules and rows of all `[[bind]]` blocks so far.
#[derive(Default)]
pub(super) struct Binds {
    pub rows: Vec<Row>,
    starts: Vec<Origin>,
}

impl Binds {
    /// Reads one block; its rule goes behind the others, or its problems.
    pub fn read(
        &mut self,
        rules: &mut Vec<BindRule>,
        (entries, start): (&[Entry], &Origin),
        problems: &mut Vec<Problem>,
    ) {
        let before = problems.len();
        let mut block = Block::of("bind", entries, start, problems);
        block.refuse_unknown(&[&KEYS]);
        let rule = block.bind_rule();
        let mut rows = block.rows;
        if rules.len() >= BINDS_MAX {
            problems.push(Problem::at(start, format!("more than {BINDS_MAX} of [[bind]]")));
        }
        let Some(rule) = rule.filter(|_| problems.len() == before) else { return };
        for row in &mut rows {
            row.key = format!("bind.{}.{}", rules.len() + 1, row.key);
        }
        self.rows.extend(rows);
        self.starts.push(start.clone());
        rules.push(rule);
    }

    /// What only all blocks together tell: a bridge does not pass on what its own bot says.
    pub fn check(&self, rules: &[BindRule], bridges: &[BridgeRule], problems: &mut Vec<Problem>) {
        for (rule, start) in rules.iter().zip(&self.starts) {
            if bridges.iter().any(|bridge| bridge.name == rule.name) {
                let what = format!(
                    "'{}' is also the name of a bridge: give this [[bind]] another 'name'",
                    rule.name
                );
                problems.push(Problem::at(start, what));
            }
        }
    }
}

impl Block<'_> {
    fn bind_rule(&mut self) -> Option<BindRule> {
        let name = match self.entry("name") {
            Some(_) => self.optional("name", NAME, |text| is_name(text).then(|| text.to_owned()).ok_or(NAME)),
            None => {
                self.row("name", quoted(BOT), Origin::Default);
                Some(BOT.to_owned())
            }
        };
        let room = self.room();
        let binding = self.needed("topic", TOPIC, own_filter).and_then(|topic| self.binding(topic, None));
        Some(BindRule { name: name?, room: room?, binding: binding? })
    }

    /// What of a topic is said, and how; `usual` is how it reads unless that is written.
    pub(super) fn binding(&mut self, topic: TopicFilter, usual: Option<&str>) -> Option<Binding> {
        let before = self.problems.len();
        let value = self.optional("value", "a path into JSON", Path::parse);
        let unit = self.optional("unit", UNIT, |text| {
            let fits = text.chars().count() <= BIND_UNIT_CHARS_MAX && !text.chars().any(char::is_control);
            fits.then(|| text.to_owned()).ok_or(UNIT)
        });
        let deadband = self.if_written("deadband", DEADBAND, deadband);
        let every: Option<Duration> = self.optional("every", EVERY, |text| span(text).ok_or(EVERY));
        let on = self.if_written("on", "\"change\"", |given| {
            matches!(given, Given::Text(word) if word == "change").then_some(())
        });
        let above = self.if_written("above", BOUND, number);
        let below = self.if_written("below", BOUND, number);
        let counts = value.is_some() || deadband.is_some() || above.is_some() || below.is_some();
        let unit = unit.unwrap_or_default();
        let usual = usual.unwrap_or_else(|| usual_text(counts || !unit.is_empty(), &unit));
        let is_former = self.kind == "bridge" && self.entry(FORMER_TEMPLATE).is_some();
        if let (true, Some(entry)) = (is_former, self.entry("text")) {
            let what = "bridge has text and template, which are the same: keep text";
            self.problems.push(Problem::at(&entry.origin, what));
        }
        let key = if is_former { FORMER_TEMPLATE } else { "text" };
        let text = self.said(key, usual, |text| Template::parse(text).map_err(|error| error.to_string()));
        let on_change = on.is_some();
        let binding = Binding { topic, text: text?, value, unit, deadband, every, on_change, above, below };
        (self.problems.len() == before).then_some(binding)
    }

    /// A value that need not be written.
    fn if_written<T>(
        &mut self,
        key: &'static str,
        expected: &str,
        choose: impl Fn(&Given) -> Option<T>,
    ) -> Option<T> {
        self.entry(key)?;
        self.chosen(key, Given::Number(0), expected, choose)
    }
}

fn own_filter(text: &str) -> Result<TopicFilter, &'static str> {
    let filter = TopicFilter::parse(text)?;
    let is_ours = text.starts_with('$') || text.starts_with("linnet/room/");
    if is_ours {
        return Err(OWN_TOPICS);
    }
    Filter::parse(text).map(|_| filter).map_err(|_| TOPIC)
}

fn number(given: &Given) -> Option<f64> {
    match given {
        Given::Number(number) => Some(*number as f64),
        Given::Float(number) => Some(*number).filter(|number| number.is_finite()),
        _ => None,
    }
}

fn deadband(given: &Given) -> Option<Deadband> {
    let positive = |number: &f64| *number > 0.0 && number.is_finite();
    match given {
        Given::Text(text) => {
            let percent = text.strip_suffix('%')?.trim_end().parse().ok();
            percent.filter(positive).map(Deadband::Percent)
        }
        given => number(given).filter(positive).map(Deadband::By),
    }
}
