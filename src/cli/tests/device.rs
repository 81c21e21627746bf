//! `linnet device`: what is asked, what is said, and what is to be pasted.

use super::{check, command};
use crate::cli::device::DIALECTS;
use crate::doors::control::wire::{DeviceAdded, DeviceLine, Reply, Request, Rights, TopicFilters};

fn words(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|text| (*text).to_owned()).collect()
}

fn line(rights: Rights) -> DeviceLine {
    let topics = TopicFilters { publish: words(&["porch/#"]), ..TopicFilters::default() };
    DeviceLine { name: "porch".into(), room: Some("garden".into()), rights, topics, ..DeviceLine::default() }
}

fn added(device: DeviceLine) -> Reply {
    Reply::ok(&DeviceAdded { token: "dv_9c".into(), url: Some("http://10.0.0.1".into()), device })
}

#[test]
fn a_new_device_gets_its_token_and_lines_to_paste() {
    let asked = check(
        "device add porch --room #garden",
        added(line(Rights::PostAndRead)),
        "token dv_9c   may post in #garden and read it, publish porch/#; nothing else but its own linnet/device/porch/#\n\
         curl -H \"Authorization: Bearer dv_9c\" -d \"door open\" http://10.0.0.1/garden\n\
         curl -N -H \"Authorization: Bearer dv_9c\" http://10.0.0.1/garden/json\n\
         next: linnet tail garden\n",
    );
    let (name, room) = ("porch".to_owned(), Some("garden".to_owned()));
    let topics = TopicFilters::default();
    assert_eq!(asked, Request::DeviceAdd { name, room, rights: Rights::PostAndRead, topics });
    let asked = check(
        "device add porch --post --json",
        added(line(Rights::Post)),
        "{\"name\":\"porch\",\"room\":\"garden\",\"token\":\"dv_9c\"}\n",
    );
    assert!(matches!(asked, Request::DeviceAdd { room: None, rights: Rights::Post, .. }));
    let one_sided = command("device add porch --read @", "", added(line(Rights::Read))).out;
    assert!(one_sided.contains("may read #garden, ") && !one_sided.contains("door open"), "{one_sided}");
}

#[test]
fn topics_are_named_as_often_as_needed() {
    let asked = command(
        "device add panel --publish a/# --publish b --subscribe tele/+/SENSOR --command pump --command + @",
        "",
        added(line(Rights::Post)),
    );
    let Some(Request::DeviceAdd { topics, room: None, .. }) = asked.asked else { panic!("{}", asked.err) };
    let (publish, subscribe) = (words(&["a/#", "b"]), words(&["tele/+/SENSOR"]));
    assert_eq!(topics, TopicFilters { publish, subscribe, command: words(&["pump", "+"]) });
    let asked = command(
        "device allow panel --publish a --no-subscribe b/# --no-command pump --certificate @",
        "",
        Reply::ok(&line(Rights::Post)),
    );
    let Some(Request::DeviceAllow { name, give, take, certificate, .. }) = asked.asked else { panic!() };
    assert_eq!((name.as_str(), certificate), ("panel", Some(true)));
    assert_eq!(give, TopicFilters { publish: words(&["a"]), ..TopicFilters::default() });
    let (subscribe, command_of) = (words(&["b/#"]), words(&["pump"]));
    assert_eq!(take, TopicFilters { subscribe, command: command_of, ..TopicFilters::default() });
    for (wrong, says) in [
        ("device add p --publish a+", "'a+' is no topic filter: give + and # each alone between slashes"),
        ("device add p --subscribe linnet/room/garden/msg", "give a room by its name (--room)"),
        ("device add p --publish linnet/device/pump/in", "(--command)"),
        ("device add p --command a/b", "give a device's name, or + for all devices"),
        ("device add p --subscribe a --read", "add --room ROOM"),
        ("device allow p", "say what it may"),
        ("device allow p --certificate --no-certificate", "exclude each other"),
        ("device show p --esphome --tasmota", "--esphome and --tasmota exclude each other"),
        ("device add p --arduino --json", "--arduino and --json exclude each other"),
    ] {
        let ran = command(&format!("{wrong} @"), "", Reply::ok(&0));
        assert!(ran.code == 2 && ran.asked.is_none() && ran.err.contains(says), "{wrong}: {}", ran.err);
    }
}

#[test]
fn rooms_are_given_and_taken() {
    let mut device = line(Rights::Post);
    device.rooms = [("garden".to_owned(), Rights::Post), ("shed".to_owned(), Rights::Read)].into();
    let asked = command("device allow panel --room #shed --room den --read --not-room attic @", "", {
        Reply::ok(&device)
    });
    assert!(asked.out.contains("may post in #garden, read #shed, publish"), "{}", asked.out);
    let Some(Request::DeviceAllow { rooms, not_rooms, .. }) = asked.asked else { panic!("{}", asked.err) };
    assert_eq!(rooms, [("den".to_owned(), Rights::Read), ("shed".to_owned(), Rights::Read)].into());
    assert_eq!(not_rooms, ["attic"]);
    assert!(command("device list @", "", Reply::ok(&[&device])).out.contains("garden +1"));
    let ran = command("device allow panel --read @", "", Reply::ok(&0));
    assert!(ran.code == 2 && ran.err.contains("add --room ROOM"), "{}", ran.err);
}

#[test]
fn devices_are_listed_shown_and_removed() {
    let device = line(Rights::Post);
    check(
        "device list",
        Reply::ok(&[&device]),
        "name    room     may    publishes   subscribes   commands   certificate   heard\n\
         porch   garden   post   porch/#                                           never\n",
    );
    let json = "[{\"certificate\":false,\"command\":[],\"last_seen_ms\":null,\"name\":\"porch\",\
        \"publish\":[\"porch/#\"],\"rights\":\"post\",\"room\":\"garden\",\"subscribe\":[]}]\n";
    check("device list --json", Reply::ok(&[&device]), json);
    let shown = command("device show porch @", "", Reply::ok(&device)).out;
    let may =
        "porch   may post in #garden, publish porch/#; nothing else but its own linnet/device/porch/#\n";
    assert!(shown.starts_with(&format!("{may}heard never\n")), "{shown}");
    check("device remove porch", Reply::ok(&device), "removed porch; its token is no longer good\n");
    let older = r#"{"name":"porch","room":"garden","rights":"read","last_seen_ms":null}"#;
    let older: DeviceLine = serde_json::from_str(older).expect("the line of an older node");
    assert_eq!(older.room.as_deref(), Some("garden"));
}

#[test]
fn a_block_has_the_key_or_says_where_it_goes() {
    let reaches = DeviceLine { mqtt: Some("10.1.2.3:1884".into()), ..line(Rights::Post) };
    for dialect in &DIALECTS {
        let made = command(&format!("device add porch {} @", dialect.option), "", added(reaches.clone()));
        assert_eq!(made.code, 0, "{}", made.err);
        for part in ["dv_9c", "10.1.2.3", "1884", "porch"] {
            assert!(made.out.contains(part), "{} without {part}: {}", dialect.option, made.out);
        }
        assert!(!made.out.contains('@') && !made.out.contains("PASTE"), "{}", made.out);
        let Some(Request::DeviceAdd { topics, room: None, .. }) = made.asked else { panic!() };
        assert_eq!((topics.publish, topics.subscribe), dialect.needs("porch"));
        let line = format!("device show porch {} @", dialect.option);
        let shown = command(&line, "", Reply::ok(&reaches));
        assert!(shown.out.contains("PASTE-THE-KEY-HERE") && !shown.out.contains("dv_"), "{}", shown.out);
        let hint = format!("'linnet device key porch {}'", dialect.option);
        assert!(shown.err.contains(&hint) && shown.err.contains("it needs more: "), "{}", shown.err);
        assert_eq!(command(&line, "", Reply::refused("no", "do")).code, 1);
    }
    let named = command("device add porch --tasmota --publish x @", "", added(reaches.clone()));
    assert!(matches!(named.asked, Some(Request::DeviceAdd { topics, .. }) if topics.publish == ["x"]));
    let off = command("device key porch --esphome @", "", added(line(Rights::Post)));
    assert!(off.out.contains("port: 1883\n"), "{}", off.err);
    assert!(matches!(off.asked, Some(Request::DeviceKey { .. })));
}

#[test]
fn what_a_block_needs_and_the_device_has_is_not_asked_for_again() {
    let tasmota = DIALECTS.iter().find(|dialect| dialect.option == "--tasmota").expect("it is there");
    let (publish, subscribe) = tasmota.needs("porch");
    let mut device = DeviceLine { name: "porch".into(), ..DeviceLine::default() };
    device.topics = TopicFilters { publish: words(&["tele/#"]), subscribe, ..TopicFilters::default() };
    let shown = |device: &DeviceLine| command("device show porch --tasmota @", "", Reply::ok(device)).err;
    let lacks = "it needs more: linnet device allow porch --publish 'stat/porch/#'\n";
    assert!(shown(&device).contains(lacks), "{}", shown(&device));
    device.topics.publish = publish;
    assert!(!shown(&device).contains("it needs more"), "{}", shown(&device));
}
