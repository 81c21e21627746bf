//! Topics in a simulated life: what is published, retained, heard and acknowledged, and what the model makes of it.

use super::act::{Answer, Told};
use super::chance::Chance;
use super::model::Model;
use crate::harness::life::Life;
use linnet::base::id::{Seq, UserId};
use linnet::chat::change::{Change, What};
use linnet::chat::publication::{Publication, Qos, Subscription};
use linnet::chat::refusal::Refusal;
use linnet::chat::topic::{Filter, Topic};
use linnet::node::{Books as _, Caller, Node};
use linnet::store::index::topics::Topics as _;
use std::collections::BTreeMap;
use std::sync::Arc;

/// A session as the model knows it.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
struct Known {
    user: Option<UserId>,
    heard: Seq,
    dropped: u64,
    left: bool,
    subscriptions: BTreeMap<(String, String), Seq>,
    /// Packet ids that are not released, with the publications they came with.
    receipts: BTreeMap<u16, Seq>,
    /// Packet ids under way: the publication, and whether the client has it.
    under_way: BTreeMap<u16, (Seq, bool)>,
}

/// What was acknowledged of topics.
#[derive(Default)]
pub struct Heard {
    sessions: BTreeMap<String, Known>,
    states: BTreeMap<Topic, Seq>,
    published: Vec<(Seq, Arc<Publication>)>,
    /// What must not have happened.
    wrong: Option<String>,
}

impl Heard {
    /// Takes one more Change in.
    pub fn take(&mut self, change: &Change) {
        let seq = change.seq;
        match &change.what {
            What::Published { publication, receipt } => {
                if let Some(packet) = receipt {
                    let session = self.session(&publication.client);
                    if let Some(before) = session.receipts.insert(*packet, seq) {
                        self.wrong =
                            Some(format!("packet {packet} was taken as {before:?} and again as {seq:?}"));
                    }
                }
                if publication.retain && publication.payload.is_empty() {
                    self.states.remove(&publication.topic);
                } else if publication.retain {
                    self.states.insert(publication.topic.clone(), seq);
                }
                self.published.push((seq, publication.clone()));
            }
            What::ReceiptTaken { client, packet } => drop(self.session(client).receipts.insert(*packet, seq)),
            What::ReceiptReleased { client, packet } => drop(self.session(client).receipts.remove(packet)),
            What::TopicSessionSet(set) => {
                let session = self.session(&set.client);
                session.user = Some(set.user.clone());
                (session.heard, session.dropped, session.left) = (set.heard, set.dropped, set.left);
            }
            What::TopicSessionMoved { client, heard, dropped } => {
                let session = self.session(client);
                (session.heard, session.dropped) = (*heard, *dropped);
            }
            What::TopicSessionGone { client } => drop(self.sessions.remove(client.as_str())),
            What::SubscriptionSet { client, subscription } => {
                let name = name(&subscription.filter, subscription.share.as_deref());
                self.session(client).subscriptions.insert(name, subscription.made);
            }
            What::SubscriptionGone { client, filter, share } => {
                self.session(client).subscriptions.remove(&name(filter, share.as_deref()));
            }
            What::HandedOut { client, deliveries } => {
                let session = self.session(client);
                session.under_way.extend(deliveries.iter().map(|(packet, seq)| (*packet, (*seq, false))));
            }
            What::HandOutStep { client, packet, done: true } => {
                self.session(client).under_way.remove(packet);
            }
            What::HandOutStep { client, packet, done: false } => {
                if let Some((_, received)) = self.session(client).under_way.get_mut(packet) {
                    *received = true;
                }
            }
            _ => {}
        }
    }

    fn session(&mut self, client: &str) -> &mut Known {
        self.sessions.entry(client.into()).or_default()
    }
}

fn name(filter: &Filter, share: Option<&str>) -> (String, String) {
    (share.unwrap_or_default().into(), filter.as_str().into())
}

fn sessions(life: &Life) -> Result<BTreeMap<String, Known>, Refusal> {
    let reading = &life.parts.reading;
    let mut found = BTreeMap::new();
    for session in reading.topic_sessions()? {
        let client = session.client.clone();
        let subscriptions = reading.topic_subscriptions(&client)?;
        let subscriptions =
            subscriptions.iter().map(|one| (name(&one.filter, one.share.as_deref()), one.made));
        let receipts = reading.receipts(&client).unwrap();
        let receipts = receipts.iter().map(|id| (*id, reading.receipt(&client, *id).unwrap().unwrap()));
        let under_way = reading.hand_outs(&client).unwrap();
        let under_way = under_way.iter().map(|(id, of)| (*id, (of.publication, of.received.is_some())));
        let known = Known {
            user: Some(session.user),
            heard: session.heard,
            dropped: session.dropped,
            left: session.left,
            subscriptions: subscriptions.collect(),
            receipts: receipts.collect(),
            under_way: under_way.collect(),
        };
        found.insert(client.to_string(), known);
    }
    Ok(found)
}

/// Every session, state and packet id is what was acknowledged, and what a session has to hear is there, in order, once.
pub fn check(life: &Life, heard: &Heard) -> Result<(), String> {
    let reading = &life.parts.reading;
    let text = |error: Refusal| format!("{error:?}");
    if let Some(wrong) = &heard.wrong {
        return Err(wrong.clone());
    }
    let found = sessions(life).map_err(text)?;
    if found != heard.sessions {
        return Err(format!("acknowledged sessions {:?} are {found:?}", heard.sessions));
    }
    for number in 0..TOPICS {
        let topic = topic(number);
        let state = reading.retained_of(&topic).map_err(text)?;
        if state.as_ref().map(|(seq, _)| *seq) != heard.states.get(&topic).copied() {
            return Err(format!(
                "the acknowledged state of {topic} is {:?}, not {state:?}",
                heard.states.get(&topic)
            ));
        }
    }
    for (client, session) in &heard.sessions {
        let waiting = session.under_way.values().filter(|(_, received)| !received);
        for (seq, _) in waiting {
            if reading.change_of(*seq).map_err(|error| error.to_string())?.is_none() {
                return Err(format!("{seq:?} is on its way to {client}, was acknowledged and is gone"));
            }
        }
    }
    let Some(after) = heard.sessions.values().map(|session| session.heard).min() else { return Ok(()) };
    let (mut at, mut there) = (after, Vec::new());
    while at < reading.newest() {
        let page = reading.publications_after(at, reading.newest(), 7).map_err(text)?;
        at = page.reached;
        there.extend(page.found);
    }
    let expected = heard.published.iter().filter(|(seq, _)| *seq > after);
    let same = |(found, (seq, meant)): (&Arc<Change>, &(Seq, Arc<Publication>))| {
        let What::Published { publication, .. } = &found.what else { return false };
        found.seq == *seq && publication == meant
    };
    if there.len() != expected.clone().count() || !there.iter().zip(expected).all(same) {
        return Err(format!("what was acknowledged after {after:?} is not what is there: {there:?}"));
    }
    Ok(())
}

const TOPICS: u64 = 4;
const CLIENTS: u64 = 2;

fn topic(number: u64) -> Topic {
    Topic::parse(&format!("t/{number}")).unwrap()
}

fn publication(client: &str, words: u64, chance: &mut Chance) -> Publication {
    // Long ones span sectors, so that a power cut tears them; empty ones take a state away.
    let drips = "drip ".repeat(chance.below(200) as usize);
    let payload = if chance.below(6) == 0 { String::new() } else { format!("word {words} {drips}") };
    Publication {
        topic: topic(chance.below(TOPICS)),
        payload: payload.as_bytes().into(),
        qos: Qos::Exactly,
        retain: chance.coin(),
        expiry_s: None,
        properties: chance.coin().then(|| b"p"[..].into()),
        by: UserId::fixed("anybody"),
        client: client.into(),
    }
}

/// Somebody does something with topics; who may not is refused.
pub fn act(node: &mut Node, caller: &Caller, model: &Model, words: u64, chance: &mut Chance) -> Answer {
    let caller = &if chance.below(4) > 0 { Caller::Anonymous } else { caller.clone() };
    let client = format!("client-{}", chance.below(CLIENTS));
    let packet = chance.below(2) as u16;
    let done = |_| Told::Done;
    match chance.below(15) {
        0..5 => {
            let publication = publication(&client, words, chance);
            let receipt = chance.coin().then_some(packet);
            node.transact(|n| n.publish(caller, publication, receipt)).map(|_| Told::Done)
        }
        5 => node.transact(|n| n.release_receipt(caller, &client, packet)).map(|_| Told::Done),
        6 => {
            let clean = chance.below(8) == 0;
            node.transact(|n| n.open_topic_session(caller, &client, Some(9_999), clean)).map(|_| Told::Done)
        }
        7 => node
            .transact(|n| {
                n.close_topic_session(caller, &client, [Some(0), Some(5), None][packet as usize % 3])
            })
            .map(done),
        8 => {
            let filter = Filter::parse(["t/#", "t/1", "+/2"][chance.below(3) as usize])?;
            let share = chance.coin().then(|| "s".into());
            let id = Some(chance.below(9) as u32 + 1);
            let wanted = Subscription {
                filter,
                share,
                qos: Qos::Least,
                no_local: false,
                retain_as_published: false,
                id,
                made: Seq(0),
            };
            node.transact(|n| n.subscribe_topics(caller, &client, vec![wanted])).map(|_| Told::Done)
        }
        9 => {
            let unwanted = vec![(Filter::parse("t/#")?, None), (Filter::parse("t/1")?, Some("s".into()))];
            node.transact(|n| n.unsubscribe_topics(caller, &client, unwanted)).map(|_| Told::Done)
        }
        10..12 => {
            let heard = Seq(model.newest().0.saturating_sub(chance.below(30)));
            node.transact(|n| n.move_topic_session(caller, &client, heard, chance.below(3))).map(done)
        }
        12 => {
            // What the session has not heard, or it may be gone.
            let session = model.topics.sessions.get(&client).map_or(Seq(u64::MAX), |session| session.heard);
            let unheard = model.topics.published.iter().find(|(seq, _)| *seq > session).map(|(seq, _)| *seq);
            match unheard {
                Some(seq) => node.transact(|n| n.hand_out(caller, &client, vec![(packet, seq)])).map(done),
                None => Ok(Told::Done),
            }
        }
        13 => moves_group(node, caller, model, chance),
        _ => node
            .transact(|n| n.step_hand_out(caller, &client, packet, packet.is_multiple_of(2)))
            .map(|_| Told::Done),
    }
}

fn moves_group(node: &mut Node, caller: &Caller, model: &Model, chance: &mut Chance) -> Answer {
    let heard = Seq(model.newest().0.saturating_sub(chance.below(30)));
    let filter = Filter::parse("t/#")?;
    node.transact(|n| n.move_group(caller, "s", &filter, heard)).map(|()| Told::Done)
}
