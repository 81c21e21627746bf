//! Who speaks to a device, who hears it, and what ends that.

use super::{asked, last, person, pump, said, say};
use crate::broker::client::{Client, Hello};
use crate::broker::stage::Stage;
use linnet::chat::device::{DeviceChange, Filters};
use linnet::chat::refusal::Refusal;
use linnet::chat::topic::Filter;
use linnet::node::Caller;

fn allow(stage: &Stage, name: &'static str, change: DeviceChange) {
    stage.operator(move |node| node.change_device(&Caller::Operator, name, change));
}

fn these(filters: &[&str]) -> Filters {
    Filters::Become(filters.iter().map(|filter| Filter::parse(filter).unwrap()).collect())
}

#[test]
fn nobody_hears_or_answers_for_another_device() {
    let stage = Stage::open();
    let mut pump = pump(&stage, 5);
    let alice = person(&stage, "alice");
    let key = stage.device("spy", "attic", &["#"], &["#", "+/device/+/in"]);
    let mut spy = Client::connect(stage.address, &Hello::new(5, "spy").by("spy", &key));
    let mut nobody = Client::connect(stage.address, &Hello::new(5, "nobody"));
    for client in [&mut spy, &mut nobody] {
        for filter in ["linnet/device/pump/in", "linnet/device/pump/out", "linnet/device/+/in"] {
            assert_eq!(client.subscribe(filter, 1), 0x87, "{filter}");
        }
        assert_eq!(client.subscribe("#", 0x21), 1, "and is told what it may hear of all");
        assert_eq!(client.subscribe("$share/g/#", 1), 1);
        assert_eq!(client.publish("linnet/device/pump/in", "on", 1, false), 0x87);
        assert_eq!(client.publish("linnet/device/pump/out", "on", 1, false), 0x87);
    }
    say(&stage, &alice, "garden", "@pump on", None);
    assert_eq!(asked(&mut pump)["text"], "on");
    assert_eq!(pump.publish("linnet/device/pump/out", "done", 1, false), 0);
    assert_eq!(last(&stage, "garden").text.as_str(), "done");
    spy.ping();
    nobody.ping();
    // A right that names devices was meant.
    allow(
        &stage,
        "spy",
        DeviceChange { subscribe: these(&["linnet/device/+/in"]), ..DeviceChange::default() },
    );
    assert_eq!(spy.subscribe("linnet/device/+/in", 1), 1);
    say(&stage, &alice, "garden", "@pump off", None);
    assert_eq!(asked(&mut spy)["text"], "off");
}

#[test]
fn an_absent_session_hears_no_more_than_one_that_is_there() {
    let stage = Stage::open();
    let _pump = pump(&stage, 4);
    let alice = person(&stage, "alice");
    let key = stage.device("spy", "attic", &[], &["#"]);
    let hello = Hello::staying(4, "spy").by("spy", &key);
    let mut spy = Client::connect(stage.address, &hello);
    assert_eq!(spy.subscribe("#", 1), 1);
    spy.leave();
    super::away(&stage);
    say(&stage, &alice, "garden", "@pump on", None);
    let mut nobody = Client::connect(stage.address, &Hello::new(5, "nobody"));
    assert_eq!(nobody.publish("a", "for all", 1, false), 0);
    let mut spy = Client::connect(stage.address, &hello);
    assert_eq!(spy.heard().payload, "for all");
    spy.ping();
}

#[test]
fn a_device_speaks_to_those_it_may_command() {
    let stage = Stage::open();
    let mut pump = pump(&stage, 5);
    let key = stage.device("panel", "garden", &[], &[]);
    let mut panel = Client::connect(stage.address, &Hello::new(5, "panel").by("panel", &key));
    assert_eq!(panel.publish("linnet/room/garden/post", "@pump on", 1, false), 0);
    assert_eq!(panel.publish("linnet/device/pump/in", "on", 1, false), 0x87);
    pump.ping();
    allow(&stage, "panel", DeviceChange { command: these(&["pump"]), ..DeviceChange::default() });
    assert_eq!(panel.publish("linnet/room/garden/post", "@pump on", 1, false), 0);
    assert_eq!(asked(&mut pump)["from"], "panel");
    // Directly as well; and whatever it wants, that is not the state of anything.
    assert_eq!(panel.publish("linnet/device/pump/in", "raw", 1, true), 0);
    let told = pump.heard();
    assert_eq!((told.payload.as_str(), told.retain), ("raw", false));
    assert_eq!(told.properties, [2, 0, 0, 0, 30], "for half a minute");
    assert_eq!(pump.subscribe("linnet/device/pump/#", 1), 1);
    pump.ping();
    // It says nothing to itself.
    assert_eq!(pump.publish("linnet/room/garden/post", "@pump on", 1, false), 0);
    pump.ping();
}

#[test]
fn only_who_is_in_the_same_room_speaks_to_a_device() {
    let stage = Stage::open();
    let mut pump = pump(&stage, 5);
    stage.device("lamp", "workshop", &[], &[]);
    let alice = person(&stage, "alice");
    say(&stage, &alice, "workshop", "@pump on", None);
    assert_eq!(said(&stage, "workshop").len(), 1, "and nothing is told of a device that is elsewhere");
    pump.ping();
    say(&stage, &alice, "garden", "@pump on", None);
    assert_eq!(asked(&mut pump)["text"], "on");
    let bob = person(&stage, "bob");
    let garden = super::room(&stage, "garden");
    stage.operator({
        let garden = garden.clone();
        move |node| {
            let read_only = linnet::node::rooms::RoomPatch { read_only: Some(true), ..Default::default() };
            node.change_room(&Caller::Operator, &garden, read_only)
        }
    });
    let draft = crate::harness::life::words("@pump off");
    let caller = bob.clone();
    let refused = stage.node.call_blocking(&bob, move |node| node.post_message(&caller, &garden, draft));
    assert_eq!(refused.err(), Some(Refusal::RoomReadOnly));
    pump.ping();
    // Its key ends in the middle of the talk.
    stage.operator(|node| node.change_key(&Caller::Operator, "pump"));
    stage.operator({
        let garden = super::room(&stage, "garden");
        move |node| node.post_message(&Caller::Operator, &garden, crate::harness::life::words("@pump off"))
    });
    assert_eq!(pump.end(), Some(0x87));
}
