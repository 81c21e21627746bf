//! What is published here and said in rooms, as the bindings of the settings have it.
//!
//! Who publishes is told that it was taken when its message is on the disk. What a binding withholds goes on to those who
//! listen and costs no disk. A message never comes back as a message: what this node, or its own bridges, say at this
//! broker is not bound, and what was said at another linnet keeps the id it has there.

use super::Broker;
use super::connection::{Connection, End, Flow};
use super::packet::{In, Publish};
use super::words;
use crate::chat::change::Via;
use crate::chat::name::{Name, Text};
use crate::chat::publication::Publication;
use crate::chat::refusal::Refusal;
use crate::chat::topic::Topic;
use crate::doors::mqtt::binding::{BindRule, Memory, Verdict, Word};
use crate::doors::mqtt::bridge::guard::{Origin, PROPERTY, digest};
use crate::node::topics::{Bound, Came};
use crate::node::{Caller, Node, NodeHandle};
use smol_str::SmolStr;
use std::sync::{Arc, Mutex, MutexGuard};
use tokio::sync::Notify;
use tokio::time::{Instant, sleep_until};

/// By whom deliveries are kept that bindings said: no bridge is called so.
const DELIVERED_BY: &str = "+bind";

/// The bindings of the node's own broker.
#[derive(Default)]
pub struct Bindings {
    rules: Vec<BindRule>,
    /// What the topics of each begin with.
    beginnings: Vec<String>,
    /// Clients that are bridges of this node: they say here what rooms say.
    own: Vec<String>,
    node: u64,
    memory: Mutex<Memory>,
    news: Notify,
}

/// A publication as it came.
pub(super) struct Heard<'a> {
    pub caller: &'a Caller,
    pub client: &'a str,
    pub topic: &'a Topic,
    pub payload: &'a [u8],
    pub properties: Option<&'a [u8]>,
}

/// What bindings say of a publication.
pub(super) struct Words {
    words: Vec<Word>,
    origin: Option<Origin>,
}

impl Bindings {
    /// These rules, at the broker of this node, whose bridges have these client ids.
    pub fn new(rules: Vec<BindRule>, own: Vec<String>, node: &NodeHandle) -> Self {
        let beginnings = rules.iter().map(|rule| rule.binding.topic.beginning().to_owned()).collect();
        let node = node.read(|reading| reading.node_number()).unwrap_or_default();
        Self { rules, beginnings, own, node, ..Self::default() }
    }

    /// Makes the rooms that are missing. One that cannot be made is told each time something is to be said there.
    pub(super) async fn set_up(&self, node: &NodeHandle) {
        for rule in &self.rules {
            let room = rule.room.clone();
            let made = node.call(&Caller::Operator, move |node| node.set_up_binding(&room)).await;
            if let Err(refusal) = made {
                tracing::error!(room = %rule.room, ?refusal, "a binding finds no room");
            }
        }
    }

    /// What is to be said of a publication now, if anything.
    pub(super) fn hear(&self, node: &NodeHandle, heard: &Heard<'_>) -> Option<Words> {
        let topic = heard.topic.as_str();
        let begins = |at: &usize| topic.starts_with(self.beginnings[*at].as_str());
        let mut bound = (0..self.rules.len())
            .filter(begins)
            .filter(|at| self.rules[*at].binding.topic.matches(topic))
            .peekable();
        // An empty payload takes the state of a topic away and says nothing.
        if bound.peek().is_none()
            || heard.payload.is_empty()
            || self.own.iter().any(|own| own == heard.client)
        {
            return None;
        }
        // Whoever may not publish there changes nothing of what is known of the topic.
        node.read(|reading| reading.may_publish(&reading.actor(heard.caller)?, heard.topic)).ok()?;
        let origin = Origin::read(heard.properties.and_then(origin_in), topic, heard.payload);
        if origin.as_ref().is_some_and(|origin| origin.node == self.node) {
            return None;
        }
        let (now, mut memory) = (Instant::now(), self.memory());
        let judged = bound.filter_map(|at| {
            let binding = (u16::try_from(at).ok()?, &self.rules[at].binding);
            match memory.judge(binding, (topic, heard.payload), now, Some(heard.caller)) {
                Verdict::Said(word) => Some(word),
                Verdict::Withheld(_) => None,
            }
        });
        let words: Vec<Word> = judged.collect();
        if memory.due().is_some() {
            self.news.notify_one();
        }
        (!words.is_empty()).then_some(Words { words, origin })
    }

    /// The same for the node. A text without a word is none.
    fn says(&self, said: &Words) -> Vec<Bound> {
        let id = said.origin.as_ref().map(|origin| origin.id.clone());
        said.words.iter().filter_map(|word| self.say(word, id.clone())).collect()
    }

    fn say(&self, word: &Word, id: Option<crate::base::id::MessageId>) -> Option<Bound> {
        let rule = &self.rules[usize::from(word.key.0)];
        let text = Text::parse(&word.text).ok().filter(|text| !text.is_blank())?;
        let bot = Name::parse(&rule.name).ok()?;
        Some(Bound { room: rule.room.clone(), bot, text, id })
    }

    /// It is on its way to the disk.
    fn note(&self, said: &Words) {
        let (now, mut memory) = (Instant::now(), self.memory());
        said.words.iter().for_each(|word| memory.said(word, now));
    }

    /// It did not get there: when it comes again it is to be said.
    fn forget(&self, said: &Words) {
        let mut memory = self.memory();
        said.words.iter().for_each(|word| memory.forget(&word.key));
    }

    fn memory(&self) -> MutexGuard<'_, Memory> {
        self.memory.lock().expect("no holder of this lock panics")
    }

    /// Something withheld whose time has come, whenever it has.
    async fn next_due(&self) -> (Word, Option<Caller>) {
        loop {
            let news = self.news.notified();
            let due = self.memory().due();
            match due {
                Some(due) => tokio::select! {
                    () = sleep_until(due) => {}
                    () = news => continue,
                },
                None => {
                    news.await;
                    continue;
                }
            }
            if let Some(due) = self.memory().take_due(Instant::now()) {
                return due;
            }
        }
    }
}

/// The origin among the properties of a publication, as 5.0 writes them.
fn origin_in(properties: &[u8]) -> Option<&str> {
    let at = properties.windows(PROPERTY.len()).position(|part| part == PROPERTY.as_bytes())?;
    let rest = &properties[at + PROPERTY.len()..];
    let (length, rest) = rest.split_first_chunk::<2>()?;
    std::str::from_utf8(rest.get(..usize::from(u16::from_be_bytes(*length)))?).ok()
}

/// Says what was withheld until now, for as long as it is polled.
pub(super) async fn say_due(broker: Arc<Broker>) {
    loop {
        let (word, by) = broker.bindings.next_due().await;
        let (Some(caller), Ok(topic)) = (by, Topic::parse(&word.key.1)) else { continue };
        let Some(bound) = broker.bindings.say(&word, None) else { continue };
        let speaker = caller.clone();
        let say = move |node: &mut Node| node.publish_bound(&speaker, &topic, vec![bound], None, None);
        match broker.node.call(&caller, say).await {
            Ok(refused) => tell_refused(&word.key.1, refused),
            Err(refusal) => {
                tracing::info!(topic = %word.key.1, ?refusal, "what a binding withheld is not said");
                broker.bindings.memory().forget(&word.key);
            }
        }
    }
}

/// Publishes what somebody without a connection leaves behind, and says it in rooms.
pub(super) async fn publish(
    broker: &Broker,
    caller: &Caller,
    publication: Publication,
    (said, keep): (Words, bool),
) -> Result<(), Refusal> {
    let (topic, says, speaker) = (publication.topic.clone(), broker.bindings.says(&said), caller.clone());
    let (kept, live) =
        if keep { (Some((publication, None)), None) } else { (None, Some(Arc::new(publication))) };
    broker.bindings.note(&said);
    let job = move |node: &mut Node| node.publish_bound(&speaker, &topic, says, None, kept);
    let result = broker.node.call(caller, job).await;
    if result.is_err() {
        broker.bindings.forget(&said);
    }
    if let Some(live) = live {
        broker.publish_live(&live, |reading| reading.may_publish(&reading.actor(caller)?, &live.topic))?;
    }
    result.map(drop)
}

impl Connection {
    /// What bindings say of a publication.
    pub(super) fn hear_bound(&self, publish: &Publish, topic: &Topic) -> Option<Words> {
        let heard = Heard {
            caller: &self.caller,
            client: &self.session.client,
            topic,
            payload: &publish.payload,
            properties: publish.properties.as_deref(),
        };
        self.broker.bindings.hear(&self.broker.node, &heard)
    }

    /// Says a publication in rooms and keeps it where something else needs it, with its receipt; then those hear it who
    /// listen, and the client learns that it was taken.
    pub(super) fn publish_bound(
        &mut self,
        publish: Publish,
        topic: Topic,
        said: Words,
        keep: Option<Option<u16>>,
    ) -> Result<Flow, End> {
        let (packet, qos) = (publish.packet, publish.qos);
        let publication = self.publication(publish.clone(), topic.clone());
        let live = keep.is_none().then(|| Arc::new(publication.clone()));
        let kept = keep.map(|receipt| (publication, receipt));
        let noted = keep.flatten().is_some();
        let came = packet.map(|packet| came(&self.session.client, packet, &publish, &topic));
        let (caller, bound, says) = (self.caller.clone(), topic.clone(), self.broker.bindings.says(&said));
        let job = move |node: &mut Node| node.publish_bound(&caller, &bound, says, came, kept);
        match self.broker.node.send(&self.caller, job) {
            Ok(answer) => {
                self.broker.bindings.note(&said);
                self.after(answer, move |connection, result| {
                    match &result {
                        Ok(refused) => tell_refused(topic.as_str(), refused.clone()),
                        Err(_) => connection.broker.bindings.forget(&said),
                    }
                    // Devices that hear each other do so also where the disk is full.
                    let told = live.map_or(Ok(()), |live| connection.publish_live(&live));
                    connection.published(packet, qos, &topic, result.and(told), noted)
                });
            }
            Err(Refusal::Busy) => return Ok(self.later(In::Publish(publish))),
            Err(_) if self.is_waiting() => return Ok(Flow::Wait(In::Publish(publish))),
            Err(refusal) => self.published(packet, qos, &topic, Err(refusal), false)?,
        }
        self.broker.counts.published.add(1);
        Ok(Flow::Done)
    }
}

/// A delivery as it is known again. All clients share its places, so a client has one of its own for each number.
fn came(client: &SmolStr, packet: u16, publish: &Publish, topic: &Topic) -> Came {
    let place = digest(client, &packet.to_be_bytes());
    let what = format!("{client}\0{packet}\0{topic}");
    let via = Via {
        bridge: DELIVERED_BY.into(),
        packet: (place & u64::from(u16::MAX)) as u16,
        digest: digest(&what, &publish.payload),
    };
    Came { via, again: publish.dup }
}

fn tell_refused(topic: &str, refused: Option<Refusal>) {
    if let Some(refusal) = refused {
        let (_, words) = words::told(&refusal, topic);
        tracing::warn!(topic, words, "a room takes no message of a binding");
    }
}
