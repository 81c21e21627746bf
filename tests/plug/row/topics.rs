//! The broker's door under a power cut: what was acknowledged by MQTT is in its room, retained, and in the queues of the
//! sessions that are away; what a client sends again exactly once is there once, and what a client has let go of does not
//! come back.

use super::recorded::cuts;
use super::{Desk, Tally};
use crate::args::Args;
use crate::chance::Chance;
use crate::client::{Client, Hello};
use crate::http::ADMIN;
use crate::image::{Disk, FATES};
use crate::judge::Case;
use crate::node::{Launch, Node};
use crate::record::{Recorder, Recording};
use crate::town::{PORCH, Town};
use crate::witness::{Seen, Thing, Witness, token, token_of};
use crate::{Outcome, wrong};
use std::fs;
use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

/// Images of a recorded life.
const IMAGES: (u64, u64) = (20, 600);
/// Publications of each life, between two visits of the session that takes some, and how many it takes.
const EACH: u64 = 96;
const VISIT_EVERY: u64 = 16;
const TAKEN: usize = 5;
/// The number of the client that publishes, among the posters.
const CLIENT: u32 = 7;
/// How long a sync takes at least, so that moments before and after it can be told apart.
const SYNC: Duration = Duration::from_millis(2);
/// Topics with a state, as things the witness knows.
const STATES: [&str; 4] = ["state-a", "state-b", "state-c", "state-d"];
/// The session that never comes, and the one that takes some: both hear the same topic.
const AWAY: &str = "away";
const EARS: &str = "ears";
/// What the latter hears, by how sure it is brought: the order holds among what is equally sure (MQTT 5.0, 4.6).
const HEARD: [&str; 3] = ["ears-0", "ears-1", "ears-2"];
const QUEUE: &str = "plug/queue";
/// What says that nothing more is to come.
const END: &str = "end";

pub fn run(args: &Args, tally: &mut Tally) -> Outcome<()> {
    recorded(args, "topics", args.count(IMAGES.0, IMAGES.1), tally)
}

/// The same for a fault that must be found.
pub fn run_short(args: &Args, tally: &mut Tally) -> Outcome<()> {
    recorded(args, "plants", IMAGES.0, tally)
}

fn recorded(args: &Args, name: &str, images: u64, tally: &mut Tally) -> Outcome<()> {
    let desk = Desk::new(args, name)?;
    let ended = Life::record(args, desk.path()).and_then(|life| life.judge(args, desk.path(), images, tally));
    desk.close(ended)
}

/// A publication that was to arrive exactly once, and when which answer came.
struct Twice {
    text: String,
    packet: u16,
    sent: u64,
    received: Option<u64>,
    completed: Option<u64>,
}

/// What the clients remember.
struct Book {
    /// What is in rooms, and what is at topics and in queues.
    rooms: Witness,
    topics: Witness,
    twice: Vec<Twice>,
    number: u64,
    chance: Chance,
}

struct Life {
    recording: Recording,
    launch: Launch,
    book: Book,
    town: Town,
    /// The length of the log when the sessions were made.
    built: u64,
}

/// A client of the administrator's with a session that stays.
fn hello(client: &str, town: &Town) -> Hello {
    Hello::staying(4, client).by(ADMIN, &town.admin.token)
}

fn port(node: &Node) -> Outcome<SocketAddr> {
    node.mqtt.ok_or_else(|| wrong("it takes no MQTT"))
}

impl Life {
    fn record(args: &Args, desk: &Path) -> Outcome<Life> {
        let root = desk.join("power");
        fs::create_dir(&root)?;
        let (data, settings) = (root.join("data"), desk.join("linnet.toml"));
        fs::write(&settings, "[mqtt]\naddress = \"127.0.0.1:0\"\n")?;
        let recorder = Recorder::new(desk, &root)?.slow(SYNC);
        let launch = Launch { config: Some(settings), ..Launch::of(args).with_small_segments() };
        let recorded = recorder.launch(&launch);
        let (rooms, topics) = (Witness::new(), Witness::new());
        rooms.set_clock(recorder.clock());
        topics.set_clock(recorder.clock());
        let mut book = Book { rooms, topics, twice: Vec::new(), number: 0, chance: Chance::new(args.seed) };
        let mut node = recorded.start(&data)?;
        let town = Town::build(&node, &launch, &data)?;
        town.tell(&book.rooms);
        for (session, qos) in [(AWAY, 1), (EARS, 2)] {
            Client::connect(port(&node)?, &hello(session, &town)).subscribe(QUEUE, qos);
        }
        Client::connect(port(&node)?, &hello("says", &town)).ping();
        let built = book.topics.now();
        for is_clean in [true, false, true] {
            book.live(port(&node)?, &town);
            if is_clean {
                node.stop().map(drop)?
            } else {
                node.kill()?
            }
            node = recorded.start(&data)?;
        }
        node.kill()?;
        let launch = Launch { planted: Launch::sound(args).with_small_segments().planted, ..launch };
        Ok(Life { recording: recorder.read()?, launch, book, town, built })
    }

    fn judge(self, args: &Args, desk: &Path, images: u64, tally: &mut Tally) -> Outcome<()> {
        let mut chance = Chance::new(args.seed ^ 0x70b1c);
        let mut moments = cuts(&self.recording, self.built, u64::MAX, images, &mut chance);
        // Where an answer was on its way, its publication is sent again.
        let answers: Vec<u64> = self.book.twice.iter().filter_map(|twice| twice.received).collect();
        moments.extend((0..images / 2).map(|_| *chance.pick(&answers)));
        moments.sort_unstable();
        let mut disk = Disk::new(&self.recording);
        for (number, (at, fate)) in moments.into_iter().zip(FATES.into_iter().cycle()).enumerate() {
            disk.advance(at);
            let root = desk.join(format!("image-{number}"));
            fs::create_dir(&root)?;
            disk.leave(fate, &mut chance, &root)?;
            self.judge_one(&root.join("data"), at, tally).map_err(|error| {
                wrong(format!("image {number} (cut at {at}, the rest {fate:?}): {error}"))
            })?;
            fs::remove_dir_all(&root)?;
        }
        Ok(())
    }

    fn judge_one(&self, data: &Path, at: u64, tally: &mut Tally) -> Outcome<()> {
        let case = Case { at, ..Case::new(&self.launch, data, &self.town, &self.book.rooms) };
        let node = case.judge(tally)?.node;
        let seen = self.look(port(&node)?, at).inspect_err(|_| tally.lost += 1)?;
        let verdict = self.book.topics.judge(&seen, at, &|_| false);
        tally.take(&verdict);
        if !verdict.is_good() {
            return Err(wrong(verdict.to_string()));
        }
        node.kill()
    }

    /// What is at the topics and in the queues, after the one who publishes has done what a client does that is back.
    fn look(&self, address: SocketAddr, at: u64) -> Outcome<Seen> {
        let back = |client: &str| {
            let client_back = Client::connect(address, &hello(client, &self.town));
            let gone = || wrong(format!("the session of {client} is gone"));
            client_back.connack.0.then_some(client_back).ok_or_else(gone)
        };
        let mut says = back("says")?;
        self.book.finish(&mut says, at);
        let mut seen = Seen::default();
        let mut looks = Client::connect(address, &Hello { clean: true, ..hello("looks", &self.town) });
        looks.subscribe("plug/state/#", 0);
        says.publish("plug/state/end", END, 0, false);
        let told = std::iter::from_fn(|| Some(looks.heard()).filter(|told| told.payload != END));
        for told in told {
            let room = STATES.into_iter().find(|state| told.topic.ends_with(state));
            let room = room.ok_or_else(|| wrong(format!("{} was never asked for", told.topic)))?;
            seen.states.insert(Thing::Topic { room }, told.payload);
        }
        says.publish(QUEUE, END, 1, false);
        seen.rooms.insert(AWAY, drain(&mut back(AWAY)?).concat());
        for (room, texts) in HEARD.into_iter().zip(drain(&mut back(EARS)?)) {
            seen.rooms.insert(room, texts);
        }
        Ok(seen)
    }
}

/// Hears and answers all there is, up to the end; by QoS.
fn drain(client: &mut Client) -> [Vec<String>; 3] {
    let mut texts = <[Vec<String>; 3]>::default();
    while let Some(packet) = client.next() {
        let Some(told) = client.read_told(&packet) else {
            if packet.first == 0x62 {
                client.ack(0x70, u16::from_be_bytes([packet.body[0], packet.body[1]]));
            }
            continue;
        };
        if told.qos > 0 {
            client.ack(if told.qos == 1 { 0x40 } else { 0x50 }, told.packet);
        }
        if told.payload == END {
            break;
        }
        texts[usize::from(told.qos)].push(told.payload);
    }
    texts
}

impl Book {
    /// Publishes of all kinds, one at a time; now and then the other session takes some of its queue.
    fn live(&mut self, address: SocketAddr, town: &Town) {
        let mut says = Client::connect(address, &hello("says", town));
        for _ in 0..EACH {
            self.number += 1;
            let text =
                format!("{} {}", token(CLIENT, self.number), "x".repeat(self.chance.below(300) as usize));
            let text = text + ".";
            match self.chance.below(6) {
                0 => self.say_in_room(&mut says, text),
                1 => self.set_state(&mut says, text),
                2 | 3 => self.queue(&mut says, text, 1),
                _ => self.queue(&mut says, text, 2),
            }
            if self.number.is_multiple_of(VISIT_EVERY) {
                self.take_some(address, town);
            }
        }
    }

    fn say_in_room(&mut self, says: &mut Client, text: String) {
        let thing = Thing::Message { room: PORCH, poster: CLIENT, number: self.number };
        let ticket = self.rooms.attempt(thing, Some(text.clone()));
        assert_eq!(says.publish(&format!("linnet/room/{PORCH}/post"), &text, 1, false), 0);
        self.rooms.acknowledged(&ticket);
    }

    /// A state of a topic; an empty one takes it away.
    fn set_state(&mut self, says: &mut Client, text: String) {
        let room = *self.chance.pick(&STATES);
        let value = Some(text).filter(|_| self.chance.below(5) > 0);
        let ticket = self.topics.attempt(Thing::Topic { room }, value.clone());
        says.publish(&format!("plug/state/{room}"), &value.unwrap_or_default(), 1, true);
        self.topics.acknowledged(&ticket);
    }

    fn queue(&mut self, says: &mut Client, text: String, qos: u8) {
        let tickets = [AWAY, HEARD[usize::from(qos)]].map(|room| {
            let thing = Thing::Message { room, poster: CLIENT, number: self.number };
            self.topics.attempt(thing, Some(text.clone()))
        });
        if qos == 1 {
            says.publish(QUEUE, &text, 1, false);
            tickets.iter().for_each(|ticket| self.topics.acknowledged(ticket));
            return;
        }
        let packet = 1 + (self.number % 60_000) as u16;
        let sent = self.topics.now();
        self.twice.push(Twice { text: text.clone(), packet, sent, received: None, completed: None });
        let times = 1 + self.chance.below(2);
        for time in 0..times {
            says.put(QUEUE, &text, if time == 0 { 4 } else { 0xC }, packet, &[]);
        }
        says.answer(0x50);
        tickets.iter().for_each(|ticket| self.topics.acknowledged(ticket));
        let received = self.topics.now();
        (1..times).for_each(|_| drop(says.answer(0x50)));
        says.ack(0x62, packet);
        says.answer(0x70);
        if let Some(last) = self.twice.last_mut() {
            (last.received, last.completed) = (Some(received), Some(self.topics.now()));
        }
    }

    /// Sends again what was not answered when the power went, as a client does that is back.
    fn finish(&self, says: &mut Client, at: u64) {
        let Some(last) = self.twice.iter().rfind(|twice| twice.sent <= at) else { return };
        if last.completed.is_some_and(|completed| completed < at) {
            return;
        }
        if last.received.is_none_or(|received| received >= at) {
            says.put(QUEUE, &last.text, 0xC, last.packet, &[]);
            says.answer(0x50);
        }
        says.ack(0x62, last.packet);
        says.answer(0x70);
    }

    /// The session that comes now and then takes the oldest of its queue, and is gone in the middle.
    fn take_some(&mut self, address: SocketAddr, town: &Town) {
        let mut ears = Client::connect(address, &hello(EARS, town));
        let mut taken = 0;
        while taken < TAKEN {
            let packet = ears.next().expect("more than it takes was queued");
            let Some(told) = ears.read_told(&packet) else {
                ears.ack(0x70, u16::from_be_bytes([packet.body[0], packet.body[1]]));
                continue;
            };
            taken += 1;
            let (poster, number) = token_of(&told.payload).expect("a publication of ours");
            // From here on it may be gone, and after the second word it must be.
            let room = HEARD[usize::from(told.qos)];
            let ticket = self.topics.attempt(Thing::Message { room, poster, number }, None);
            ears.ack(if told.qos == 1 { 0x40 } else { 0x50 }, told.packet);
            if told.qos == 2 {
                ears.answer(0x62);
                self.topics.acknowledged(&ticket);
                if taken < TAKEN {
                    ears.ack(0x70, told.packet);
                }
            }
        }
    }
}
