//! What templates make of real reports, and of what is not one.

use super::*;
use crate::base::limits::TEMPLATE_JSON_BYTES_MAX;

fn render(template: &Template, topic: &str, payload: &[u8]) -> String {
    template.render(&Report::of(topic, payload, template.looks_inside()))
}

const TASMOTA: &str = r#"{"Time":"2025-11-22T14:35:00","DS18B20":{"Temperature":21.5},"TempUnit":"C"}"#;
const ZIGBEE: &str = r#"{"battery":97,"contact":false,"linkquality":120,"occupancy":null,"update":{"state":"idle"},"list":["a",{"b":7}]}"#;

fn check(template: &str, topic: &str, payload: impl AsRef<[u8]>, expected: &str) {
    let template = Template::parse(template).expect(template);
    assert_eq!(render(&template, topic, payload.as_ref()), expected, "{}", template.source());
}

#[test]
fn a_tasmota_report_becomes_a_sentence() {
    let topic = "tele/porch/SENSOR";
    check("{topic.1} is {json.DS18B20.Temperature} {json.TempUnit}", topic, TASMOTA, "porch is 21.5 C");
    check("{topic}: {payload}", topic, "ON", "tele/porch/SENSOR: ON");
    check("{json.DS18B20}", topic, TASMOTA, r#"{"Temperature":21.5}"#);
}

#[test]
fn a_zigbee_report_becomes_a_sentence() {
    let topic = "zigbee2mqtt/garden/door";
    check(
        "{topic.2}: contact {json.contact}, battery {json.battery} %, {json.update.state}",
        topic,
        ZIGBEE,
        "door: contact false, battery 97 %, idle",
    );
    check("{json.list.0} {json.list.1.b}", topic, ZIGBEE, "a 7");
}

#[test]
fn a_binding_gives_value_unit_and_device() {
    let template = Template::parse("{device} is at {value} {unit}").expect("fields");
    let report =
        Report { value: Some("21.5".into()), unit: "°C", device: "porch", ..Report::of("t", b"", false) };
    assert_eq!(template.render(&report), "porch is at 21.5 °C");
    check("{device} {value}{unit}", "a/b", "", "a/b ?");
}

#[test]
fn what_is_missing_shows_as_a_question_mark() {
    for template in [
        "{json.humidity}",
        "{json.battery.deep}",
        "{json.list.9}",
        "{json.list.x}",
        "{json.occupancy}",
        "{topic.9}",
    ] {
        check(template, "zigbee2mqtt/door", ZIGBEE, "?");
    }
    check("{json.a} {topic.0}", "t", "not json", "? t");
    check("{json.a}", "t", "[".repeat(100_000), "?");
    let big = format!(r#"{{"a":"{}"}}"#, "x".repeat(TEMPLATE_JSON_BYTES_MAX));
    check("{json.a}", "t", big, "?");
}

#[test]
fn what_is_not_text_says_so() {
    check("{payload}", "t", [0xff; 12], "(12 bytes, not text)");
    check("{payload}", "t", "a\0b", "(3 bytes, not text)");
    check("{payload}", "t", "", "(empty)");
    check("{payload}", "t", " \n", "(empty)");
    check("{topic} {json.a}", "t\u{7}", r#"{"a":"x\u0000y"}"#, "t\u{fffd} x\u{fffd}y");
}

#[test]
fn doubled_braces_are_braces() {
    check("{{{topic}}} }}{{", "t", "", "{t} }{");
}

#[test]
fn a_long_payload_is_cut_to_a_message_and_says_how_much_is_left() {
    let template = Template::parse("{payload}").expect("a field");
    let whole = "ä".repeat(TEXT_CHARS_MAX);
    assert_eq!(render(&template, "t", whole.as_bytes()), whole);

    let rendered = render(&template, "t", "ä".repeat(TEXT_CHARS_MAX + 60).as_bytes());
    assert!(rendered.chars().count() <= TEXT_CHARS_MAX);
    assert!(rendered.ends_with("ä... (100 more characters)"), "{rendered}");
    let kept = rendered.chars().filter(|letter| *letter == 'ä').count();
    assert_eq!(kept + 100, TEXT_CHARS_MAX + 60);
}

#[test]
fn a_wrong_template_is_refused_with_its_place_and_what_to_do() {
    let deep = format!("{{json{}}}", ".a".repeat(TEMPLATE_PATH_KEYS_MAX + 1));
    for (template, at, says) in [
        ("", 1, "nothing to say"),
        ("ok {paylod}", 4, "did you mean '{payload}'?"),
        ("{colour}", 1, "fields are {topic}"),
        ("ä {topic", 3, "'{' has no '}'"),
        ("{a{topic}", 1, "'{' has no '}'"),
        ("50 }", 4, "write '}}'"),
        ("{topic.one}", 1, "the number of a level"),
        ("{topic.+1}", 1, "the number of a level"),
        ("{topic.}", 1, "the number of a level"),
        ("{topic.99999999999999999999999}", 1, "the number of a level"),
        ("{json}", 1, "a key after each dot"),
        ("{json.a..b}", 1, "a key after each dot"),
        (deep.as_str(), 1, "too many keys"),
        ("{topic}".repeat(TEMPLATE_PARTS_MAX).as_str(), 442, "too many fields"),
        ("x".repeat(TEMPLATE_CHARS_MAX + 1).as_str(), TEMPLATE_CHARS_MAX, "too long"),
    ] {
        let error = Template::parse(template).expect_err(template);
        assert_eq!(error.at, at, "{template}");
        let message = error.to_string();
        assert!(message.contains(says), "{message}");
        assert!(message.starts_with(&format!("at character {at}: ")), "{message}");
    }
}
