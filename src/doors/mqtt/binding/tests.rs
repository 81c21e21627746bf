//! What bindings say, and what they withhold.

use super::guess::{guess, toml};
use super::*;
use crate::base::limits::{BIND_TOPICS_MAX, BIND_WAITING_MAX};
use tokio::time::Instant;

fn binding(filter: &str, change: impl FnOnce(&mut Binding)) -> Binding {
    let text = Template::parse("{device}: {value} {unit}").expect("a template");
    let mut binding = Binding::of(TopicFilter::parse(filter).expect(filter), text);
    change(&mut binding);
    binding
}

/// What a fresh memory makes of payloads at seconds: `+` said, else why not.
fn heard(binding: &Binding, payloads: &[(u64, &str)]) -> Vec<String> {
    let (mut memory, start) = (Memory::default(), Instant::now());
    let mut outcomes = Vec::new();
    for (second, payload) in payloads {
        let now = start + Duration::from_secs(*second);
        while let Some((word, _)) = memory.take_due(now) {
            outcomes.push(format!("later {}", word.text));
        }
        outcomes.push(match memory.judge((0, binding), ("tele/porch", payload.as_bytes()), now, None) {
            Verdict::Said(word) => {
                memory.said(&word, now);
                format!("+ {}", word.text)
            }
            Verdict::Withheld(why) => format!("{why:?}"),
        });
    }
    outcomes
}

#[test]
fn a_value_is_found_by_its_path_and_said_with_its_unit() {
    let temperature = binding("tele/+", |rule| {
        rule.value = Some(Path::parse("DS18B20.Temperature").expect("a path"));
        rule.unit = "°C".to_owned();
    });
    let payloads = [
        (0, r#"{"DS18B20":{"Temperature":21.5}}"#),
        (1, r#"{"DS18B20":{}}"#),
        (2, r#"{"DS18B20":{"Temperature":null}}"#),
        (3, "not json"),
        (4, r#"{"DS18B20":{"Temperature":"warm"}}"#),
    ];
    let said = ["+ porch: 21.5 °C", "NoValue", "NoValue", "NoValue", "+ porch: warm °C"];
    assert_eq!(heard(&temperature, &payloads), said);
}

#[test]
fn a_deadband_withholds_what_differs_too_little_from_what_was_said() {
    let by = binding("tele/+", |rule| rule.deadband = Some(Deadband::By(0.5)));
    let payloads = [(0, "21.4"), (1, "21.6"), (2, "21.8"), (3, "21.9"), (4, "21.4"), (5, "nan"), (6, "")];
    let said = [
        "+ porch: 21.4 ",
        "Unchanged",
        "Unchanged",
        "+ porch: 21.9 ",
        "+ porch: 21.4 ",
        "NoNumber",
        "NoNumber",
    ];
    assert_eq!(heard(&by, &payloads), said);
    let percent = binding("tele/+", |rule| rule.deadband = Some(Deadband::Percent(10.0)));
    let payloads = [(0, "-200"), (1, "-219"), (2, "-220"), (3, "0"), (4, "0.0"), (5, "0.001")];
    let said =
        ["+ porch: -200 ", "Unchanged", "+ porch: -220 ", "+ porch: 0 ", "Unchanged", "+ porch: 0.001 "];
    assert_eq!(heard(&percent, &payloads), said);
}

#[test]
fn a_rate_says_the_last_withheld_value_when_it_still_differs() {
    let every = binding("tele/+", |rule| rule.every = Some(Duration::from_secs(10)));
    let payloads = [(0, "a"), (1, "b"), (2, "c"), (10, "d"), (11, "c"), (21, "c")];
    let said = ["+ porch: a ", "TooSoon", "TooSoon", "later porch: c ", "TooSoon", "TooSoon", "+ porch: c "];
    assert_eq!(heard(&every, &payloads), said);
}

#[test]
fn a_state_is_said_when_it_changes() {
    let change = binding("tele/+", |rule| rule.on_change = true);
    let payloads = [(0, "ON"), (1, " ON\n"), (2, "OFF"), (3, "OFF"), (4, "ON")];
    let said = ["+ porch: ON ", "Unchanged", "+ porch: OFF ", "Unchanged", "+ porch: ON "];
    assert_eq!(heard(&change, &payloads), said);
}

#[test]
fn a_bound_lets_through_what_is_beyond_it_and_a_return_is_news() {
    let above = binding("tele/+", |rule| {
        rule.above = Some(-12.0);
        rule.deadband = Some(Deadband::By(5.0));
    });
    let payloads = [(0, "-18"), (1, "-11"), (2, "-10"), (3, "-18"), (4, "-11"), (5, "open")];
    let said = ["OutOfBounds", "+ porch: -11 ", "Unchanged", "OutOfBounds", "+ porch: -11 ", "NoNumber"];
    assert_eq!(heard(&above, &payloads), said);
}

#[test]
fn what_is_kept_in_mind_is_bounded() {
    let rule = binding("tele/+", |rule| {
        rule.on_change = true;
        rule.every = Some(Duration::from_secs(10));
    });
    let (mut memory, now) = (Memory::default(), Instant::now());
    let mut say =
        |topic: &str, payload: &str| match memory.judge((0, &rule), (topic, payload.as_bytes()), now, None) {
            Verdict::Said(word) => {
                memory.said(&word, now);
                true
            }
            Verdict::Withheld(_) => false,
        };
    assert!(say("tele/first", "ON") && !say("tele/first", "ON"));
    for number in 0..BIND_TOPICS_MAX {
        assert!(say(&format!("tele/{number}"), "ON"));
        assert!(!say(&format!("tele/{number}"), "OFF"));
    }
    assert!(say("tele/first", "ON"), "it was forgotten");
    assert!(memory.young.len() + memory.old.len() <= BIND_TOPICS_MAX);
    assert_eq!(memory.waiting.len(), BIND_WAITING_MAX);
}

#[test]
fn what_was_not_said_after_all_is_said_again() {
    let (rule, mut memory, now) =
        (binding("tele/+", |rule| rule.on_change = true), Memory::default(), Instant::now());
    let judge = |memory: &mut Memory| memory.judge((0, &rule), ("tele/porch", b"ON"), now, None);
    let Verdict::Said(word) = judge(&mut memory) else { panic!("it is new") };
    memory.said(&word, now);
    assert!(matches!(judge(&mut memory), Verdict::Withheld(Why::Unchanged)));
    memory.forget(&word.key);
    assert!(matches!(judge(&mut memory), Verdict::Said(_)));
}

#[test]
fn a_guess_finds_what_matters() {
    for (filter, topic, payload, lines) in [
        (
            "tele/+/SENSOR",
            "tele/porch/SENSOR",
            r#"{"Time":"2025","DS18B20":{"Id":"01","Temperature":21.5},"TempUnit":"C"}"#,
            "value = \"DS18B20.Temperature\"\nunit = \"°C\"\ndeadband = 0.5\nevery = \"10m\"\ntext = \"{device}: {value} {unit}\"",
        ),
        (
            "zigbee2mqtt/+",
            "zigbee2mqtt/door",
            r#"{"battery":97,"contact":false,"linkquality":120}"#,
            "value = \"contact\"\non = \"change\"\ntext = \"{device}: {value}\"",
        ),
        ("stat/+/POWER", "stat/lamp/POWER", "ON", "on = \"change\"\ntext = \"{device}: {value}\""),
        (
            "home/+/humidity",
            "home/attic/humidity",
            "55",
            "unit = \"%\"\ndeadband = 2\nevery = \"10m\"\ntext = \"{device}: {value} {unit}\"",
        ),
        ("a/#", "a/b", r#"{"linkquality":1}"#, "text = \"{topic}: {payload}\""),
        ("a/#", "a/b", "\u{1}", "on = \"change\"\ntext = \"{device}: {value}\""),
        ("a/#", "a/b", "", "text = \"{topic}: {payload}\""),
    ] {
        let filter = TopicFilter::parse(filter).expect(filter);
        let guessed = guess(&filter, topic, payload.as_bytes());
        let head = format!("topic = \"{}\"\nroom = \"garden\"\n", filter.as_str());
        assert_eq!(toml(&guessed, "garden").trim_end(), format!("{head}{lines}"), "{payload}");
    }
}

#[test]
fn times_are_read_with_their_unit() {
    assert_eq!(span("90s"), Some(Duration::from_secs(90)));
    assert_eq!(span("1d"), Some(Duration::from_secs(86_400)));
    for wrong in ["", "m", "10", "-1m", "0s", "1.5h", "10 m", "999999999999999999d", "367d"] {
        assert_eq!(span(wrong), None, "{wrong}");
    }
}
