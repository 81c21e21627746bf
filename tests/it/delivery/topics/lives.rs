//! Seeded lives: devices subscribe, publish, lose rights and come back in random order, held against the plainest model.

use super::{Client, publication, rights, subscription, who};
use crate::delivery::stage::{Stage, token, user_id};
use linnet::base::id::Seq;
use linnet::base::world::SimWorld;
use linnet::chat::change::What;
use linnet::chat::policy::{self, MayPublish};
use linnet::chat::publication::{Qos, Subscription};
use linnet::chat::topic::Topic;
use linnet::delivery::{Bounds, Refused};
use std::collections::BTreeMap;
use std::sync::Arc;

const USERS: [&str; 3] = ["alice", "sensor", "lamp"];
const TOPICS: [&str; 6] = ["t/a", "t/b", "t/a/b", "u", "u/a", "linnet/device/sensor/out"];
const FILTERS: [&str; 10] =
    ["t/a", "t/+", "t/#", "#", "+/a", "u", "u/#", "+", "linnet/device/sensor/+", "t/+/b"];
const RIGHTS: [&[&str]; 5] = [&["#"], &["t/#"], &["t/+", "u"], &["+/a"], &[]];

/// A client, and what it should be told.
struct Watched {
    client: Client,
    hears: Vec<Subscription>,
    /// Texts told, and the numbers of cuts and ends.
    expected: Vec<String>,
    told: Vec<String>,
    cuts: [usize; 2],
    ended: bool,
    end_told: bool,
    hash: u8,
}

struct Life {
    chance: SimWorld,
    stage: Stage,
    watched: Vec<Watched>,
    /// A permit in hand: for whom, and as of when.
    pocket: Option<(usize, MayPublish, Seq)>,
    /// When the rights of each user last changed.
    changed: BTreeMap<&'static str, Seq>,
    said: u64,
    seen: BTreeMap<&'static str, u64>,
}

impl Life {
    fn new(seed: u64) -> Self {
        let mut stage = Stage::new(Bounds { tail_changes: 64, ..Bounds::default() });
        let mut lamp = stage.users[&user_id("sensor")].clone();
        (lamp.id, lamp.username) = (user_id("lamp"), linnet::chat::name::Name::fixed("lamp"));
        stage.happens(What::UserAdded(lamp));
        stage.happens(rights("sensor", &["#"], &["#"]));
        stage.happens(rights("lamp", &["#"], &["t/#"]));
        stage.settle_and_relay();
        let chance = SimWorld::new(seed);
        let (watched, changed, seen) = (Vec::new(), BTreeMap::new(), BTreeMap::new());
        Self { chance, stage, watched, pocket: None, changed, said: 0, seen }
    }

    fn roll(&self, sides: usize) -> usize {
        (self.chance.next() % sides as u64) as usize
    }

    fn saw(&mut self, what: &'static str) {
        *self.seen.entry(what).or_default() += 1;
    }

    fn step(&mut self) {
        match self.roll(20) {
            0..6 => {
                for _ in 0..=self.roll(5) {
                    self.something_happens();
                }
                self.stage.settle();
            }
            6..8 => self.stage.relay(),
            8 | 9 => self.come(),
            10..13 => self.subscribe(),
            13 => self.unsubscribe(),
            14..17 => self.publish(),
            17 if !self.watched.is_empty() && self.roll(4) == 0 => {
                self.pocket = None;
                let at = self.roll(self.watched.len());
                let mut gone = self.watched.swap_remove(at);
                gone.drain(100);
                gone.is_as_expected();
            }
            _ => {
                let max = 1 + self.roll(4);
                let at = self.roll(self.watched.len().max(1));
                if let Some(watched) = self.watched.get_mut(at) {
                    watched.drain(max);
                }
            }
        }
    }

    fn something_happens(&mut self) {
        let user = USERS[self.roll(USERS.len())];
        match self.roll(10) {
            0..6 => {
                self.said += 1;
                let (topic, text) = (TOPICS[self.roll(TOPICS.len())], self.said.to_string());
                super::keep(&mut self.stage, topic, &text, Qos::Least);
                self.is_said("elsewhere", topic, &text);
            }
            6 | 7 if user != "alice" => {
                let hears = RIGHTS[self.roll(RIGHTS.len())];
                let at = self.stage.happens(rights(user, &["#"], hears));
                self.rights_changed(user, at);
            }
            8 => {
                let mut now = self.stage.users[&user_id(user)].clone();
                now.name = format!("{user} {}", self.said).as_str().into();
                let at = self.stage.happens(What::UserChanged(now));
                self.rights_changed(user, at);
            }
            9 => {
                let hash = self.roll(6) as u8;
                self.stage
                    .happens(What::TokenRevoked { hash: token(&user_id(user), hash), user: user_id(user) });
                let theirs = self.watched.iter_mut().filter(|watched| watched.client.user == user);
                for watched in theirs.filter(|watched| watched.hash == hash) {
                    watched.ended = true;
                }
            }
            _ => drop(self.stage.happens(What::SettingSet { name: "a".into(), value: "1".into() })),
        }
    }

    fn rights_changed(&mut self, user: &'static str, at: Seq) {
        self.changed.insert(user, at);
        let actor = self.stage.actor(&user_id(user));
        for watched in self.watched.iter_mut().filter(|watched| watched.client.user == user && !watched.ended)
        {
            let before = watched.hears.len();
            watched.hears.retain(|heard| policy::may_subscribe(&actor, &heard.filter).is_ok());
            watched.cuts[0] += before - watched.hears.len();
        }
    }

    fn is_said(&mut self, client: &str, topic: &str, text: &str) {
        let topic = Topic::parse(topic).unwrap();
        for watched in self.watched.iter_mut().filter(|watched| !watched.ended) {
            let is_own = watched.client.name == client;
            let hears = |heard: &Subscription| heard.filter.matches(&topic) && !(heard.no_local && is_own);
            let actor = self.stage.actor(&user_id(watched.client.user));
            if watched.hears.iter().any(hears) && policy::may_hear(&actor, &topic) {
                watched.expected.push(text.to_owned());
            }
        }
    }

    fn come(&mut self) {
        if self.watched.len() == 8 {
            return;
        }
        let user = USERS[self.roll(USERS.len())];
        let name = ["a", "b", "c"][self.roll(3)];
        let hash = self.roll(6) as u8;
        let mut who = who(&self.stage, user, name, false);
        who.token = Some(token(&user_id(user), hash));
        let seat = self.stage.hub.take_topic_seat(who, self.stage.as_of()).unwrap();
        self.watched.push(Watched {
            client: Client { seat, user, name },
            hears: Vec::new(),
            expected: Vec::new(),
            told: Vec::new(),
            cuts: [0, 0],
            ended: false,
            end_told: false,
            hash,
        });
    }

    fn subscribe(&mut self) {
        let at = self.roll(self.watched.len().max(1));
        let no_local = self.roll(3) == 0;
        let wanted = Subscription { no_local, ..subscription(FILTERS[self.roll(FILTERS.len())], Qos::Least) };
        let Some(watched) = self.watched.get_mut(at) else { return };
        let Ok(permit) =
            policy::may_subscribe(&self.stage.actor(&user_id(watched.client.user)), &wanted.filter)
        else {
            return;
        };
        let answer = watched.client.seat.subscribe(&permit, &wanted, self.stage.as_of());
        if watched.ended {
            return assert_eq!(answer, Err(Refused::Ended));
        }
        let before = watched.hears.len();
        watched.hears.retain(|heard| heard.filter != wanted.filter);
        assert_eq!(answer, Ok(before == watched.hears.len()));
        watched.hears.push(wanted);
    }

    fn unsubscribe(&mut self) {
        let at = self.roll(self.watched.len().max(1));
        let filter = super::filter(FILTERS[self.roll(FILTERS.len())]);
        let Some(watched) = self.watched.get_mut(at) else { return };
        let did = watched.client.seat.unsubscribe(&filter, None);
        let before = watched.hears.len();
        watched.hears.retain(|heard| heard.filter != filter);
        assert_eq!(did, !watched.ended && before > watched.hears.len());
    }

    fn publish(&mut self) {
        if self.pocket.is_none() {
            let at = self.roll(self.watched.len().max(1));
            let Some(watched) = self.watched.get(at) else { return };
            let topic = Topic::parse(TOPICS[self.roll(TOPICS.len())]).unwrap();
            let permit = policy::may_publish(&self.stage.actor(&user_id(watched.client.user)), &topic);
            self.pocket = permit.ok().map(|permit| (at, permit, self.stage.as_of()));
            return;
        }
        let (at, permit, as_of) = self.pocket.clone().expect("it was just looked at");
        if self.roll(3) == 0 {
            self.pocket = None;
        }
        self.said += 1;
        let (text, watched) = (self.said.to_string(), &self.watched[at]);
        let (user, name) = (watched.client.user, watched.client.name);
        let said = Arc::new(publication(user, name, permit.topic().as_str(), &text, Qos::Most));
        let answer = watched.client.seat.publish(&permit, as_of, &said, 0);
        let is_stale = self.changed.get(user).is_some_and(|changed| *changed > as_of);
        match answer {
            Err(Refused::Ended) => assert!(watched.ended),
            Err(Refused::Stale) => assert!(is_stale && !watched.ended),
            answer => {
                assert!(answer.is_ok() && !is_stale && !watched.ended, "{answer:?}");
                self.is_said(name, permit.topic().as_str(), &text);
            }
        }
        self.saw(match answer {
            Err(Refused::Ended) => "ended",
            Err(_) => "stale",
            Ok(_) => "live",
        });
    }
}

impl Watched {
    fn drain(&mut self, max: usize) {
        let drained = self.client.seat.drain(max, usize::MAX);
        assert!(!self.end_told || (drained.parcels.is_empty() && drained.ended.is_none()));
        assert!(drained.missed == 0 && !drained.behind);
        self.told.extend(super::payloads(&drained));
        self.cuts[1] += drained.cut.len();
        self.end_told |= drained.ended.is_some();
    }

    fn is_as_expected(&self) {
        assert!(self.expected.starts_with(&self.told), "{:?}\n told {:?}", self.expected, self.told);
    }
}

#[test]
fn random_lives_agree_with_the_model() {
    let seeds = match std::env::var("SEED").ok().and_then(|seed| seed.parse().ok()) {
        Some(seed) => seed..seed + 1,
        None => 0..150_u64,
    };
    let all = seeds.end - seeds.start > 1;
    let mut seen: BTreeMap<&'static str, u64> = BTreeMap::new();
    for seed in seeds {
        println!("SEED={seed}");
        let mut life = Life::new(seed);
        for _ in 0..300 {
            life.step();
        }
        life.stage.relay();
        for watched in &mut life.watched {
            watched.drain(usize::MAX);
            assert_eq!((&watched.told, watched.end_told), (&watched.expected, watched.ended));
            assert_eq!(watched.cuts[0], watched.cuts[1]);
            *seen.entry("told").or_default() += watched.told.len() as u64;
            *seen.entry("cut").or_default() += watched.cuts[0] as u64;
            *seen.entry("end").or_default() += u64::from(watched.ended);
        }
        for (what, times) in life.seen {
            *seen.entry(what).or_default() += times;
        }
    }
    for what in ["told", "cut", "end", "live", "stale", "ended"] {
        assert!(!all || seen.get(what).is_some_and(|times| *times > 50), "{what}: too rare in {seen:?}");
    }
}
