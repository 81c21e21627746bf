//! What a damaged journal has lost, as far as what lies around the damage can tell.

use crate::base::id::Seq;
use crate::base::limits::JOURNAL_DAMAGE_LISTED_MAX;
use crate::base::time::WallMs;
use crate::chat::change::Change;
use crate::store::journal::Damage;
use register::Gone;
use std::fmt;

pub mod register;

/// A Change beside a damaged stretch.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Beside {
    /// Its place in the order.
    pub seq: Seq,
    /// When it happened.
    pub at: WallMs,
}

/// A damaged stretch and what lies around it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Lost {
    /// The stretch.
    pub damage: Damage,
    /// The last Change that can be read before it; none at the beginning.
    pub before: Option<Beside>,
    /// The first that can be read after it; none at the end.
    pub after: Option<Beside>,
}

impl Lost {
    /// The first and the last number that may have lain there; the last of all where nothing follows that tells.
    pub fn numbers(&self) -> (u64, u64) {
        let first = self.before.map_or(0, |before| before.seq.0);
        (first + 1, self.after.map_or(u64::MAX, |after| after.seq.0.saturating_sub(1)))
    }

    /// What is lost there, as it is remembered; `None` where nothing follows that tells.
    pub fn gone(&self) -> Option<Gone> {
        let (first, last) = self.numbers();
        let [from, until] = [self.before, self.after].map(|beside| beside.map(|beside| beside.at));
        Some(Gone { first, last, count: self.changes()?, from, until, ..Gone::default() })
    }

    /// How many Changes lay there; `None` where nothing follows that tells.
    pub fn changes(&self) -> Option<u64> {
        let first = self.before.map_or(0, |before| before.seq.0);
        self.after.map(|after| (after.seq.0 - 1).saturating_sub(first))
    }
}

impl fmt::Display for Lost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.damage)?;
        let first = self.before.map_or(Seq(1), |before| before.seq.next());
        match (self.changes(), self.after) {
            (Some(0), _) => f.write_str(", where no Change was"),
            (Some(1), _) => write!(f, ": Change {first} is lost"),
            (Some(count), Some(after)) => {
                write!(f, ": {count} Changes are lost, {first} to {}", after.seq.0 - 1)
            }
            _ => write!(f, ": what was said from Change {first} on is lost"),
        }
    }
}

/// Gathers it while a journal is read from front to back.
#[derive(Default, Debug)]
pub struct Losses {
    list: Vec<Lost>,
    count: u64,
    newest: Option<Beside>,
    /// Where the stretches begin after which nothing was read yet.
    open: usize,
}

impl Losses {
    /// Of a journal that is read behind this number.
    pub fn behind(seq: Seq) -> Losses {
        let newest = (seq.0 > 0).then_some(Beside { seq, at: 0 });
        Losses { newest, ..Losses::default() }
    }

    /// A Change that can be read.
    pub fn read(&mut self, change: &Change) {
        let beside = Beside { seq: change.seq, at: change.origin.moment.wall_ms };
        for lost in &mut self.list[self.open..] {
            lost.after = Some(beside);
        }
        self.open = self.list.len();
        self.newest = Some(beside);
    }

    /// A stretch that cannot.
    pub fn damaged(&mut self, damage: Damage) {
        self.count += 1;
        if self.list.len() < JOURNAL_DAMAGE_LISTED_MAX {
            self.list.push(Lost { damage, before: self.newest, after: None });
        }
    }

    /// How many stretches there are.
    pub fn count(&self) -> u64 {
        self.count
    }

    /// The first of them.
    pub fn list(&self) -> &[Lost] {
        &self.list
    }
}
