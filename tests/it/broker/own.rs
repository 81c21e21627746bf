//! What the node itself says of topics.

use super::client::{Client, Hello};
use super::stage::Stage;
use std::collections::BTreeMap;

#[test]
fn whether_the_node_is_there_is_told_at_once_and_when_it_goes() {
    let mut stage = Stage::open();
    let key = stage.device("porch", "garden", &[], &[]);
    let mut clients: Vec<Client> = [3, 4, 5]
        .into_iter()
        .map(|version| {
            let hello = Hello::new(version, &format!("c{version}")).by("porch", &key);
            Client::connect(stage.address, &hello)
        })
        .collect();
    for client in &mut clients {
        assert!(client.subscribe("linnet/status", 1) < 3);
        let heard = client.heard();
        assert_eq!(heard.payload, r#"{"state":"online","version":"0.1.0"}"#);
        assert!(heard.retain, "it stands for whoever comes");
        client.ping();
    }
    stage.close_door();
    for client in &mut clients {
        assert_eq!(client.heard().payload, r#"{"state":"offline","version":"0.1.0"}"#);
    }
}

#[test]
fn every_figure_is_told_at_once() {
    // The next telling is an hour away.
    let stage = Stage::with(|settings| settings.sys_interval_s = 3_600);
    let mut first = Client::connect(stage.address, &Hello::new(4, "first"));
    assert_eq!(first.publish("a", "1", 1, true), 0);
    assert_eq!(first.publish("b", "1", 1, true), 0);
    let mut client = Client::connect(stage.address, &Hello::new(5, "c"));
    assert_eq!(client.subscribe("$SYS/#", 0), 0);
    let mut figures = BTreeMap::new();
    for _ in 0..40 {
        let heard = client.heard();
        assert!(heard.retain, "{}", heard.topic);
        let name = heard.topic.strip_prefix("$SYS/broker/").unwrap().to_owned();
        assert_eq!(figures.insert(name.clone(), heard.payload), None, "{name} twice");
    }
    client.ping();
    for (name, figure) in [
        ("clients/connected", "2"),
        ("clients/total", "2"),
        ("clients/maximum", "2"),
        ("subscriptions/count", "1"),
    ] {
        assert_eq!(figures[name], figure, "{name}: {figures:?}");
    }
    assert_eq!(figures["version"], "linnet 0.1.0");
    assert!(figures["uptime"].ends_with(" seconds"));
    for name in ["messages/received", "messages/sent", "bytes/received", "publish/messages/received"] {
        assert!(figures[name].parse::<u64>().unwrap() >= 2, "{name}: {figures:?}");
    }
    for name in ["messages/stored", "retained messages/count", "load/messages/received/15min"] {
        assert!(figures.contains_key(name), "{name}: {figures:?}");
    }
}

#[test]
fn the_figures_go_on_to_be_told() {
    let stage = Stage::open();
    let mut client = Client::connect(stage.address, &Hello::new(5, "c"));
    assert_eq!(client.publish("a", "1", 1, true), 0);
    assert_eq!(client.subscribe("$SYS/broker/retained messages/count", 0), 0);
    // A second passes between two tellings; without a change to the figure the client would wait in vain.
    while client.heard().payload != "1" {}
}

#[test]
fn figures_are_for_those_who_may_hear_them() {
    let stage = Stage::with(|settings| settings.sys_interval_s = 3_600);
    let key = stage.device("porch", "garden", &[], &["#"]);
    let mut porch = Client::connect(stage.address, &Hello::new(5, "porch").by("porch", &key));
    assert_eq!(porch.subscribe("$SYS/#", 0), 0x87);
    assert_eq!(porch.subscribe("#", 0), 0);
    // As with the figures, a wildcard for the first level does not ask for what the node says of itself.
    porch.ping();
    assert_eq!(porch.subscribe("linnet/+", 0), 0);
    assert_eq!(porch.heard().topic, "linnet/status");
}
