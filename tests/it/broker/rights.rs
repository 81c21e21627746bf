//! Who may publish and hear what, and what ends that.

use super::client::{Client, Hello};
use super::stage::Stage;
use linnet::chat::device::{DeviceChange, Filters};
use linnet::node::Caller;

#[test]
fn a_device_has_its_own_topics_and_what_its_filters_say() {
    let stage = Stage::open();
    let key = stage.device("porch", "garden", &["out/#"], &["in/+/x"]);
    let mut porch = Client::connect(stage.address, &Hello::new(5, "c").by("porch", &key));
    for (topic, reason) in [
        ("out/a/b", 0),
        ("out", 0),
        ("in/a/x", 0x87),
        ("linnet/device/porch/state", 0),
        ("linnet/device/porch/in", 0x87),
        ("linnet/device/lamp/state", 0x87),
        ("linnet/status", 0x87),
        ("$SYS/broker/uptime", 0x87),
    ] {
        for qos in [1, 2] {
            assert_eq!(porch.publish(topic, "x", qos, false), reason, "{topic}");
        }
    }
    for (filter, reason) in [
        ("in/a/x", 0),
        ("in/+/x", 0),
        ("$share/g/in/+/x", 0),
        ("in/#", 0x87),
        ("#", 0x87),
        ("+/+/x", 0x87),
        ("$share/g/#", 0x87),
        ("$SYS/#", 0x87),
        ("linnet/device/porch/#", 0),
        ("linnet/device/+/state", 0x87),
    ] {
        assert_eq!(porch.subscribe(filter, 0), reason, "{filter}");
    }
    // Before 5.0 nobody can be told no: it is taken, and nobody hears it.
    let mut hears = Client::connect(stage.address, &Hello::new(5, "hears"));
    assert_eq!(hears.subscribe("in/#", 0), 0);
    let mut old = Client::connect(stage.address, &Hello::new(4, "d").by("porch", &key));
    assert_eq!(old.publish("in/a/x", "x", 1, true), 0);
    assert_eq!(old.publish("in/a/x", "x", 2, true), 0);
    assert_eq!(old.subscribe("#", 0), 0x80);
    old.ping();
    hears.ping();
}

#[test]
fn a_right_that_is_taken_ends_at_once() {
    let stage = Stage::open();
    let key = stage.device("porch", "garden", &["a/#"], &["a/#"]);
    let mut porch = Client::connect(stage.address, &Hello::new(5, "c").by("porch", &key));
    let mut other = Client::connect(stage.address, &Hello::new(5, "other"));
    assert_eq!(porch.subscribe("a/#", 1), 1);
    assert_eq!(porch.publish("a/b", "1", 1, false), 0);
    assert_eq!(porch.heard().payload, "1");
    let change = DeviceChange {
        subscribe: Filters::Become(Vec::new()),
        publish: Filters::Become(Vec::new()),
        ..DeviceChange::default()
    };
    stage.operator(|node| node.change_device(&Caller::Operator, "porch", change));
    assert_eq!(other.publish("a/b", "2", 1, false), 0);
    assert_eq!(porch.publish("a/b", "3", 1, false), 0x87, "and 2 was not heard");
    porch.ping();
    stage.operator(|node| node.change_key(&Caller::Operator, "porch"));
    assert_eq!(porch.end(), Some(0x87));
    assert_eq!(Client::knock(stage.address, &Hello::new(5, "c").by("porch", &key)).connack.1, 0x86);
}
