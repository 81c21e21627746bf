//! What was asked of the node and what it acknowledged, kept outside its process; and what may therefore be found after
//! the power was gone: acknowledged is there, unacknowledged is there or not, nothing is half there and nothing else is.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Something whose state the witness follows.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Thing {
    /// A message of a poster, counted by it.
    Message { room: &'static str, poster: u32, number: u64 },
    /// The topic of a room.
    Topic { room: &'static str },
    /// Whether bob is in a room.
    Bob { room: &'static str },
}

impl fmt::Display for Thing {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Thing::Message { room, poster, number } => write!(out, "{} in #{room}", token(*poster, *number)),
            Thing::Topic { room } => write!(out, "the topic of #{room}"),
            Thing::Bob { room } => write!(out, "bob in #{room}"),
        }
    }
}

/// The word that begins the text of a message and names it.
pub fn token(poster: u32, number: u64) -> String {
    format!("p{poster}n{number}")
}

/// Reads a token.
pub fn token_of(text: &str) -> Option<(u32, u64)> {
    let (poster, number) = text.split_whitespace().next()?.strip_prefix('p')?.split_once('n')?;
    Some((poster.parse().ok()?, number.parse().ok()?))
}

/// One thing that was asked for.
#[derive(Debug, Clone)]
struct Step {
    /// The state it leads to; `None` is not there.
    value: Option<String>,
    /// When it was asked for and when that was acknowledged, by the witness's clock.
    sent: u64,
    acked: Option<u64>,
}

/// Where an attempt stands in the witness's book.
#[derive(Debug, Clone)]
pub struct Ticket {
    thing: Thing,
    step: usize,
}

/// Says of something that was in these states that what is known of it was damaged on purpose.
pub type Excuse<'a> = &'a dyn Fn(&[Option<&str>]) -> bool;

type Clock = Box<dyn Fn() -> u64 + Send + Sync>;

/// The witness.
pub struct Witness {
    book: Mutex<BTreeMap<Thing, Vec<Step>>>,
    clock: Mutex<Clock>,
}

/// What the node shows.
#[derive(Debug, Default)]
pub struct Seen {
    /// The messages of each room in their order.
    pub rooms: BTreeMap<&'static str, Vec<String>>,
    /// Topics and members.
    pub states: BTreeMap<Thing, String>,
}

/// What is wrong with what the node shows.
#[derive(Debug, Default)]
pub struct Verdict {
    /// Acknowledged and not there, or not as it was acknowledged.
    pub lost: Vec<String>,
    /// There more than once, out of order, or never asked for.
    pub doubled: Vec<String>,
    /// What would be lost and has an excuse.
    pub excused: u64,
    /// Acknowledged things that were looked for.
    pub held: u64,
}

impl Verdict {
    /// Whether all is well.
    pub fn is_good(&self) -> bool {
        self.lost.is_empty() && self.doubled.is_empty()
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        const SHOWN: usize = 3;
        let (lost, doubled) = (self.lost.len(), self.doubled.len());
        write!(out, "{} acknowledged, {lost} lost, {doubled} doubled", self.held)?;
        self.lost
            .iter()
            .take(SHOWN)
            .chain(self.doubled.iter().take(SHOWN))
            .try_for_each(|one| write!(out, "; {one}"))
    }
}

impl Witness {
    /// A witness whose clock counts what happens.
    pub fn new() -> Witness {
        let count = AtomicU64::new(1);
        let clock = move || count.fetch_add(1, Ordering::Relaxed);
        Witness { book: Mutex::default(), clock: Mutex::new(Box::new(clock)) }
    }

    /// From now on times are by this clock.
    pub fn set_clock(&self, clock: impl Fn() -> u64 + Send + Sync + 'static) {
        *self.clock.lock().unwrap_or_else(PoisonError::into_inner) = Box::new(clock);
    }

    fn book(&self) -> MutexGuard<'_, BTreeMap<Thing, Vec<Step>>> {
        self.book.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What the clock shows.
    pub fn now(&self) -> u64 {
        self.clock.lock().unwrap_or_else(PoisonError::into_inner)()
    }

    /// Something is about to be asked for.
    pub fn attempt(&self, thing: Thing, value: Option<String>) -> Ticket {
        let sent = self.now();
        let mut book = self.book();
        let steps = book.entry(thing.clone()).or_default();
        steps.push(Step { value, sent, acked: None });
        Ticket { step: steps.len() - 1, thing }
    }

    /// It was acknowledged.
    pub fn acknowledged(&self, ticket: &Ticket) {
        let now = self.now();
        let mut book = self.book();
        if let Some(step) = book.get_mut(&ticket.thing).and_then(|steps| steps.get_mut(ticket.step)) {
            step.acked.get_or_insert(now);
        }
    }

    /// The last attempt on this was acknowledged, if there was one.
    pub fn acknowledged_last(&self, thing: &Thing) {
        let step = self.book().get(thing).map(Vec::len);
        if let Some(step) = step.and_then(|len| len.checked_sub(1)) {
            self.acknowledged(&Ticket { thing: thing.clone(), step });
        }
    }

    /// The state that was asked for last.
    pub fn last(&self, thing: &Thing) -> Option<String> {
        self.book().get(thing)?.last()?.value.clone()
    }

    /// Messages that are there by what was acknowledged, whose poster is this.
    pub fn messages_of(&self, wanted: u32) -> Vec<(Thing, bool)> {
        let book = self.book();
        let of = book
            .iter()
            .filter(|(thing, _)| matches!(thing, Thing::Message { poster, .. } if *poster == wanted));
        of.map(|(thing, steps)| (thing.clone(), steps.iter().any(|step| step.acked.is_some()))).collect()
    }

    /// The words of every message that was acknowledged, and when.
    pub fn acknowledged_messages(&self) -> Vec<(String, u64)> {
        let book = self.book();
        let messages = book.iter().filter(|(thing, _)| matches!(thing, Thing::Message { .. }));
        let steps = messages.flat_map(|(_, steps)| steps);
        steps.filter_map(|step| Some((step.value.clone()?, step.acked?))).collect()
    }

    /// Judges what a node shows that lost its power at this time.
    pub fn judge(&self, seen: &Seen, at: u64, excused: Excuse<'_>) -> Verdict {
        let mut verdict = Verdict::default();
        let book = self.book();
        let found = found(seen, &mut verdict);
        for (thing, steps) in &*book {
            let possible: Vec<&Step> = steps.iter().filter(|step| step.sent <= at).collect();
            let certain = possible.iter().rposition(|step| step.acked.is_some_and(|acked| acked <= at));
            let shown = found.get(thing).copied();
            verdict.held += u64::from(certain.is_some());
            let initial = certain.is_none() && shown.is_none();
            let allowed =
                possible.iter().skip(certain.unwrap_or(0)).any(|step| step.value.as_deref() == shown);
            if initial || allowed {
                continue;
            }
            let states: Vec<Option<&str>> = possible.iter().map(|step| step.value.as_deref()).collect();
            if excused(&states) {
                verdict.excused += 1;
            } else {
                let wanted = certain.and_then(|certain| possible[certain].value.as_deref());
                verdict.lost.push(format!("{thing} is {}, not {}", short(shown), short(wanted)));
            }
        }
        for thing in found.keys().filter(|thing| !book.contains_key(thing)) {
            verdict.doubled.push(format!("{thing} was never asked for"));
        }
        verdict
    }

    /// What the node shows now it has said, so it holds from now on; except of this poster, whose broker sends again what
    /// is not there yet.
    pub fn learn(&self, seen: &Seen, redelivered: u32) {
        let found = found(seen, &mut Verdict::default());
        for (thing, steps) in &mut *self.book() {
            let comes_again = matches!(thing, Thing::Message { poster, .. } if *poster == redelivered);
            let value = found.get(thing).map(|value| (*value).to_owned());
            if !(comes_again && value.is_none()) {
                // Tickets count steps: what is known now is a further one.
                steps.push(Step { value, sent: 0, acked: Some(0) });
            }
        }
    }
}

/// What is shown of each thing; notes what is there twice or out of order.
fn found<'a>(seen: &'a Seen, verdict: &mut Verdict) -> BTreeMap<Thing, &'a str> {
    let mut found: BTreeMap<Thing, &str> =
        seen.states.iter().map(|(thing, value)| (thing.clone(), value.as_str())).collect();
    for (room, texts) in &seen.rooms {
        let mut newest: BTreeMap<u32, u64> = BTreeMap::new();
        for text in texts {
            let Some((poster, number)) = token_of(text) else {
                verdict.doubled.push(format!("{} in #{room} was never said", short(Some(text))));
                continue;
            };
            let thing = Thing::Message { room, poster, number };
            if found.insert(thing.clone(), text).is_some() {
                verdict.doubled.push(format!("{thing} is there twice"));
            } else if newest.insert(poster, number).is_some_and(|newest| newest > number) {
                verdict.doubled.push(format!("{thing} is out of order"));
            }
        }
    }
    found
}

fn short(text: Option<&str>) -> String {
    match text {
        None => "absent".into(),
        Some(text) => format!("{:?} ({} bytes)", text.chars().take(24).collect::<String>(), text.len()),
    }
}
