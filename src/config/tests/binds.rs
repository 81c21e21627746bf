//! What a `[[bind]]` takes, and what a bridge takes of it.

use super::super::binding::KEYS;
use super::{BRIDGE, load, origin_of, problems};
use crate::base::limits::BINDS_MAX;
use crate::config::DEFAULTS;

#[test]
fn the_example_of_a_binding_has_every_key_and_is_accepted() {
    let start = DEFAULTS.find("# [[bind]]").expect("an example");
    let block = &DEFAULTS[start..DEFAULTS.find("# [[bridge]]").expect("the next")];
    let lines: Vec<&str> = block.lines().map(|line| line.trim_start_matches("# ")).collect();
    let is_setting = |line: &&str| KEYS.iter().any(|key| line.starts_with(&format!("{key} = ")));
    let settings: Vec<&str> =
        lines.into_iter().filter(|line| *line == "[[bind]]" || is_setting(line)).collect();
    assert_eq!(settings.len(), 1 + KEYS.len());
    let loaded = load(&[("linnet.toml", &settings.join("\n"))], &[], &[]).expect("accepted");
    let rule = &loaded.config.binds[0];
    assert_eq!((rule.name.as_str(), rule.room.as_str()), ("mqtt", "garden"));
    assert_eq!((rule.binding.above, rule.binding.below), (Some(-12.0), Some(80.5)));
    assert_eq!(origin_of(&loaded, "bind.1.topic"), "linnet.toml:2");
}

const BIND: &str = "[[bind]]\ntopic = 'tele/+'\nroom = 'garden'\n";

#[test]
fn a_binding_has_its_usual_text_and_a_bridge_takes_the_same_keys() {
    let text = |lines: &str| {
        let loaded = load(&[("linnet.toml", &format!("{BIND}{lines}"))], &[], &[]).expect("a binding");
        loaded.config.binds[0].binding.text.source().to_owned()
    };
    assert_eq!(text(""), "{topic}: {payload}");
    assert_eq!(text("value = 'a.b'"), "{device}: {value}");
    assert_eq!(text("deadband = '5 %'\nunit = 'W'"), "{device}: {value} {unit}");
    let lines = format!("{BRIDGE}value = 'a'\ndeadband = 2\nevery = '1h'\non = 'change'\nabove = 1.5");
    let loaded = load(&[("linnet.toml", &lines)], &[], &[]).expect("a bridge");
    let binding = &loaded.config.bridges[0].hears.as_ref().expect("in").binding;
    assert!(binding.on_change && binding.every == Some(std::time::Duration::from_secs(3_600)));
    let two = format!("{BIND}{BIND}");
    assert_eq!(load(&[("linnet.toml", &two)], &[], &[]).expect("two").config.binds.len(), 2);
    let many = BIND.repeat(BINDS_MAX + 1);
    assert!(problems(&many)[0].contains("more than 64 of [[bind]]"));
}

#[test]
fn a_wrong_binding_is_refused_with_its_line_and_what_to_write() {
    let with = |line: &str| format!("{BIND}{line}\n");
    for (text, expected) in [
        (with("evry = '1m'"), "linnet.toml:4: unknown setting 'bind.evry'; did you mean 'every'?"),
        (with("every = '10'"), "linnet.toml:4: bind.every is \"10\"; expected a time such as \"90s\""),
        (with("every = 10"), "linnet.toml:4: bind.every is the number 10; expected a time such as"),
        (with("deadband = 'x'"), "linnet.toml:4: bind.deadband is \"x\"; expected how much a value"),
        (with("deadband = -1"), "linnet.toml:4: bind.deadband is the number -1; expected how much"),
        (with("deadband = '0%'"), "linnet.toml:4: bind.deadband is \"0%\"; expected how much"),
        (with("above = nan"), "linnet.toml:4: bind.above is the number NaN; expected a number such as 30"),
        (with("on = 'always'"), "linnet.toml:4: bind.on is \"always\"; expected \"change\""),
        (with("value = 'a..b'"), "linnet.toml:4: bind.value is \"a..b\"; expected keys into"),
        (
            with("text = '{vlaue}'"),
            "linnet.toml:4: bind.text at character 1: '{vlaue}' is unknown, did you mean",
        ),
        (BIND.replace("tele/+", "a#"), "linnet.toml:2: bind.topic is \"a#\"; expected a topic filter where"),
        (
            BIND.replace("tele/+", "linnet/room/+/msg"),
            "linnet.toml:2: bind.topic is \"linnet/room/+/msg\"; expected the",
        ),
        (BIND.replace("topic = 'tele/+'", ""), "linnet.toml:1: this [[bind]] needs 'topic': a topic filter"),
        (BIND.replace("[[bind]]", "[bind]"), "linnet.toml:1: bind is a section; expected [[bind]] with two"),
        (
            format!("{}{BRIDGE}", with("name = 'porch'")),
            "linnet.toml:1: 'porch' is also the name of a bridge",
        ),
        (format!("{BRIDGE}text = 'a'\ntemplate = 'b'"), "linnet.toml:6: bridge has text and template"),
        (format!("{BRIDGE}every = 'x'"), "linnet.toml:6: bridge.every is \"x\"; expected a time"),
    ] {
        let found = problems(&text).join("\n");
        assert!(found.starts_with(expected), "{text}\n{found}");
    }
}
