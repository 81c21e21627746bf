//! `linnet mqtt connect` at a real Mosquitto, with messages in the forms that devices send.

use super::carriers::{SECURED, broker_with};
use crate::harness::mosquitto::Mosquitto;
use crate::harness::process::Process;
use crate::harness::wait::until;
use crate::program::Desk;
use serde_json::{Value, json};

/// What devices leave at a broker, retained.
const LEFT: [(&str, &str); 8] = [
    ("tele/tasmota_plug/SENSOR", r#"{"Time":"2024-05-01T12:00:00","ENERGY":{"Total":3.2,"Power":12}}"#),
    (
        "zigbee2mqtt/bridge/devices",
        r#"[{"ieee_address":"0x1","type":"Coordinator","friendly_name":"Coordinator"},{"ieee_address":"0x2","type":"EndDevice","friendly_name":"door","definition":{"model":"MCCGQ11LM","vendor":"Aqara","exposes":[{"access":1,"name":"contact","property":"contact","type":"binary"},{"access":1,"name":"battery","property":"battery","type":"numeric","unit":"%"}]}}]"#,
    ),
    ("livingroom/sensor/co2/state", "612"),
    ("homie/shed/$homie", "4.0.0"),
    ("homie/shed/air/humidity/$unit", "%"),
    (
        "homie/5/boiler-1/$description",
        r#"{"homie":"5.0","version":1,"name":"Boiler","nodes":{"tank":{"properties":{"temp":{"datatype":"float","unit":"°C"}}}}}"#,
    ),
    (
        "msh/EU_868/2/json/LongFast/!7efeee00",
        r#"{"channel":0,"from":2130636288,"id":452664778,"payload":{"text":"hello"},"sender":"!7efeee00","to":4294967295,"type":"text"}"#,
    ),
    (
        "homeassistant/sensor/shelly1/temp/config",
        r#"{"name":"Temperature","stat_t":"shelly/1/status","unit_of_meas":"°C","val_tpl":"{{ value_json.tC }}","dev":{"ids":["1"],"name":"Shelly"}}"#,
    ),
];

#[tokio::test]
async fn what_devices_left_at_a_broker_is_listed_and_becomes_bridges_after_a_yes() {
    let broker = Mosquitto::start().await;
    for (topic, payload) in LEFT {
        broker.publish(topic, payload, &["-r"]);
    }
    let desk = Desk::with(&[("linnet.toml", "name = \"home\"\n")]);
    let connect = format!("mqtt connect mqtt://127.0.0.1:{} --seconds 1", broker.port);
    let ran = desk.run(&connect);
    assert_eq!(ran.code, 0, "{}", ran.err);
    for row in [
        "Tasmota          tasmota_plug   ENERGY.Power (W), ENERGY.Total (kWh)",
        "Zigbee2MQTT      door           battery (%), contact",
        "ESPHome          livingroom     co2",
        "Homie            shed           air.humidity (%)",
        "Homie            Boiler         tank.temp (°C)",
        "Meshtastic       !7efeee00      text on LongFast",
        "Home Assistant   Shelly         Temperature (°C)",
    ] {
        assert!(ran.out.lines().any(|line| line == row), "{row} is missing in\n{}", ran.out);
    }
    assert_eq!(ran.out.matches("[[bridge]]").count(), 7, "{}", ran.out);
    assert!(ran.err.contains("nothing was written: with --yes"), "{}", ran.err);
    assert!(!desk.path().join("conf.d").exists());

    let ran = desk.run(&format!("{connect} --yes"));
    assert_eq!(ran.code, 0, "{}", ran.err);
    let file = desk.path().join("conf.d/mqtt-127.0.0.1.toml");
    assert!(ran.out.contains("wrote conf.d/mqtt-127.0.0.1.toml; start the node again"), "{}", ran.out);
    let written = std::fs::read_to_string(&file).unwrap();
    // Once more there is nothing new, and what was written stays.
    let again = desk.run(&format!("{connect} --yes"));
    assert!(again.out.contains("nothing to add"), "{}", again.out);
    assert_eq!(std::fs::read_to_string(&file).unwrap(), written);

    let node = Process::start(&desk, "");
    let status = || serde_json::from_str::<Value>(&desk.run("status --json").out).unwrap();
    until("all bridges stand", || {
        let status = status();
        let bridges = status["bridges"].as_array().unwrap();
        bridges.len() == 7 && bridges.iter().all(|bridge| bridge["connected"] == true)
    })
    .await;
    broker.publish("shelly/1/status", r#"{"tC":21.5}"#, &[]);
    broker.publish("zigbee2mqtt/door", r#"{"contact":false}"#, &[]);
    for (room, text) in
        [("home-assistant", "Shelly: Temperature 21.5 °C"), ("zigbee2mqtt", r#"door: {"contact":false}"#)]
    {
        until(text, || told(&desk, room).contains(&text.to_owned())).await;
    }
    assert_eq!(node.stop(), 0);
}

/// What was said in a room.
fn told(desk: &Desk, room: &str) -> Vec<String> {
    let exported = desk.run(&format!("export - --format jsonl --room {room}")).out;
    let lines = exported.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    lines.filter_map(|line| Some(line.get("text")?.as_str()?.to_owned())).collect()
}

#[tokio::test]
async fn a_broker_where_nothing_is_known_says_what_to_do() {
    let broker = Mosquitto::start_with("linnet", "swordfish").await;
    let desk = Desk::with(&[("linnet.toml", ""), ("password", "swordfish\n")]);
    let connect =
        |more: &str| desk.run(&format!("mqtt connect mqtt://127.0.0.1:{} --seconds 1 {more}", broker.port));
    let ran = connect("");
    assert_eq!(ran.code, 1);
    assert!(ran.err.contains("wants a login"), "{}", ran.err);
    broker.publish("a/b", "x", &["-r"]);
    let ran = connect("--user linnet --password-file password");
    assert_eq!(ran.code, 1);
    assert!(ran.err.contains("1 messages, and none of a kind"), "{}", ran.err);
    broker.publish("tele/porch/SENSOR", r#"{"DS18B20":{"Temperature":21.5},"TempUnit":"C"}"#, &["-r"]);
    let ran = connect("--user linnet --password-file password --room garden");
    let file = desk.path().join("password");
    let expected = format!(
        "user = \"linnet\"\npassword_file = \"{}\"\ntopic = \"tele/+/SENSOR\"\nroom = \"garden\"\n",
        file.display()
    );
    assert!(ran.out.contains(&expected), "{}", ran.out);
    for (more, says) in [
        ("--password-file password", "needs a '--user'"),
        ("--ca ca.pem", "are for mqtts"),
        ("--certificate c.pem", "belong together"),
        ("--seconds 0", "'--seconds' takes 1 to 600"),
    ] {
        let ran = desk.run(&format!("mqtt connect mqtt://127.0.0.1 {more}"));
        assert!(ran.code == 2 && ran.err.contains(says), "{more}: {}", ran.err);
    }
}

#[tokio::test]
async fn a_script_learns_what_is_there_behind_a_certificate_and_in_mqtt_5() {
    let asks = format!("{SECURED}\ncafile FOLDER/ca.pem\nrequire_certificate true");
    let (broker, port) = broker_with(&asks).await;
    broker.publish("tele/porch/SENSOR", r#"{"DS18B20":{"Temperature":21.5},"TempUnit":"C"}"#, &["-r"]);
    let desk = Desk::with(&[("linnet.toml", "")]);
    let at = |name: &str| broker.folder().join(name).display().to_string();
    let secured =
        format!("mqtt connect mqtts://localhost:{port} --seconds 1 --mqtt5 --json --ca {}", at("ca.pem"));
    assert_eq!(desk.run(&secured).code, 1, "without a certificate it is not let in");
    let connect = format!("{secured} --certificate {} --key {}", at("porch.pem"), at("porch.key"));
    let found = |words: &str| {
        let ran = desk.run(words);
        assert_eq!(ran.code, 0, "{}", ran.err);
        serde_json::from_str::<Value>(&ran.out).unwrap()
    };
    let heard = found(&connect);
    let porch = json!([{ "kind": "Tasmota", "device": "porch", "values": { "DS18B20.Temperature": "C" } }]);
    assert_eq!((&heard["devices"], &heard["messages"], &heard["written"]), (&porch, &json!(1), &Value::Null));
    assert!(broker.log().contains("as linnet-search-") && broker.log().contains("(p5,"), "{}", broker.log());
    let written = found(&format!("{connect} --yes"))["written"].as_str().unwrap().to_owned();
    let written = std::fs::read_to_string(desk.path().join(written)).unwrap();
    assert_eq!(heard["bridges"].as_str().unwrap().lines().count(), written.lines().count());
    let node = Process::start(&desk, "");
    let status = || serde_json::from_str::<Value>(&desk.run("status --json").out).unwrap();
    until("the bridge stands", || status()["bridges"][0]["connected"] == true).await;
    broker.publish("tele/porch/SENSOR", r#"{"DS18B20":{"Temperature":22}}"#, &[]);
    until("what the device says is told", || !told(&desk, "tasmota").is_empty()).await;
    assert_eq!(node.stop(), 0);
    let v5 = broker.log().lines().any(|line| line.contains("as linnet-tasmota-") && line.contains("(p5,"));
    assert!(v5, "{}", broker.log());
    // All is there: a script is told so by nothing to write.
    let again = found(&format!("{connect} --yes"));
    assert_eq!((&again["bridges"], &again["written"]), (&json!(""), &Value::Null));
}
