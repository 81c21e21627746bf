//! What topics say, kept for a moment to see what a binding would make of it.

use super::guess::{about, guess, toml, usual_text};
use super::report::{Report, readable};
use super::{Binding, Memory, Path, Template, TopicFilter, Verdict, shown};
use crate::base::limits::{TRY_BYTES_MAX, TRY_MESSAGES_MAX, TRY_PAYLOAD_CHARS_MAX};
use crate::doors::trial::{Order, Tried, TriedMessage};
use tokio::time::Instant;

/// What was heard so far.
#[derive(Debug)]
pub struct Trial {
    filter: TopicFilter,
    value: Option<Path>,
    text: Option<Template>,
    room: String,
    heard: Vec<Heard>,
    bytes: usize,
    more: bool,
}

#[derive(Debug)]
struct Heard {
    topic: String,
    payload: Vec<u8>,
    retained: bool,
    at: Instant,
}

impl Trial {
    /// Reads what is asked for; the error says how to write it.
    pub fn of(order: &Order) -> Result<Trial, String> {
        let wrong = |what: &str, want: &str| format!("{what} is {want}");
        let filter = TopicFilter::parse(&order.filter).map_err(|want| wrong("the filter", want))?;
        let value = order.value.as_deref().map(Path::parse).transpose();
        let text = order.text.as_deref().map(Template::parse).transpose();
        Ok(Trial {
            filter,
            value: value.map_err(|want| wrong("the value", want))?,
            text: text.map_err(|error| format!("the text is wrong {error}"))?,
            room: order.room.clone(),
            heard: Vec::new(),
            bytes: 0,
            more: false,
        })
    }

    /// What to listen for.
    pub fn filter(&self) -> &TopicFilter {
        &self.filter
    }

    /// Keeps a publication; whether there is room for more.
    pub fn hear(&mut self, topic: &str, payload: &[u8], retained: bool) -> bool {
        let payload = shown(payload).into_owned();
        self.bytes += payload.len() + topic.len();
        if self.heard.len() >= TRY_MESSAGES_MAX || self.bytes > TRY_BYTES_MAX {
            self.more = true;
            return false;
        }
        self.heard.push(Heard { topic: topic.to_owned(), payload, retained, at: Instant::now() });
        true
    }

    /// What became of it.
    pub fn finish(self) -> Tried {
        let binding = self.binding();
        let mut memory = Memory::default();
        let messages = self.heard.iter().map(|heard| tried(&binding, &mut memory, heard)).collect();
        Tried { messages, more: self.more, keys: toml(&binding, &self.room) }
    }

    /// As it was asked for, or as the first that says something lets guess.
    fn binding(&self) -> Binding {
        let first = self.heard.iter().find(|heard| !heard.payload.is_empty());
        let guessed = match (&self.value, first) {
            (Some(path), _) => {
                let is_number = self.heard.iter().any(|heard| is_number(heard, path));
                about(&self.filter, Some(path.clone()), is_number, "")
            }
            (None, Some(first)) if self.text.is_none() => guess(&self.filter, &first.topic, &first.payload),
            _ => {
                Binding::of(self.filter.clone(), Template::parse(usual_text(false, "")).expect("a template"))
            }
        };
        match &self.text {
            Some(text) => Binding { text: text.clone(), ..guessed },
            None => guessed,
        }
    }
}

fn is_number(heard: &Heard, path: &Path) -> bool {
    let report = Report::of(&heard.topic, &heard.payload, true);
    report.at(path).is_some_and(|value| value.parse::<f64>().is_ok())
}

fn tried(binding: &Binding, memory: &mut Memory, heard: &Heard) -> TriedMessage {
    let Heard { topic, payload, retained, at } = heard;
    let (text, why) = match memory.judge((0, binding), (topic, payload), *at, None) {
        Verdict::Said(word) => {
            memory.said(&word, *at);
            (Some(word.text), None)
        }
        Verdict::Withheld(why) => {
            let report = binding.report(topic, payload);
            (report.value.is_some().then(|| binding.text.render(&report)), Some(why.words().to_owned()))
        }
    };
    let shown = readable(payload);
    let mut cut: String = shown.chars().take(TRY_PAYLOAD_CHARS_MAX).collect();
    if cut.len() < shown.len() {
        cut.push_str("...");
    }
    TriedMessage { topic: topic.clone(), payload: cut, retained: *retained, text, withheld: why }
}
