//! The state of topics.

use super::{check_refused, publication, publish, rebuilt, retained, session, state_of, topic};
use crate::harness::life::Life;
use linnet::base::limits::{
    CHANGE_BYTES_MAX, PUBLICATION_BYTES_MAX, PUBLICATION_PROPERTIES_BYTES_MAX, RETAINED_MAX, TOPIC_BYTES_MAX,
};
use linnet::chat::policy::{self, MaySubscribe};
use linnet::chat::publication::Publication;
use linnet::chat::refusal::{Refusal, Right};
use linnet::chat::topic::{Filter, Topic};
use linnet::chat::user::Role;
use linnet::node::Caller;
use linnet::node::condense::Scope;
use linnet::store::backup::{Head, Mode, Source, Writing};

fn permit(life: &Life, caller: &Caller, filter: &str) -> MaySubscribe {
    let actor = life.parts.reading.actor(caller).unwrap();
    policy::may_subscribe(&actor, &Filter::parse(filter).unwrap()).unwrap()
}

/// The states of a filter's topics, page by page.
fn states(life: &Life, caller: &Caller, filter: &str, max: usize) -> Vec<String> {
    let permit = permit(life, caller, filter);
    let (mut after, mut found): (Option<Topic>, Vec<String>) = (None, Vec::new());
    loop {
        let page = life.parts.reading.retained(&permit, after.as_ref(), max).unwrap();
        assert!(page.found.len() <= max);
        let text = |publication: &Publication| {
            format!("{}={}", publication.topic, String::from_utf8_lossy(&publication.payload))
        };
        found.extend(page.found.iter().map(|(_, publication, _)| text(publication)));
        match page.reached {
            Some(reached) => after = Some(reached),
            None => return found,
        }
    }
}

#[test]
fn a_retained_publication_is_the_state_of_its_topic_until_it_is_cleared() {
    let mut life = Life::begin(1);
    let (_, alice) = life.user("alice", &[Role::Admin]);
    for (about, payload) in
        [("a/b", "1"), ("a", "2"), ("a/b/c", "3"), ("ab", "4"), ("$x/y", "5"), ("a/b", "6")]
    {
        if !about.starts_with('$') {
            publish(&mut life, &alice, retained(about, payload));
        }
    }
    publish(&mut life, &alice, publication("a/b", "only heard"));
    for max in [1, 2, 100] {
        assert_eq!(states(&life, &alice, "a/#", max), ["a=2", "a/b=6", "a/b/c=3"]);
        assert_eq!(states(&life, &alice, "+/b", max), ["a/b=6"]);
        assert_eq!(states(&life, &alice, "#", max), ["a=2", "a/b=6", "a/b/c=3", "ab=4"]);
    }
    publish(&mut life, &alice, retained("a/b", ""));
    assert_eq!(states(&life, &alice, "a/#", 2), ["a=2", "a/b/c=3"]);
    assert_eq!(state_of(&life, "a/b"), None);
    life.condense(Scope::All).unwrap();
    let life = rebuilt(life);
    assert_eq!(states(&life, &alice, "#", 2), ["a=2", "a/b/c=3", "ab=4"]);
}

#[test]
fn who_may_not_publish_leaves_no_state() {
    let mut life = Life::begin(2);
    let (_, bob) = life.user("bob", &[Role::User]);
    check_refused(
        life.call(|n| n.publish(&bob, retained("a", "1"), None)),
        Refusal::NotAllowed(Right::Publish),
    );
    assert_eq!(state_of(&life, "a"), None);
    let anonymous = Caller::Anonymous;
    publish(&mut life, &anonymous, retained("a", "1"));
    let (_, found) = life.parts.reading.retained_of(&topic("a")).unwrap().unwrap();
    assert_eq!(found.by.as_str(), "anonymous", "whoever it said it was");
    for own in ["linnet/status", "linnet/device/pump/state", "$SYS/a"] {
        let answer = life.call(|n| n.publish(&anonymous, retained(own, "1"), None));
        check_refused(answer, Refusal::NotAllowed(Right::Publish));
    }
}

#[test]
fn the_largest_publication_is_kept_and_carried_by_a_backup() {
    let mut life = Life::begin(3);
    let (_, alice) = life.user("alice", &[Role::Admin]);
    let about = "t".repeat(TOPIC_BYTES_MAX);
    let largest = Publication {
        payload: vec![7; PUBLICATION_BYTES_MAX].into(),
        properties: Some(vec![8; PUBLICATION_PROPERTIES_BYTES_MAX].into()),
        client: "c".repeat(256).into(),
        ..retained(&about, "")
    };
    session(&mut life, &alice, &largest.client, &["#"]);
    let too_large = Publication { payload: vec![7; PUBLICATION_BYTES_MAX + 1].into(), ..largest.clone() };
    let refusal = Refusal::TooLarge { what: "a publication", max: PUBLICATION_BYTES_MAX };
    check_refused(life.call(|n| n.publish(&alice, too_large, None)), refusal);
    let seq = life.call(|n| n.publish(&alice, largest.clone(), Some(9))).unwrap();
    let (found, kept) = life.parts.reading.retained_of(&topic(&about)).unwrap().unwrap();
    assert_eq!((found, &kept.payload, &kept.properties), (seq, &largest.payload, &largest.properties));
    assert!(largest.payload.len() < CHANGE_BYTES_MAX);

    let head = Head {
        salt: 1,
        node: life.parts.reading.node_number().unwrap(),
        created: 0,
        last_seq: life.parts.reading.newest().0,
        trusted: false,
        test_mode: false,
        version: "test".into(),
    };
    let journal = life.parts.reading.journal();
    let mut writing = Writing::begin(journal, journal.pin(), journal.end(), head);
    let mut backup: Vec<u8> = Vec::new();
    while let Some(piece) = writing.next_piece().unwrap() {
        backup.extend_from_slice(&piece);
    }
    let mut source = Source::open(&backup[..], Mode::Whole).unwrap();
    let mut carried = 0;
    let mut take = |at: u64, payload: &[u8]| {
        carried += usize::from(at == seq.0 && payload.len() > PUBLICATION_BYTES_MAX);
        Ok(())
    };
    while source.next_changes(&mut take).unwrap() {}
    assert_eq!(carried, 1);
    let life = rebuilt(life);
    assert!(life.parts.reading.retained_of(&topic(&about)).unwrap().is_some());
}

#[test]
fn so_many_topics_have_a_state_and_no_more() {
    let mut life = Life::begin(4);
    let (_, alice) = life.user("alice", &[Role::Admin]);
    let mut number = 0;
    while number < RETAINED_MAX {
        let some = 2_000.min(RETAINED_MAX - number);
        let answer = life.call(|n| {
            (number..number + some)
                .try_for_each(|at| n.publish(&alice, retained(&format!("t/{at}"), "1"), None).map(drop))
        });
        answer.unwrap();
        number += some;
    }
    let refusal = Refusal::TooMany { what: "topics with a retained publication", max: RETAINED_MAX };
    let full = |life: &mut Life, one_more: &str| {
        check_refused(life.call(|n| n.publish(&alice, retained(one_more, "1"), None)), refusal.clone());
        publish(life, &alice, retained("t/8", "again"));
    };
    full(&mut life, "more");
    // After a power cut they are counted again.
    let mut life = Life::open(life.world, life.disk.crash(), life.index.crash(3)).unwrap();
    full(&mut life, "more");
    publish(&mut life, &alice, retained("t/7", ""));
    publish(&mut life, &alice, retained("more", "1"));
    full(&mut life, "and more");
}
