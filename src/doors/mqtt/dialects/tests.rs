//! Messages as devices send them, and what is read from them.

use super::*;

/// What a few messages give: dialect, device and `name unit` of its values; then filters and templates.
fn heard(messages: &[(&str, &str)]) -> (Vec<String>, Vec<String>) {
    let mut finds = Finds::default();
    messages.iter().for_each(|(topic, payload)| finds.hear(topic, payload.as_bytes()));
    let device = |(dialect, name, device): (&str, &str, &Device)| {
        let values: Vec<String> =
            device.values.iter().map(|(name, unit)| format!("{name} {unit}").trim_end().to_owned()).collect();
        format!("{dialect}/{name}: {}", values.join(", "))
    };
    let proposal = |proposal: &Proposal| format!("{} -> {}", proposal.filter.as_str(), proposal.template);
    (finds.devices().map(device).collect(), finds.proposals().iter().map(proposal).collect())
}

fn check(messages: &[(&str, &str)], devices: &[&str], proposals: &[&str]) {
    assert_eq!(
        heard(messages),
        (devices.iter().map(|&d| d.to_owned()).collect(), proposals.iter().map(|&p| p.to_owned()).collect())
    );
}

#[test]
fn tasmota_tells_units_beside_values() {
    let report = r#"{"Time":"2024-05-01T12:00:00","DS18B20":{"Id":"0316A2","Temperature":21.5},"AM2301":{"Humidity":48.1},"TempUnit":"C"}"#;
    check(
        &[
            ("tele/porch/SENSOR", report),
            ("tele/plug/LWT", "Online"),
            ("attic/tele/SENSOR", r#"{"ENERGY":{"Power":7}}"#),
        ],
        &[
            "Tasmota/attic: ENERGY.Power W",
            "Tasmota/plug: ",
            "Tasmota/porch: AM2301.Humidity %, DS18B20.Temperature C",
        ],
        &["tele/+/SENSOR -> {topic.1}: {payload}", "+/tele/SENSOR -> {topic.0}: {payload}"],
    );
}

#[test]
fn zigbee2mqtt_lists_its_devices() {
    let list = r#"[{"friendly_name":"Coordinator","type":"Coordinator"},
        {"friendly_name":"garden/door","type":"EndDevice","definition":{"exposes":[{"type":"binary","property":"contact"},{"type":"numeric","property":"battery","unit":"%"}]}},
        {"friendly_name":"plug","type":"Router","definition":{"exposes":[{"type":"switch","features":[{"property":"state"}]},{"property":"power","unit":"W"}]}}]"#;
    check(
        &[("zigbee2mqtt/bridge/devices", list)],
        &["Zigbee2MQTT/garden/door: battery %, contact", "Zigbee2MQTT/plug: power W, state"],
        &["zigbee2mqtt/garden/door -> garden/door: {payload}", "zigbee2mqtt/+ -> {topic.1}: {payload}"],
    );
}

#[test]
fn esphome_is_known_by_its_topics() {
    check(
        &[
            ("livingroom/sensor/temperature/state", "21.5"),
            ("livingroom/binary_sensor/door/state", "ON"),
            (
                "esphome/discover/livingroom",
                r#"{"name":"livingroom","version":"2024.5.0","board":"esp32dev"}"#,
            ),
            ("a/b/c/state", "x"),
        ],
        &["ESPHome/livingroom: door, temperature"],
        &[
            "+/sensor/+/state -> {topic.0} {topic.2}: {payload}",
            "+/binary_sensor/+/state -> {topic.0} {topic.2}: {payload}",
        ],
    );
}

#[test]
fn homie_is_read_in_both_versions() {
    let description =
        r#"{"homie":"5.0","name":"Boiler","nodes":{"tank":{"properties":{"temp":{"unit":"°C"},"on":{}}}}}"#;
    check(
        &[
            ("homie/shed/$homie", "4.0.0"),
            ("homie/shed/air/humidity/$datatype", "float"),
            ("homie/shed/air/humidity/$unit", "%"),
            ("homie/5/boiler-1/$description", description),
        ],
        &["Homie/Boiler: tank.on, tank.temp °C", "Homie/shed: air.humidity %"],
        &[
            "homie/+/+/+ -> {topic.1} {topic.2} {topic.3}: {payload}",
            "homie/5/+/+/+ -> {topic.2} {topic.3} {topic.4}: {payload}",
        ],
    );
}

#[test]
fn meshtastic_tells_words_and_figures() {
    let text = r#"{"channel":0,"from":2130636288,"id":1,"payload":{"text":"hello"},"sender":"!7efeee00","type":"text"}"#;
    let figures = r#"{"from":2130636288,"payload":{"battery_level":93,"voltage":4.1},"sender":"!7efeee00","type":"telemetry"}"#;
    let named =
        r#"{"from":1,"payload":{"id":"!7efeee00","longname":"base0","shortname":"BA0"},"type":"nodeinfo"}"#;
    let topic = "msh/EU_868/2/json/LongFast/!7efeee00";
    check(
        &[(topic, text), (topic, figures), (topic, named)],
        &["Meshtastic/!7efeee00: battery_level %, text on LongFast, voltage V", "Meshtastic/base0: "],
        &["msh/EU_868/2/json/+/+ -> {topic.4} {json.sender} {json.type}: {json.payload.text}"],
    );
}

#[test]
fn home_assistant_is_read_abbreviated_or_not() {
    let long = r#"{"name":"Temperature","state_topic":"shelly/1/status","unit_of_measurement":"°C","value_template":"{{ value_json['tC'] | round(1) }}","device":{"name":"Shelly {1}"}}"#;
    let short = r#"{"~":"shelly/1","stat_t":"~/status","name":"Humidity","unit_of_meas":"%","val_tpl":"{{value_json.rh.value}}","dev":{"name":"Shelly {1}"}}"#;
    let device = r#"{"dev":{"name":"Gate"},"state_topic":"gate/state","cmps":{"open":{"p":"binary_sensor"},"rssi":{"p":"sensor","stat_t":"gate/rssi","unit_of_meas":"dBm"}}}"#;
    check(
        &[
            ("homeassistant/sensor/shelly1/temp/config", long),
            ("homeassistant/sensor/humidity/config", short),
            ("homeassistant/device/gate/config", device),
        ],
        &["Home Assistant/Gate: open, rssi dBm", "Home Assistant/Shelly {1}: Humidity %, Temperature °C"],
        &[
            "shelly/1/status -> Shelly {{1}}: Temperature {json.tC} °C, Humidity {json.rh.value} %",
            "gate/state -> Gate: open {payload}",
            "gate/rssi -> Gate: rssi {payload} dBm",
        ],
    );
}

#[test]
fn what_another_dialect_hears_is_not_heard_twice() {
    let config =
        r#"{"name":"Temperature","state_topic":"zigbee2mqtt/door","value_template":"{{ value_json.t }}"}"#;
    check(
        &[
            ("homeassistant/sensor/door/config", config),
            ("zigbee2mqtt/bridge/devices", r#"[{"friendly_name":"door","type":"EndDevice"}]"#),
        ],
        &["Home Assistant/door: Temperature", "Zigbee2MQTT/door: "],
        &["zigbee2mqtt/+ -> {topic.1}: {payload}"],
    );
}

#[test]
fn nonsense_is_no_device_and_much_is_bounded() {
    let mut finds = Finds::default();
    for topic in [
        "",
        "/",
        "tele//SENSOR",
        "tele/x/SENSOR",
        "homie/5/x/$description",
        "a/bridge/devices",
        "h/s/o/config",
    ] {
        for payload in ["", "{", "[]", "{}", "null", "[1]", r#"{"nodes":3}"#, r#"{"state_topic":7}"#, "\u{0}"]
        {
            finds.hear(topic, payload.as_bytes());
        }
    }
    assert_eq!(finds.devices().count(), 0);
    for number in 0..2 * DIALECT_DEVICES_MAX {
        let report: String = (0..100).map(|value| format!("\"v{value}\":1,")).collect();
        finds.hear(
            &format!("tele/\u{1b}d{number}/SENSOR"),
            format!("{{\"S\":{{{report}\"z\":1}}}}").as_bytes(),
        );
        finds.hear(
            &format!("homeassistant/sensor/d{number}/config"),
            format!("{{\"stat_t\":\"t{number}\"}}").as_bytes(),
        );
    }
    assert_eq!(finds.devices().count(), DIALECT_DEVICES_MAX);
    assert!(
        finds
            .devices()
            .all(|(_, name, device)| device.values.len() <= DIALECT_VALUES_MAX && !name.contains('\u{1b}'))
    );
    assert!(finds.proposals().len() <= DIALECT_HEARS_MAX);
}
