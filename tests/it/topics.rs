//! Topics in the node: what is published is kept as long as somebody needs it, and sessions outlive their connections.

mod condense;
mod groups;
mod retained;
mod rounds;
mod sessions;

use crate::harness::life::Life;
use crate::sim::check;
use linnet::base::id::{Seq, UserId};
use linnet::chat::change::What;
use linnet::chat::publication::{Publication, Qos, Subscription};
use linnet::chat::refusal::Refusal;
use linnet::chat::topic::{Filter, Topic};
use linnet::node::Caller;

fn topic(text: &str) -> Topic {
    Topic::parse(text).unwrap()
}

/// What the client *pump* says.
fn publication(about: &str, payload: &str) -> Publication {
    Publication {
        topic: topic(about),
        payload: payload.as_bytes().into(),
        qos: Qos::Least,
        retain: false,
        expiry_s: None,
        properties: None,
        by: UserId::fixed("whoever"),
        client: "pump".into(),
    }
}

fn retained(about: &str, payload: &str) -> Publication {
    Publication { retain: true, ..publication(about, payload) }
}

fn publish(life: &mut Life, caller: &Caller, publication: Publication) -> Seq {
    life.call(|n| n.publish(caller, publication, None)).unwrap()
}

fn to(filter: &str) -> Subscription {
    Subscription {
        filter: Filter::parse(filter).unwrap(),
        share: None,
        qos: Qos::Least,
        no_local: false,
        retain_as_published: false,
        id: None,
        made: Seq(0),
    }
}

/// A session of this client that hears these filters.
fn session(life: &mut Life, caller: &Caller, client: &str, filters: &[&str]) -> Seq {
    let opened = life.call(|n| n.open_topic_session(caller, client, None, false)).unwrap();
    let wanted = filters.iter().map(|filter| to(filter)).collect();
    let answers = life.call(|n| n.subscribe_topics(caller, client, wanted)).unwrap();
    assert!(answers.iter().all(Result::is_ok), "{answers:?}");
    opened.session.heard
}

/// What was published after a place, with its sequence; pages of two.
fn heard(life: &Life, after: Seq) -> Vec<(Seq, String)> {
    let reading = &life.parts.reading;
    let (mut at, mut found) = (after, Vec::new());
    while at < reading.newest() {
        let page = reading.publications_after(at, reading.newest(), 2).unwrap();
        assert!(page.reached > at);
        at = page.reached;
        for change in page.found {
            let What::Published { publication, .. } = &change.what else { panic!("{change:?}") };
            found.push((change.seq, String::from_utf8(publication.payload.to_vec()).unwrap()));
        }
    }
    found
}

fn payloads(life: &Life, after: Seq) -> Vec<String> {
    heard(life, after).into_iter().map(|(_, payload)| payload).collect()
}

fn state_of(life: &Life, about: &str) -> Option<String> {
    let found = life.parts.reading.retained_of(&topic(about)).unwrap();
    found.map(|(_, publication)| String::from_utf8(publication.payload.to_vec()).unwrap())
}

/// The index is what the journal gives, after a power cut too; the life goes on from there.
fn rebuilt(life: Life) -> Life {
    check::index(&life, &life.world).unwrap();
    let life = Life::open(life.world, life.disk.crash(), Default::default()).unwrap();
    check::index(&life, &life.world).unwrap();
    life
}

fn check_refused<T: std::fmt::Debug>(answer: Result<T, Refusal>, refusal: Refusal) {
    assert_eq!(answer.err(), Some(refusal));
}
