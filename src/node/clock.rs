//! What time the node believes it is, and how far. The machine's wall clock may start in 1970, leap by years or be
//! set by hand; the node's own time goes on by the monotonic clock until somebody who can be believed says better.
//!
//! * A start believes a machine that keeps its time, unless that time is before the newest in the store or more than
//!   a year after it. Otherwise time goes on from the newest in the store: too early, but never backwards, and no
//!   session ends of it.
//! * While the clock is believed, its steps of up to a day are followed. A larger one only a time server makes true,
//!   or a person.
//! * A time in the store that lies ahead of what a time server or a person says was wrong: from then on it keeps no start
//!   from believing its machine. What was said by it stays where it was, for times in a room never run backwards: there
//!   the next messages show that same time, none later, until the world has caught up; elsewhere the true one.
//! * A clock that is not believed becomes so by a time server or a person. Only the writer turns it then, for that is
//!   a Change: see `turning.rs`.

use crate::base::id::{RoomId, Seq, UserId};
use crate::base::limits::{
    CLOCK_AHEAD_MAX_MS, CLOCK_DATED_MAX, CLOCK_LOOK_MS, CLOCK_SANE_FROM_MS, CLOCK_SANE_UNTIL_MS,
    CLOCK_SLACK_MS, CLOCK_STEP_MAX_MS, CLOCK_TURNS_MAX, INVITATIONS_MAX,
};
use crate::base::time::{Moment, WallMs};
use crate::base::world::{Keeper, World};
use crate::chat::change::What;
use crate::chat::refusal::Refusal;
use crate::chat::token::TokenHash;
use crate::node::health::{Health, Trouble, TroubleKind};
use std::collections::VecDeque;
use std::ops::Range;
use std::sync::{Arc, Mutex, MutexGuard};

/// Who speaks for the node's time.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Trust {
    /// Nobody: it is a guess that is never too late.
    Nobody,
    /// A person has set it.
    Person,
    /// The machine: a time server or a battery.
    Machine,
}

/// How the clock stands, for people.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Standing {
    /// The time that is believed.
    pub now: Moment,
    /// Who speaks for it.
    pub trust: Trust,
    /// What the machine says, when that is not believed.
    pub doubted: Option<WallMs>,
}

/// What the writer has to turn the clock to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Turn {
    /// Believed time without the monotonic one, from here on.
    pub(super) offset_ms: i64,
    /// Who speaks for it.
    pub(super) trust: Trust,
}

/// Where the clock is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct State {
    /// Believed time is the monotonic time and this.
    pub(super) offset_ms: i64,
    pub(super) trust: Trust,
    /// The first Change whose time may be corrected yet; `None` when the machine spoke for all of them.
    pub(super) since: Option<Seq>,
    /// The newest time shown before it.
    pub(super) floor_ms: WallMs,
    /// What the machine's clock was ahead of the monotonic one when it was last looked at.
    raw_ms: i64,
    /// Whether the machine's clock leapt and is not believed.
    leapt: bool,
    /// How often it was to be turned since the start, and how often it was.
    turns: usize,
    turned: usize,
    /// When it was last asked who speaks for it.
    looked_ms: Option<u64>,
}

const UNKNOWN: &str = "This node does not know the time: the machine's clock was not set. Messages keep their order, \
    and their times are put right once the clock is known. Open the page as the owner, or run 'linnet clock set'.";
const LEAPT: &str = "The machine's clock leapt by more than a day and no time server did it. The node goes on with the \
    time it had. If the leap was right, say so: 'linnet clock set', or open the page as the owner.";

/// The node's clock. Shared by the writer and all readers.
pub struct Clock {
    world: Arc<dyn World>,
    boot: u32,
    state: Mutex<State>,
    /// Told when nobody speaks for the time.
    health: Arc<Health>,
    /// Until when, by the monotonic clock, the codes live that were given out since the start.
    codes: Mutex<VecDeque<(TokenHash, u64)>>,
    /// What was made by a time that may be corrected yet.
    dated: Mutex<VecDeque<Dated>>,
}

/// What bears the date of its making, which nobody corrects where it is read.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Dated {
    /// A room.
    Room(RoomId),
    /// A user's place in a room.
    Place(RoomId, UserId),
}

impl Clock {
    /// The clock of a start whose first Change is `first`, over a store whose newest time is `newest`.
    pub fn start(world: Arc<dyn World>, health: Arc<Health>, boot: u32, newest: WallMs, first: Seq) -> Self {
        let (wall, mono) = (world.wall_ms(), world.mono_ms());
        let raw_ms = apart(wall, mono);
        let not_too_far = newest < CLOCK_SANE_FROM_MS || wall <= newest + CLOCK_AHEAD_MAX_MS;
        let plausible = wall >= CLOCK_SANE_FROM_MS && wall + CLOCK_STEP_MAX_MS >= newest && not_too_far;
        let believed = match world.keeper() {
            Keeper::Nobody => false,
            Keeper::Battery => plausible,
            Keeper::Server { set_ms } => {
                plausible || (set_ms <= wall + CLOCK_STEP_MAX_MS && wall <= set_ms + CLOCK_AHEAD_MAX_MS)
            }
        };
        let guess = if not_too_far { wall.max(newest + 1) } else { newest + 1 };
        let state = State {
            offset_ms: if believed { raw_ms } else { apart(guess, mono) },
            trust: if believed { Trust::Machine } else { Trust::Nobody },
            since: (!believed).then_some(first),
            floor_ms: newest,
            raw_ms,
            leapt: false,
            turns: 0,
            turned: 0,
            looked_ms: None,
        };
        let clock = Self {
            world,
            boot,
            state: Mutex::new(state),
            health,
            codes: Mutex::default(),
            dated: Mutex::default(),
        };
        clock.tell(state.trust);
        clock
    }

    fn tell(&self, trust: Trust) {
        match trust {
            Trust::Nobody => {
                self.health.note(Trouble { kind: TroubleKind::ClockUntrusted, text: UNKNOWN.into() });
            }
            Trust::Person | Trust::Machine => self.health.clear(TroubleKind::ClockUntrusted),
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("no holder of this lock panics")
    }

    /// What time it is.
    pub fn now(&self) -> Moment {
        let mut state = self.lock();
        let (wall, mono) = (self.world.wall_ms(), self.world.mono_ms());
        if state.trust == Trust::Machine {
            self.follow(&mut state, wall, mono);
        }
        Moment {
            boot: self.boot,
            mono_ms: mono,
            wall_ms: state.at(mono),
            trusted: state.trust != Trust::Nobody,
        }
    }

    /// Follows the steps of a clock that is believed.
    fn follow(&self, state: &mut State, wall: WallMs, mono: u64) {
        let raw_ms = apart(wall, mono);
        let small = raw_ms.abs_diff(state.offset_ms) <= CLOCK_STEP_MAX_MS;
        if small || self.server_says(state, wall, mono) {
            if state.leapt {
                tracing::warn!(machine_ms = wall, "the machine's clock is believed again");
                self.health.clear(TroubleKind::ClockJumped);
            }
            (state.offset_ms, state.leapt) = (raw_ms, false);
        } else if !state.leapt {
            let believed_ms = state.at(mono);
            tracing::error!(machine_ms = wall, believed_ms, "the machine's clock leapt and is not believed");
            self.health.note(Trouble { kind: TroubleKind::ClockJumped, text: LEAPT.into() });
            state.leapt = true;
        }
        state.raw_ms = raw_ms;
    }

    /// Whether a time server set the machine's clock to about this time. Looks once a second.
    fn server_says(&self, state: &mut State, wall: WallMs, mono: u64) -> bool {
        if state.looked_ms.is_some_and(|looked| mono < looked + CLOCK_LOOK_MS) {
            return false;
        }
        state.looked_ms = Some(mono);
        match self.world.keeper() {
            Keeper::Server { set_ms } => wall.abs_diff(set_ms) <= CLOCK_STEP_MAX_MS,
            Keeper::Nobody | Keeper::Battery => false,
        }
    }

    /// How the clock stands.
    pub fn standing(&self) -> Standing {
        let now = self.now();
        let state = *self.lock();
        let doubted = state.leapt || state.trust != Trust::Machine;
        Standing { now, trust: state.trust, doubted: doubted.then(|| self.world.wall_ms()) }
    }

    /// What the clock has to be turned to before the next Change, if anybody says better.
    pub(super) fn due(&self) -> Option<Turn> {
        let mut state = self.lock();
        if state.trust == Trust::Machine {
            return None;
        }
        let (wall, mono) = (self.world.wall_ms(), self.world.mono_ms());
        let raw_ms = apart(wall, mono);
        if self.server_says(&mut state, wall, mono) {
            return Some(Turn { offset_ms: raw_ms, trust: Trust::Machine });
        }
        // Time servers that leave no mark, and hands, step a clock that nobody speaks for.
        let step = raw_ms - state.raw_ms;
        let follows = state.trust == Trust::Nobody
            && state.turns < CLOCK_TURNS_MAX
            && mono as i64 + state.offset_ms + step > state.floor_ms as i64
            && (CLOCK_SLACK_MS..=CLOCK_STEP_MAX_MS).contains(&step.unsigned_abs());
        let offset_ms = state.offset_ms + step;
        state.turns += usize::from(follows);
        follows.then_some(Turn { offset_ms, trust: Trust::Nobody })
    }

    /// The turn that a person asks for; refused while the machine knows the time.
    pub(super) fn set_by_person(&self, to: WallMs) -> Result<Turn, Refusal> {
        let mut state = self.lock();
        if state.trust == Trust::Machine && !state.leapt {
            return Err(Refusal::ClockKnown);
        }
        if !(CLOCK_SANE_FROM_MS..CLOCK_SANE_UNTIL_MS).contains(&to) {
            return Err(Refusal::Invalid { what: "time", want: "a time from 2024 to 2099" });
        }
        if state.turns >= CLOCK_TURNS_MAX {
            return Err(Refusal::TooMany {
                what: "settings of the clock since the start",
                max: CLOCK_TURNS_MAX,
            });
        }
        state.turns += 1;
        Ok(Turn { offset_ms: apart(to, self.world.mono_ms()), trust: Trust::Person })
    }

    /// Where the clock is.
    pub(super) fn state(&self) -> State {
        *self.lock()
    }

    /// Turns the clock. Says how it stood.
    pub(super) fn turn(&self, to: Turn, next: Seq, newest: WallMs) -> State {
        let mut state = self.lock();
        let before = *state;
        state.raw_ms = apart(self.world.wall_ms(), self.world.mono_ms());
        state.turned += 1;
        (state.offset_ms, state.trust, state.leapt) = (to.offset_ms, to.trust, false);
        self.tell(to.trust);
        self.health.clear(TroubleKind::ClockJumped);
        let mono = self.world.mono_ms();
        // Only times after the newest one before can be told from it, and so be corrected once more.
        match (to.trust, state.since) {
            (Trust::Machine, _) => state.since = None,
            (_, Some(_)) if state.at(mono) > state.floor_ms => {}
            (_, None) if state.at(mono) > newest => (state.since, state.floor_ms) = (Some(next), newest),
            _ => state.since = None,
        }
        before
    }

    /// Takes back the turns since then: they were not written.
    pub(super) fn take_back(&self, before: State) {
        let mut state = self.lock();
        if state.turned != before.turned {
            *state = before;
            drop(state);
            self.tell(before.trust);
        }
    }

    /// A Change was written: what it makes is remembered as long as its date may be corrected.
    pub(super) fn note_made(&self, what: &What) {
        let made = match what {
            What::RoomMade(room) => Dated::Room(room.id.clone()),
            What::Joined(place) => Dated::Place(place.room.clone(), place.user.clone()),
            _ => return,
        };
        if self.lock().since.is_none() {
            return;
        }
        let mut dated = self.dated.lock().expect("no holder of this lock panics");
        if dated.len() >= CLOCK_DATED_MAX {
            dated.pop_front();
        }
        dated.push_back(made);
    }

    /// What was made since the start while nobody could be sure of the time.
    pub(super) fn dated(&self) -> Vec<Dated> {
        self.dated.lock().expect("no holder of this lock panics").iter().cloned().collect()
    }

    /// A code was given out that lives until this time: within this start its life is counted by the monotonic clock.
    pub(super) fn note_code(&self, hash: TokenHash, expires: WallMs) {
        let now = self.now();
        let mut codes = self.codes.lock().expect("no holder of this lock panics");
        if codes.len() > INVITATIONS_MAX {
            codes.pop_front();
        }
        codes.push_back((hash, now.mono_ms + expires.saturating_sub(now.wall_ms)));
    }

    /// Whether a code with this life can still be used.
    pub(super) fn code_lives(&self, hash: &TokenHash, life: Range<WallMs>) -> bool {
        let now = self.now();
        let codes = self.codes.lock().expect("no holder of this lock panics");
        match codes.iter().rev().find(|(known, _)| known == hash) {
            Some((_, ends_ms)) => now.mono_ms < *ends_ms,
            // A clock set back behind its making would give a code a longer life than it was given.
            None => now.wall_ms < life.end && now.wall_ms + CLOCK_STEP_MAX_MS >= life.start,
        }
    }

    /// The codes given out since the start, with how long each still lives in milliseconds.
    pub(super) fn codes(&self) -> Vec<(TokenHash, u64)> {
        let mono = self.world.mono_ms();
        let codes = self.codes.lock().expect("no holder of this lock panics");
        codes.iter().map(|(hash, ends_ms)| (*hash, ends_ms.saturating_sub(mono))).collect()
    }
}

impl State {
    fn at(&self, mono: u64) -> WallMs {
        (mono as i64 + self.offset_ms).max(0) as u64
    }
}

fn apart(wall: WallMs, mono: u64) -> i64 {
    wall as i64 - mono as i64
}

#[cfg(test)]
mod tests;
