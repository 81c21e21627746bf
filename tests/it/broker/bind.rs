//! Topics that are said in rooms.

use super::client::{Client, Hello, reason, text};
use super::stage::Stage;
use crate::harness::mosquitto::program;
use crate::harness::process::Process;
use crate::harness::wait::until;
use crate::program::Desk;
use linnet::base::id::Seq;
use linnet::chat::message::MessageKind;
use linnet::chat::refusal::Refusal;
use linnet::node::Caller;

/// What is on the disk of a room: who said what.
fn said(stage: &Stage, room: &str) -> Vec<(String, String)> {
    let page = stage.node.read(|reading| {
        let (_, granted) = reading.room_for(&reading.actor(&Caller::Operator)?, room)?;
        reading.messages_after(&granted.permit, Seq(0), 100)
    });
    // The door makes the rooms when it opens.
    let page = if page == Err(Refusal::NoSuchRoom) { Vec::new() } else { page.unwrap() };
    let messages = page.into_iter().filter(|message| message.kind == MessageKind::Said);
    messages.map(|said| (said.author.username.to_string(), said.text.as_str().to_owned())).collect()
}

fn texts(stage: &Stage, room: &str) -> Vec<String> {
    said(stage, room).into_iter().map(|(_, text)| text).collect()
}

/// Bytes of the journal: what the disk was given.
fn disk(stage: &Stage) -> u64 {
    stage.node.read(|reading| Ok(reading.journal_size().1)).unwrap()
}

const TEMPERATURE: &str = r#"
[[bind]]
topic = "tele/+/SENSOR"
room = "garden"
value = "DS18B20.Temperature"
unit = "°C"
"#;

fn report(degrees: &str) -> String {
    format!(r#"{{"Time":"2026-01-02T03:04:05","DS18B20":{{"Temperature":{degrees}}},"TempUnit":"C"}}"#)
}

#[test]
fn a_value_is_said_with_its_unit_by_its_device_and_acknowledged_when_it_is_on_disk() {
    let stage = Stage::bound(TEMPERATURE);
    // Its own room is another one: the binding is the owner's word.
    let key = stage.device("porch", "workshop", &["tele/porch/#"], &[]);
    for (version, qos) in [(4, 1), (5, 1), (4, 2), (5, 2)] {
        let before = texts(&stage, "garden").len();
        let client = format!("c{version}{qos}");
        let mut porch = Client::connect(stage.address, &Hello::new(version, &client).by("porch", &key));
        assert_eq!(porch.publish("tele/porch/SENSOR", &report("21.5"), qos, false), 0);
        // Only what is synced can be read.
        assert_eq!(said(&stage, "garden")[before..], [("porch".into(), "porch: 21.5 °C".into())]);
        porch.leave();
    }
    let mut somebody = Client::connect(stage.address, &Hello::new(4, "somebody"));
    somebody.publish("tele/shed/SENSOR", &report("-3"), 1, false);
    assert_eq!(said(&stage, "garden")[4..], [("mqtt".into(), "shed: -3 °C".into())]);
}

#[test]
fn only_who_may_publish_is_heard() {
    let stage = Stage::bound(&format!("{TEMPERATURE}on = 'change'\n"));
    let key = stage.device("porch", "garden", &["tele/porch/#"], &[]);
    let mut porch = Client::connect(stage.address, &Hello::new(5, "porch").by("porch", &key));
    assert_eq!(porch.publish("tele/shed/SENSOR", &report("1"), 1, false), 0x87);
    assert_eq!(texts(&stage, "garden"), Vec::<String>::new());
    // What was refused is not what was said last.
    let mut shed = Client::connect(stage.address, &Hello::new(5, "shed"));
    assert_eq!(shed.publish("tele/shed/SENSOR", &report("1"), 1, false), 0);
    assert_eq!(texts(&stage, "garden"), ["shed: 1 °C"]);
}

#[test]
fn what_is_withheld_costs_no_disk_and_reaches_who_listens() {
    let stage = Stage::bound(&format!("{TEMPERATURE}deadband = 0.5\n"));
    let mut hears = Client::connect(stage.address, &Hello::new(4, "hears"));
    hears.subscribe("tele/#", 1);
    let mut porch = Client::connect(stage.address, &Hello::new(4, "porch"));
    porch.publish("tele/porch/SENSOR", &report("21.4"), 1, false);
    assert_eq!(hears.heard().payload, report("21.4"));
    let before = disk(&stage);
    for degrees in ["21.5", "21.8", "21.1", "null", "\"?\""] {
        assert_eq!(porch.publish("tele/porch/SENSOR", &report(degrees), 1, false), 0);
        assert_eq!(hears.heard().payload, report(degrees));
    }
    assert_eq!(disk(&stage), before, "nothing was written");
    porch.publish("tele/porch/SENSOR", &report("21.9"), 1, false);
    assert!(disk(&stage) > before);
    assert_eq!(texts(&stage, "garden"), ["porch: 21.4 °C", "porch: 21.9 °C"]);
}

#[test]
fn a_state_is_said_when_it_changes_and_a_will_says_its_own() {
    let stage = Stage::bound(
        "[[bind]]\ntopic = 'tele/+/LWT'\nroom = 'garden'\non = 'change'\ntext = '{device} {value}'",
    );
    let mut hello = Hello::new(4, "porch");
    hello.will = Some(("tele/porch/LWT".into(), "Offline".into(), 1, true));
    let mut porch = Client::connect(stage.address, &hello);
    for _ in 0..3 {
        porch.publish("tele/porch/LWT", "Online", 1, true);
    }
    assert_eq!(texts(&stage, "garden"), ["porch Online"]);
    drop(porch);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let gone = || texts(&stage, "garden") == ["porch Online", "porch Offline"];
    runtime.block_on(until("the will is said", gone));
    let mut looks = Client::connect(stage.address, &Hello::new(4, "looks"));
    looks.subscribe("tele/+/LWT", 0);
    assert_eq!(looks.heard_text(), ("tele/porch/LWT".into(), "Offline".into()));
    // The state that is taken away is nothing to say.
    looks.publish("tele/porch/LWT", "", 1, true);
    assert_eq!(texts(&stage, "garden").len(), 2);
}

#[test]
fn of_what_comes_too_often_the_last_is_said_when_its_time_is_over() {
    let stage =
        Stage::bound("[[bind]]\ntopic = 'home/#'\nroom = 'garden'\nevery = '2s'\ntext = '{device}={value}'");
    let mut porch = Client::connect(stage.address, &Hello::new(4, "porch"));
    porch.publish("home/a", "1", 1, false);
    porch.publish("home/b", "1", 1, false);
    let before = disk(&stage);
    for number in ["2", "3", "4"] {
        porch.publish("home/a", number, 1, false);
    }
    porch.publish("home/b", "2", 1, false);
    porch.publish("home/b", "1", 1, false);
    assert_eq!((disk(&stage), texts(&stage, "garden")), (before, vec!["a=1".into(), "b=1".into()]));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(until("the last one is said", || texts(&stage, "garden").len() > 2));
    assert_eq!(texts(&stage, "garden"), ["a=1", "b=1", "a=4"], "b is as it was");
}

#[test]
fn two_bindings_say_one_publication_and_who_listens_hears_it_once() {
    let second = "[[bind]]\ntopic = 'tele/#'\nroom = 'workshop'\ntext = '{topic.2} of {topic.1}'";
    let stage = Stage::bound(&format!("{TEMPERATURE}{second}"));
    let mut hears = Client::connect(stage.address, &Hello::new(4, "hears"));
    hears.subscribe("tele/#", 0);
    let mut porch = Client::connect(stage.address, &Hello::new(4, "porch"));
    porch.publish("tele/porch/SENSOR", &report("7"), 1, false);
    assert_eq!(texts(&stage, "garden"), ["porch: 7 °C"]);
    assert_eq!(texts(&stage, "workshop"), ["SENSOR of porch"]);
    assert_eq!(hears.heard().topic, "tele/porch/SENSOR");
    hears.ping();
}

#[test]
fn what_comes_again_is_not_said_again() {
    let stage =
        Stage::bound("[[bind]]\ntopic = '#'\nroom = 'garden'\n[[bind]]\ntopic = 'a'\nroom = 'workshop'");
    for (version, qos, acked) in [(4, 1, 0x40), (5, 1, 0x40), (4, 2, 0x50)] {
        let before = texts(&stage, "garden").len();
        let hello = Hello::new(version, &format!("c{version}{qos}"));
        let mut first = Client::connect(stage.address, &hello);
        first.put("a", "once", qos << 1, 7, &[]);
        assert_eq!(reason(&first.expect(acked)), 0);
        drop(first);
        let mut again = Client::connect(stage.address, &hello);
        again.put("a", "once", qos << 1 | 8, 7, &[]);
        assert_eq!(reason(&again.expect(acked)), 0);
        assert_eq!(texts(&stage, "garden").len(), before + 1, "{version} {qos}");
        // What nobody had taken is said, though it may have come before; so are the same words with another number.
        again.put("a", "twice", qos << 1 | 8, 8, &[]);
        assert_eq!(reason(&again.expect(acked)), 0);
        again.put("a", "once", qos << 1, 9, &[]);
        assert_eq!(reason(&again.expect(acked)), 0);
        assert_eq!(texts(&stage, "garden").len(), before + 3, "{version} {qos}");
    }
    assert_eq!(texts(&stage, "workshop").len(), 9);
}

#[test]
fn what_rooms_say_does_not_become_a_message_again() {
    let stage = Stage::bound("[[bind]]\ntopic = 'home/#'\nroom = 'garden'\ntext = '{json.text}'");
    let number = stage.node.read(|reading| reading.node_number()).unwrap();
    let mark = |node: u64, id: &str| format!("{node:016x}-7-{id}");
    let line = |node: u64, id: &str| {
        format!(r#"{{"text":"hi","id":"{id}","origin":{{"node":"{node:016x}","seq":7}}}}"#)
    };
    let mut five = Client::connect(stage.address, &Hello::new(5, "five"));
    let property = |mark: &str| [&[0x26][..], &text("linnet-origin"), &text(mark)].concat();
    five.put("home/x", "{}", 2, 3, &property(&mark(number, "own")));
    assert_eq!(reason(&five.answer(0x40)), 0);
    assert_eq!(five.publish("home/x", &line(number, "own"), 1, false), 0);
    let mut own = Client::connect(stage.address, &Hello::new(4, "linnet-own"));
    own.publish("home/x", r#"{"text":"of a bridge"}"#, 1, false);
    assert_eq!(texts(&stage, "garden"), Vec::<String>::new());
    // From elsewhere it is taken once, whichever way it comes.
    for _ in 0..2 {
        assert_eq!(five.publish("home/x", &line(number ^ 1, "theirs"), 1, false), 0);
    }
    assert_eq!(texts(&stage, "garden"), ["hi"]);
}

#[test]
fn nonsense_is_taken_and_does_no_harm() {
    let any = "[[bind]]\ntopic = 'any/#'\nroom = 'workshop'\ntext = '{payload}'";
    let stage = Stage::bound(&format!("{TEMPERATURE}deadband = '5%'\n{any}"));
    let mut porch = Client::connect(stage.address, &Hello::new(5, "porch"));
    let deep = "[".repeat(100_000);
    let large = "x".repeat(200_000);
    let huge = report(&format!("1e{}", "9".repeat(400)));
    for payload in ["", "{", "\0", "null", "\"\"", &deep, &large, &huge, &report("{}"), &report("true")] {
        assert_eq!(porch.publish("tele/porch/SENSOR", payload, 1, false), 0);
        assert_eq!(porch.publish("any/thing", payload, 1, false), 0);
    }
    assert_eq!(texts(&stage, "garden"), Vec::<String>::new());
    let heard = texts(&stage, "workshop");
    assert_eq!((heard.len(), heard[1].as_str()), (9, "(1 bytes, not text)"), "an empty one says nothing");
    assert!(heard[5].starts_with("xxx") && heard[5].ends_with("more characters)"), "{}", heard[5]);
    // A room that is gone stops no device.
    stage.operator(|node| {
        let room = node
            .set_up_bridge(&linnet::chat::name::Name::fixed("x"), &linnet::chat::name::Name::fixed("garden"))?
            .1;
        node.remove_room(&Caller::Operator, &room)
    });
    assert_eq!(porch.publish("tele/porch/SENSOR", &report("5"), 1, false), 0);
    assert_eq!(texts(&stage, "workshop").len(), 9);
}

#[test]
fn what_was_acknowledged_is_said_for_good_and_once() {
    let desk = Desk::with(&[("linnet.toml", TEMPERATURE)]);
    let serve = || {
        let node = Process::start(&desk, "--mqtt 127.0.0.1:0");
        let mqtt = node.mqtt.unwrap();
        (node, mqtt)
    };
    let lines = || {
        let listed: Vec<String> = desk.run("tail garden").out.lines().map(str::to_owned).collect();
        listed.iter().filter(|line| line.contains(" °C")).count()
    };
    let (node, mqtt) = serve();
    let hello = Hello::new(4, "porch");
    let mut porch = Client::connect(mqtt, &hello);
    for degrees in 1..=5 {
        porch.put("tele/porch/SENSOR", &report(&degrees.to_string()), 2, degrees, &[]);
        assert_eq!(reason(&porch.expect(0x40)), 0);
    }
    node.kill();
    assert_eq!(lines(), 5);
    let (node, mqtt) = serve();
    // It did not hear that the last one was taken.
    let mut porch = Client::connect(mqtt, &hello);
    porch.put("tele/porch/SENSOR", &report("5"), 2 | 8, 5, &[]);
    assert_eq!(reason(&porch.expect(0x40)), 0);
    porch.put("tele/porch/SENSOR", &report("6"), 2, 6, &[]);
    assert_eq!(reason(&porch.expect(0x40)), 0);
    node.kill();
    assert_eq!(lines(), 6);
}

#[test]
fn mosquittos_tool_is_heard_in_the_room_and_a_wrong_block_is_named() {
    let settings = "[[bind]]\ntopic = 'zigbee2mqtt/+'\nroom = 'house'\nvalue = 'contact'\non = 'change'\n";
    let desk = Desk::with(&[("linnet.toml", settings)]);
    let node = Process::start(&desk, "--mqtt 127.0.0.1:0");
    for contact in ["false", "false", "true"] {
        let payload = format!(r#"{{"battery":97,"contact":{contact},"linkquality":120}}"#);
        let mut tool = program("mosquitto_pub");
        tool.args(["-h", "127.0.0.1", "-p", &node.mqtt.unwrap().port().to_string(), "-q", "1"]);
        let done = tool.args(["-t", "zigbee2mqtt/door", "-m", &payload]).output().unwrap();
        assert!(done.status.success(), "{done:?}");
    }
    let rooms: serde_json::Value = serde_json::from_str(&desk.run("room list --json").out).unwrap();
    let house = rooms.as_array().unwrap().iter().find(|room| room["name"] == "house").unwrap();
    assert_eq!(house["messages"], 2);
    assert_eq!(node.stop(), 0);
    let wrong = Desk::with(&[("linnet.toml", &settings.replace("value", "vlaue"))]).run("serve");
    assert_eq!(wrong.code, 1);
    assert!(
        wrong.err.contains("linnet.toml:4: unknown setting 'bind.vlaue'; did you mean 'value'?"),
        "{}",
        wrong.err
    );
}
