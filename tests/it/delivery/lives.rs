//! Seeded lives: posts, kicks, roles, devices, laggards in random order, held against a model that knows the whole log.

use super::model::{Fault, Watched};
use super::stage::{Stage, device, joined, left, token, user_id};
use linnet::base::id::{RoomId, Seq, UserId};
use linnet::base::world::SimWorld;
use linnet::chat::change::What;
use linnet::chat::name::Name;
use linnet::chat::permission::{Permission, Permissions, Row};
use linnet::chat::policy::MayRead;
use linnet::chat::room::RoomKind;
use linnet::chat::user::{Role, Roles};
use linnet::delivery::{Bounds, Event, Listener, Refused};
use std::collections::BTreeMap;

const TAIL_CHANGES: usize = 24;
const STEPS: u64 = 400;
const LISTENERS: usize = 8;
const USERS: [&str; 4] = ["alice", "bob", "mallory", "sensor"];

struct Life {
    chance: SimWorld,
    stage: Stage,
    watched: Vec<Watched>,
    rooms_made: u64,
    fault: Fault,
}

/// What a caller asked the policy for, and has not used yet.
type Pocket = (Option<RoomId>, Vec<MayRead>, Seq);

fn live(seed: u64, fault: Fault, seen: &mut BTreeMap<&'static str, u64>) -> Result<(), String> {
    let bounds = Bounds { listeners: LISTENERS, tail_changes: TAIL_CHANGES, ..Bounds::default() };
    let (chance, stage) = (SimWorld::new(seed), Stage::new(bounds));
    let mut life = Life { chance, stage, watched: Vec::new(), rooms_made: 0, fault };
    for step in 0..STEPS {
        life.step().map_err(|wrong| format!("SEED={seed} step {step}: {wrong}"))?;
    }
    life.finish().map_err(|wrong| format!("SEED={seed} at the end: {wrong}"))?;
    for (what, times) in life.stage.seen.borrow().iter() {
        *seen.entry(what).or_default() += times;
    }
    Ok(())
}

impl Life {
    fn roll(&self, sides: usize) -> usize {
        (self.chance.next() % sides as u64) as usize
    }

    fn user(&self) -> UserId {
        user_id(USERS[self.roll(USERS.len())])
    }

    fn room(&self) -> RoomId {
        let rooms = &self.stage.rooms;
        rooms.keys().nth(self.roll(rooms.len())).expect("there is always a room").clone()
    }

    fn step(&mut self) -> Result<(), String> {
        match self.roll(16) {
            0..4 => {
                for _ in 0..=self.roll(5) {
                    self.something_happens();
                }
                self.stage.settle();
            }
            4..7 => self.stage.relay(),
            7..9 => self.attach()?,
            9..11 => self.ask_or_follow()?,
            11 => self.unfollow_or_drop()?,
            _ => self.drain()?,
        }
        Ok(())
    }

    fn something_happens(&mut self) {
        let (user, room) = (self.user(), self.room());
        let Some(mut record) = self.stage.users.get(&user).cloned() else { return };
        let is_member = self.stage.is_member(&user, &room);
        match self.roll(40) {
            0..22 => drop(self.stage.post(&room)),
            22..30 if is_member => drop(self.stage.happens(left(&room, &user))),
            22..30 => drop(self.stage.happens(joined(&room, &user))),
            30..33 => {
                let mut now = self.stage.rooms[&room].clone();
                now.kind = if now.kind == RoomKind::Public { RoomKind::Private } else { RoomKind::Public };
                self.stage.happens(What::RoomChanged { room: now, former_name: None });
            }
            33 => {
                self.stage.happens(What::RoomRemoved { room, name: None });
                self.rooms_made += 1;
                self.stage.make_room(&format!("room{}", self.rooms_made), RoomKind::Public);
            }
            34 | 35 if !self.stage.is_device(&user) => {
                record.roles = Roles::of(&[[Role::User, Role::Guest, Role::Bot][self.roll(3)]]);
                self.stage.happens(What::UserChanged(record));
            }
            36 if !record.active || self.roll(3) == 0 => {
                record.active = !record.active;
                self.stage.happens(What::UserChanged(record));
            }
            37 => {
                let hash = token(&user, self.roll(4) as u8);
                self.stage.happens(What::TokenRevoked { hash, user });
            }
            38 if self.stage.is_device(&user) || self.roll(8) == 0 => {
                if !self.stage.is_device(&user) {
                    record.roles = Roles::of(&[Role::Device]);
                    self.stage.happens(What::UserChanged(record));
                }
                let reads: Vec<RoomId> = (0..self.roll(3)).map(|_| self.room()).collect();
                self.stage.happens(device(&user, &reads));
            }
            39 if self.roll(30) == 0 => {
                self.stage.happens(What::UserRemoved { user, username: Name::fixed("gone") });
            }
            39 if self.roll(3) == 0 => {
                let all = [Role::Admin, Role::User, Role::Guest, Role::Bot];
                let roles = all.iter().copied().filter(|_| self.roll(8) > 0).collect::<Vec<_>>();
                let row = Row { permission: Permission::VIEW_C_ROOM, roles: Roles::of(&roles), changed: 0 };
                self.stage.happens(What::PermissionsSet(Permissions::of([row])));
            }
            _ => drop(self.stage.happens(What::SettingSet { name: "a".into(), value: "1".into() })),
        }
    }

    fn attach(&mut self) -> Result<(), String> {
        let user = self.user();
        if !self.stage.users.get(&user).is_some_and(|user| user.active) {
            return Ok(());
        }
        let who = self.stage.who(&user, (self.roll(3) > 0).then(|| token(&user, self.roll(4) as u8)));
        let as_of = self.stage.as_of();
        let laggard = self.roll(4) == 0;
        match self.stage.hub.attach(who.clone(), as_of) {
            Ok(listener) => self.watched.push(Watched::new(listener, who, as_of, laggard, self.fault)),
            Err(Refused::TooManyListeners) if self.watched.len() == LISTENERS => {}
            Err(refused) => return Err(format!("a good login was refused: {refused:?}")),
        }
        if self.watched.len() > LISTENERS { Err("more listeners than the bound".into()) } else { Ok(()) }
    }

    /// Permits are often asked for at one time and used at another.
    fn ask_or_follow(&mut self) -> Result<(), String> {
        if self.watched.is_empty() {
            return Ok(());
        }
        let (at, lost) = (self.roll(self.watched.len()), self.lost());
        if let Some((room, permits, as_of)) = self.watched[at].pocket.take() {
            return self.watched[at].follow(&self.stage, room, permits, as_of, lost);
        }
        let user = self.watched[at].who.user.clone();
        if !self.stage.users.contains_key(&user) {
            return Ok(());
        }
        let as_of = self.stage.as_of();
        let pocket: Pocket = if self.roll(3) == 0 {
            (None, self.stage.permits_of(&user), as_of)
        } else {
            let room = self.room();
            let Ok(permit) = self.stage.may_read(&user, &room) else { return Ok(()) };
            (Some(room), vec![permit], as_of)
        };
        if self.roll(2) == 0 {
            let (room, permits, as_of) = pocket;
            return self.watched[at].follow(&self.stage, room, permits, as_of, lost);
        }
        self.watched[at].pocket = Some(pocket);
        Ok(())
    }

    fn unfollow_or_drop(&mut self) -> Result<(), String> {
        if self.watched.is_empty() {
            return Ok(());
        }
        let at = self.roll(self.watched.len());
        if self.watched.len() == LISTENERS || self.watched[at].ended || self.roll(4) == 0 {
            self.watched.swap_remove(at);
            return Ok(());
        }
        let room = (self.roll(3) > 0).then(|| self.room());
        self.watched[at].unfollow(&self.stage, room)
    }

    fn drain(&mut self) -> Result<(), String> {
        if self.watched.is_empty() {
            return Ok(());
        }
        let at = self.roll(self.watched.len());
        if self.watched[at].laggard && self.roll(12) > 0 {
            return Ok(());
        }
        let (max, lost) = (1 + self.roll(6), self.lost());
        self.watched[at].drain(&self.stage, max, lost).map(drop)
    }

    fn finish(&mut self) -> Result<(), String> {
        self.stage.relay();
        let lost = self.lost();
        for watched in &mut self.watched {
            while watched.drain(&self.stage, 3, lost)? {}
            watched.has_seen_all(&self.stage)?;
        }
        for user in USERS.map(user_id) {
            let there = self.watched.iter().filter(|watched| watched.who.user == user && !watched.ended);
            if there.count() != self.stage.hub.online(&user) {
                return Err(format!("{user} is counted wrongly"));
            }
        }
        Ok(())
    }

    fn lost(&self) -> Seq {
        Seq(self.stage.as_of().0.saturating_sub(TAIL_CHANGES as u64))
    }
}

#[test]
fn random_lives_agree_with_the_model() {
    let seeds = match std::env::var("SEED").ok().and_then(|seed| seed.parse().ok()) {
        Some(seed) => seed..seed + 1,
        None => 0..500,
    };
    let all = seeds.clone().count() > 1;
    let mut seen = BTreeMap::new();
    for seed in seeds {
        live(seed, Fault::None, &mut seen).unwrap_or_else(|wrong| panic!("{wrong}"));
    }
    for what in ["change", "revoked", "resync", "ended", "stale"] {
        assert!(!all || seen.get(what).is_some_and(|times| *times > 100), "{what}: too rare in {seen:?}");
    }
}

#[test]
fn the_model_notices_planted_faults() {
    for fault in [Fault::Skips, Fault::Repeats, Fault::IgnoresRevocation, Fault::OutlivesItsEnd] {
        // Lives without a fault pass: what is noticed is the fault.
        let noticed = (0..40).filter(|seed| live(*seed, fault, &mut BTreeMap::new()).is_err()).count();
        assert!(noticed >= 14, "{fault:?} was noticed in {noticed} of 40 lives");
    }
}

/// How often one asks is not what one hears.
#[test]
fn who_drains_late_hears_what_one_hears_who_drains_at_once() {
    for seed in 0..200 {
        let (chance, stage) = (SimWorld::new(seed), Stage::new(Bounds::default()));
        let mut life = Life { chance, stage, watched: Vec::new(), rooms_made: 0, fault: Fault::None };
        for _ in 0..20 {
            life.something_happens();
        }
        life.stage.settle_and_relay();
        let (user, as_of) = (life.user(), life.stage.as_of());
        if !life.stage.users.get(&user).is_some_and(|user| user.active) {
            continue;
        }
        let who = life.stage.who(&user, Some(token(&user, 1)));
        let [at_once, late] = [(); 2].map(|()| {
            let listener = life.stage.hub.attach(who.clone(), as_of).unwrap();
            for room in life.stage.rooms.keys() {
                if let Ok(permit) = life.stage.may_read(&user, room) {
                    listener.follow_room(permit, as_of).unwrap();
                }
            }
            listener.follow_mine(life.stage.permits_of(&user), as_of).unwrap();
            listener
        });
        let mut heard_at_once = Vec::new();
        for _ in 0..200 {
            life.something_happens();
            life.stage.settle_and_relay();
            heard_at_once.extend(all(&at_once, 1));
        }
        assert_eq!(heard_at_once, all(&late, 1 + seed as usize % 7), "SEED={seed}");
    }
}

/// All events waiting, taken so many at a time.
pub fn all(listener: &Listener, at_a_time: usize) -> Vec<Event> {
    let mut events = Vec::new();
    loop {
        let drained = listener.drain(at_a_time);
        events.extend(drained.events);
        if !drained.more {
            return events;
        }
    }
}
