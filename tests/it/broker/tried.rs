//! What topics say, seen before it is bound and said when it is.

use super::client::{Client, Hello};
use crate::harness::mosquitto::{Mosquitto, program};
use crate::harness::process::Process;
use crate::harness::site::Served;
use crate::program::Desk;
use linnet::chat::user::Role;
use linnet::doors::mqtt::server::{Broker, Settings, trier};
use serde_json::{Value, json};
use std::net::SocketAddr;
use std::sync::Arc;

fn publish(mqtt: SocketAddr, words: &[&str]) {
    let mut tool = program("mosquitto_pub");
    let port = mqtt.port().to_string();
    let done = tool.args(["-h", "127.0.0.1", "-p", &port, "-q", "1"]).args(words).output().unwrap();
    assert!(done.status.success(), "{done:?}");
}

fn tried(desk: &Desk, line: &str) -> Value {
    let ran = desk.run(line);
    assert_eq!(ran.code, 0, "{}", ran.err);
    serde_json::from_str(&ran.out).unwrap()
}

const DOOR: &str = r#"{"battery":97,"contact":false,"linkquality":120}"#;

#[test]
fn what_is_tried_says_nothing_and_its_block_says_it_as_shown() {
    let desk = Desk::with(&[]);
    let node = Process::start(&desk, "--mqtt 127.0.0.1:0");
    publish(node.mqtt.unwrap(), &["-t", "zigbee2mqtt/door", "-m", DOOR, "-r"]);
    let found = tried(&desk, "mqtt try zigbee2mqtt/+ --for 1s --json --room house");
    let expected = json!({
        "topic": "zigbee2mqtt/door", "payload": DOOR, "retained": true, "text": "door: false", "withheld": null
    });
    assert_eq!((&found["messages"], found["more"].as_bool()), (&json!([expected]), Some(false)));
    let shown = desk.run("mqtt try zigbee2mqtt/+ --for 1s --value battery --text {device}={value}%");
    assert!(shown.out.contains("\n  reads  door=97%\n"), "{}", shown.out);
    assert!(
        shown
            .out
            .contains("\n[[bind]]\ntopic = \"zigbee2mqtt/+\"\nroom = \"general\"\nvalue = \"battery\"\n")
    );
    let rooms: Value = serde_json::from_str(&desk.run("room list --json").out).unwrap();
    assert!(rooms.as_array().unwrap().iter().all(|room| room["messages"] == 0), "nothing was said: {rooms}");
    assert_eq!(node.stop(), 0);

    // The block as it was printed.
    let keys = found["keys"].as_str().unwrap();
    std::fs::write(desk.path().join("linnet.toml"), format!("[[bind]]\n{keys}")).unwrap();
    let node = Process::start(&desk, "--mqtt 127.0.0.1:0");
    publish(node.mqtt.unwrap(), &["-t", "zigbee2mqtt/door", "-m", DOOR]);
    assert_eq!(node.stop(), 0);
    assert!(desk.run("tail house").out.contains("door: false"));
}

#[test]
fn what_comes_while_it_listens_is_shown_with_what_would_be_withheld() {
    let desk = Desk::with(&[]);
    let node = Process::start(&desk, "--mqtt 127.0.0.1:0");
    let mut porch = Client::connect(node.mqtt.unwrap(), &Hello::new(4, "porch"));
    let line = "mqtt try home/# --for 60s --json";
    let found = std::thread::scope(|scope| {
        let trying = scope.spawn(|| tried(&desk, line));
        // It ends by itself when it has as many as it shows.
        while !trying.is_finished() {
            porch.publish("home/a/humidity", "55", 1, false);
        }
        trying.join().unwrap()
    });
    let messages = found["messages"].as_array().unwrap();
    assert_eq!((messages.len(), found["more"].as_bool()), (50, Some(true)));
    assert_eq!((&messages[0]["text"], &messages[0]["withheld"]), (&json!("a/humidity: 55 %"), &Value::Null));
    assert_eq!(messages[1]["withheld"], "no change, or too small a one");
    assert!(found["keys"].as_str().unwrap().contains("deadband = 2\nevery = \"10m\"\n"), "{found}");
    assert_eq!(node.stop(), 0);
}

#[test]
fn what_is_asked_for_wrongly_or_of_nobody_is_refused_with_what_to_do() {
    let desk = Desk::with(&[]);
    assert_eq!(Process::start(&desk, "--mqtt off").stop(), 0);
    for (line, code, words) in [
        ("mqtt try a#", 2, "the filter is a topic filter where '#' is the last level"),
        ("mqtt try a --value b..c", 2, "the value is keys into the payload's JSON"),
        ("mqtt try a --text {vlaue}", 2, "did you mean '{value}'?"),
        ("mqtt try a --for 30", 2, "'--for' takes a time such as 30s"),
        ("mqtt try a --for 1d", 2, "at most 600s"),
        ("mqtt try a", 1, "no node runs here that has a broker"),
        ("mqtt try a --bridge porch", 1, "no bridge is named 'porch'"),
    ] {
        let ran = desk.run(line);
        assert!(ran.code == code && ran.err.contains(words), "{line}: {} {}", ran.code, ran.err);
    }
}

#[tokio::test]
async fn another_broker_is_looked_at_by_its_address_or_as_a_bridge_does() {
    let broker = Mosquitto::start().await;
    broker.publish("tele/porch/SENSOR", r#"{"Time":"2026","DS18B20":{"Temperature":21.5}}"#, &["-r"]);
    let url = format!("mqtt://127.0.0.1:{}", broker.port);
    let bridge = format!("[[bridge]]\nname = 'home'\nurl = '{url}'\nroom = 'garden'\ntopic = 'x'\n");
    let desk = Desk::with(&[("linnet.toml", &bridge)]);
    for name in ["home", &url] {
        let found = tried(&desk, &format!("mqtt try tele/+/SENSOR --for 1s --json --bridge {name}"));
        assert_eq!(found["messages"][0]["text"], "porch: 21.5 °C", "{found}");
        let keys = found["keys"].as_str().unwrap();
        assert!(keys.contains("value = \"DS18B20.Temperature\"\nunit = \"°C\"\ndeadband = 0.5\n"), "{keys}");
        assert_eq!(keys.contains(&format!("url = \"{url}\"\n")), name == url, "{keys}");
    }
}

#[test]
fn administrators_try_through_the_api_and_nobody_else() {
    let settings = Settings {
        anonymous: true,
        sys_interval_s: 0,
        version: "0.1.0",
        sockets_max: 10,
        keep_alive_max_s: 0,
    };
    let served = Served::start_with(|site| {
        site.test_mode = true;
        site.trier = Some(trier(Arc::new(Broker::new(site.node.clone(), settings))));
    });
    let (alice, bob) =
        (served.person("alice", &[Role::User, Role::Admin]), served.person("bob", &[Role::User]));
    served.operator(|node| {
        let publication = linnet::chat::publication::Publication {
            topic: linnet::chat::topic::Topic::fixed("stat/lamp/POWER"),
            payload: Box::from(*b"ON"),
            qos: linnet::chat::publication::Qos::Least,
            retain: true,
            expiry_s: None,
            properties: None,
            by: linnet::node::caller::NODE_USER,
            client: "c".into(),
        };
        node.publish(&linnet::node::Caller::Operator, publication, None)
    });
    let path = "/api/linnet/v1/mqtt/try?seconds=1&filter=stat/%2B/POWER";
    let heard = served.get_as(&alice, path);
    let found = heard.json();
    assert_eq!((heard.status, &found["messages"][0]["text"]), (200, &json!("lamp: ON")), "{found}");
    assert_eq!(
        found["toml"],
        "[[bind]]\ntopic = \"stat/+/POWER\"\nroom = \"general\"\non = \"change\"\ntext = \"{device}: {value}\"\n"
    );
    assert_eq!(served.get_as(&alice, "/api/linnet/v1/mqtt/try?filter=a%23").status, 400);
    assert_eq!(served.get_as(&alice, "/api/linnet/v1/mqtt/try").status, 400);
    assert_eq!(served.get_as(&bob, path).status, 403);
    assert_eq!(served.get(path).status, 401);
}
