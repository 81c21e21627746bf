//! What is to be pasted into devices is well formed, with the name, the key and the address in it.

use crate::harness::process::Process;
use crate::program::Desk;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::io::Write;
use std::process::{Command, Stdio};

const SETTINGS: &str = "[mqtt]\naddress = \"127.0.0.1:1884\"\n";

/// The block of a new device, and its key.
fn block(dialect: &str) -> (String, String) {
    let desk = Desk::with(&[]);
    assert_eq!(Process::start(&desk, "--test-mode").stop(), 0, "there is a data folder now");
    std::fs::write(desk.path().join("linnet.toml"), SETTINGS).unwrap();
    let made = desk.run(&format!("device add e5 {dialect}"));
    assert_eq!(made.code, 0, "{dialect}: {}", made.err);
    let at = made.out.find("dv_").unwrap_or_else(|| panic!("{dialect} has a key: {}", made.out));
    let key: String =
        made.out[at..].chars().take_while(|c| c.is_ascii_alphanumeric() || "-_".contains(*c)).collect();
    assert_eq!(key.len(), "dv_".len() + 43, "{key}");
    (made.out, key)
}

/// The scalars of a block of YAML that has only maps, and lists of maps, by their path.
fn yaml(text: &str) -> BTreeMap<String, String> {
    let mut open: Vec<(usize, &str)> = Vec::new();
    let mut found = BTreeMap::new();
    for line in text.lines().filter(|line| !line.starts_with('#')) {
        let item = line.replacen("- ", "  ", 1);
        let at = item.len() - item.trim_start().len();
        assert!(at % 2 == 0 && !line.contains('\t'), "{line}");
        let (key, value) = line.trim_start().trim_start_matches("- ").split_once(':').expect(line);
        open.retain(|(outer, _)| *outer < at);
        assert!(key.chars().all(|c| c.is_ascii_lowercase() || c == '_'), "{line}");
        open.push((at, key));
        let path: Vec<&str> = open.iter().map(|(_, key)| *key).collect();
        if !value.is_empty() {
            let value = value.strip_prefix(' ').expect("a space after the colon");
            let quoted = value.strip_prefix('"').map(|value| value.strip_suffix('"').expect(line));
            // Plain text could be read as a number, a yes or a no: what is not fixed is quoted.
            assert!(quoted.is_some() || !value.contains("e5"), "{line}");
            assert!(
                found.insert(path.join("."), quoted.unwrap_or(value).to_owned()).is_none(),
                "{line} twice"
            );
        }
    }
    found
}

#[test]
fn esphome_gets_a_broker_a_topic_a_birth_and_a_will() {
    let (text, key) = block("--esphome");
    let yaml = yaml(&text);
    for (path, value) in [
        ("mqtt.broker", "127.0.0.1"),
        ("mqtt.port", "1884"),
        ("mqtt.username", "e5"),
        ("mqtt.password", &key),
        ("mqtt.topic_prefix", "e5"),
        ("mqtt.discovery", "true"),
        ("mqtt.birth_message.topic", "e5/status"),
        ("mqtt.will_message.topic", "e5/status"),
        ("mqtt.will_message.payload", "offline"),
    ] {
        assert_eq!(yaml.get(path).map(String::as_str), Some(value), "{path} in {text}");
    }
}

#[test]
fn home_assistant_gets_steps_and_a_sensor() {
    let (text, key) = block("--home-assistant");
    let yaml = yaml(&text);
    assert_eq!(yaml.get("mqtt.sensor.state_topic").map(String::as_str), Some("e5/temperature"), "{text}");
    for step in ["#   Broker    127.0.0.1\n", "#   Port      1884\n", &format!("#   Password  {key}\n")] {
        assert!(text.contains(step), "{text}");
    }
}

#[test]
fn tasmota_gets_one_line_for_its_console() {
    let (text, key) = block("--tasmota");
    let commands = text.strip_prefix("Backlog ").expect("one command that holds the others");
    let commands: Vec<_> = commands.trim_end().split("; ").map(|command| command.split_once(' ')).collect();
    let wanted = [
        ("MqttHost", "127.0.0.1"),
        ("MqttPort", "1884"),
        ("MqttUser", "e5"),
        ("MqttPassword", &key),
        ("MqttClient", "e5"),
        ("Topic", "e5"),
        ("FullTopic", "%prefix%/%topic%/"),
    ];
    assert_eq!(commands, wanted.map(Some));
    assert_eq!(text.lines().count(), 1);
}

#[test]
fn node_red_gets_a_flow_whose_wires_lead_somewhere() {
    let (text, key) = block("--node-red");
    let flow: Value = serde_json::from_str(&text).expect("JSON");
    let nodes = flow.as_array().expect("a flow is a list of nodes");
    let of_type = |kind: &str| nodes.iter().find(|node| node["type"] == kind).expect(kind);
    let broker = of_type("mqtt-broker");
    assert_eq!(broker["credentials"], json!({"user": "e5", "password": key}));
    assert_eq!((&broker["broker"], &broker["port"]), (&json!("127.0.0.1"), &json!("1884")));
    for kind in ["mqtt in", "mqtt out"] {
        assert_eq!(of_type(kind)["broker"], broker["id"], "{kind}");
        assert!(of_type(kind)["topic"].as_str().unwrap().starts_with("e5/"), "{kind}");
    }
    let ids: Vec<&Value> = nodes.iter().map(|node| &node["id"]).collect();
    assert!(ids.iter().all(|id| id.as_str().is_some_and(|id| id.len() == 16)), "{text}");
    assert_eq!(
        ids.iter().map(|id| id.to_string()).collect::<std::collections::BTreeSet<_>>().len(),
        ids.len()
    );
    for node in nodes {
        let ends = node["wires"].as_array().into_iter().flatten().flat_map(|out| out.as_array().unwrap());
        ends.for_each(|end| assert!(ids.contains(&end), "{node}"));
        assert!(node.get("z").is_none_or(|tab| ids.contains(&tab)), "{node}");
    }
}

#[test]
fn micropython_gets_a_program_that_python_can_read() {
    let (text, key) = block("--micropython");
    let python = Command::new("python3")
        .args(["-c", "import ast, sys; ast.parse(sys.stdin.read())"])
        .stdin(Stdio::piped())
        .spawn();
    let mut python = python.expect("python3: 'tests/run' installs it");
    python.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
    assert!(python.wait().unwrap().success(), "{text}");
    let call = format!(
        "MQTTClient(\"e5\", \"127.0.0.1\", port=1884, user=\"e5\", password=\"{key}\", keepalive=60)"
    );
    assert!(text.contains(&call), "{text}");
}

#[test]
fn arduino_gets_a_sketch_whose_brackets_close() {
    let (text, key) = block("--arduino");
    let code: String =
        text.lines().map(|line| line.split(" // ").next().unwrap().to_owned() + "\n").collect();
    for (open, close) in [('{', '}'), ('(', ')')] {
        assert_eq!(code.matches(open).count(), code.matches(close).count(), "{text}");
    }
    assert!(
        text.contains(&format!(
            "mqtt.connect(\"e5\", \"e5\", \"{key}\", \"e5/status\", 1, true, \"offline\")"
        ))
    );
    assert!(text.contains("mqtt.setServer(\"127.0.0.1\", 1884);"), "{text}");
    for function in ["void setup() {", "void loop() {", "#include <PubSubClient.h>"] {
        assert!(text.contains(function), "{text}");
    }
}

#[test]
fn a_shell_gets_lines_that_it_reads_as_meant() {
    let (text, key) = block("--mosquitto");
    for (line, (program, topic)) in
        text.lines().zip([("mosquitto_pub", "e5/temperature"), ("mosquitto_sub", "e5/#")])
    {
        // The shell itself says what the program would be given.
        let script = format!("{program}() {{ printf '%s\\n' \"$@\"; }}; {line}");
        let told = Command::new("sh").args(["-c", &script]).output().unwrap();
        let told = String::from_utf8(told.stdout).unwrap();
        let words: Vec<&str> = told.lines().collect();
        for pair in [["-h", "127.0.0.1"], ["-p", "1884"], ["-u", "e5"], ["-P", &key], ["-t", topic]] {
            assert!(words.windows(2).any(|two| two == pair), "{pair:?} in {words:?}");
        }
    }
    assert_eq!(text.lines().count(), 2);
}
