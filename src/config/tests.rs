//! The defaults file, the table of settings and the fields hold together; each place overrides the one before.

mod binds;

use super::layers::variable_name;
use super::settings::SETTINGS;
use super::*;
use crate::doors::mqtt::bridge::broker::{Carrier, Version};
use crate::doors::mqtt::bridge::rule::{Password, Qos};
use crate::doors::mqtt::bridge::saying::Saying;
use std::fs;

/// A folder with files, and what loading it gives.
fn load(files: &[(&str, &str)], environment: &[(&str, &str)], flags: &[Flag]) -> Result<Loaded, ConfigError> {
    let folder = tempfile::tempdir().expect("a temporary folder");
    fs::create_dir(folder.path().join("conf.d")).expect("a folder");
    for (name, text) in files {
        fs::write(folder.path().join(name), text).expect("written");
    }
    let environment = environment.iter().map(|(name, value)| (name.to_string(), value.to_string())).collect();
    let config = Some(folder.path().join("linnet.toml"));
    Config::load(&Sources { config, folder: PathBuf::new(), environment, flags: flags.to_vec() })
}

/// The problems of one file, without the folder in front.
fn problems(text: &str) -> Vec<String> {
    let error = load(&[("linnet.toml", text)], &[], &[]).expect_err(text);
    let after_folder = |place: &str| place.rsplit('/').next().unwrap_or(place).to_owned();
    error
        .problems()
        .iter()
        .map(|problem| format!("{}: {}", after_folder(&problem.place), problem.what))
        .collect()
}

fn origin_of(loaded: &Loaded, key: &str) -> String {
    let row = loaded.rows.iter().find(|row| row.key == key).unwrap_or_else(|| panic!("no row {key}"));
    let origin = row.origin.to_string();
    origin.rsplit('/').next().unwrap_or(&origin).to_owned()
}

#[test]
fn the_defaults_file_and_the_table_hold_the_same_settings() {
    let table: toml::Table = DEFAULTS.parse().expect("TOML");
    let mut written = Vec::new();
    for (key, value) in &table {
        match value {
            toml::Value::Table(section) => {
                written.extend(section.keys().map(|inner| format!("{key}.{inner}")))
            }
            _ => written.push(key.clone()),
        }
    }
    let mut known: Vec<String> = SETTINGS.iter().map(|setting| setting.key.to_owned()).collect();
    written.sort();
    known.sort();
    assert_eq!(written, known);
}

#[test]
fn the_example_of_a_bridge_has_every_key_and_is_accepted() {
    let block = &DEFAULTS[DEFAULTS.find("# [[bridge]]").expect("an example")..];
    let uncommented: String =
        block.lines().map(|line| format!("{}\n", line.trim_start_matches("# "))).collect();
    let settings: String = uncommented
        .lines()
        .filter(|line| line.contains(" = ") || *line == "[[bridge]]")
        .collect::<Vec<_>>()
        .join("\n");
    for key in super::bridge::KEYS {
        assert!(settings.lines().any(|line| line.starts_with(&format!("{key} = "))), "{key} has no example");
    }
    let without_second_password = settings.replace("password = \"or in clear\"", "");
    let loaded = load(&[("linnet.toml", &without_second_password)], &[], &[]).expect("accepted");
    assert_eq!(loaded.config.bridges[0].name, "sensors");
    assert_eq!(loaded.rows.iter().filter(|row| row.origin == Origin::Default).count(), SETTINGS.len());
}

#[test]
fn without_any_file_the_defaults_hold() {
    let loaded = load(&[("linnet.toml", "")], &[], &[]).expect("defaults");
    let config = loaded.config;
    assert_eq!(config.data, PathBuf::from("./linnet-data"));
    assert_eq!(config.name, "linnet");
    assert_eq!(config.access, Access::Invite);
    assert_eq!(config.log, tracing::Level::INFO);
    assert_eq!(
        config.http,
        Http {
            address: "0.0.0.0:3000".parse().expect("an address"),
            also_port: 0,
            hosts: Vec::new(),
            tls_address: None
        }
    );
    assert_eq!(config.mqtt.address, MqttAddress::Auto);
    assert!(config.bridges.is_empty());
    assert!(loaded.rows.iter().all(|row| row.origin == Origin::Default));
}

#[test]
fn each_place_overrides_the_one_before() {
    let file = (
        "linnet.toml",
        "name = 'file'\naccess = 'lan-guests'\n[http]\naddress = '127.0.0.1:1'\nhosts = ['A.b']",
    );
    let extra = [
        ("conf.d/20.toml", "http.address = '127.0.0.1:3'"),
        ("conf.d/10.toml", "http.address = '127.0.0.1:2'"),
    ];
    let loaded = load(&[file, extra[0], extra[1], ("conf.d/no.txt", "?")], &[], &[]).expect("settings");
    assert_eq!(loaded.config.http.address.port(), 3);
    assert_eq!(loaded.config.http.hosts, ["a.b"]);
    assert_eq!(origin_of(&loaded, "http.address"), "20.toml:1");
    assert_eq!(origin_of(&loaded, "access"), "linnet.toml:2");
    assert_eq!(origin_of(&loaded, "http.hosts"), "linnet.toml:5");

    let environment = [("LINNET_HTTP__ADDRESS", "127.0.0.1:4"), ("LINNET_HTTP__HOSTS", "x.y, Z")];
    let loaded = load(&[file, extra[0]], &environment, &[]).expect("settings");
    assert_eq!(loaded.config.http.address.port(), 4);
    assert_eq!(loaded.config.http.hosts, ["x.y", "z"]);
    assert_eq!(origin_of(&loaded, "http.address"), "environment LINNET_HTTP__ADDRESS");

    let flag = Flag { key: "http.address", flag: "--http", value: "[::1]:5".to_owned() };
    let loaded = load(&[file, extra[0]], &environment, &[flag]).expect("settings");
    assert_eq!(loaded.config.http.address.to_string(), "[::1]:5");
    assert_eq!(origin_of(&loaded, "http.address"), "flag --http");
}

#[test]
fn every_setting_has_a_variable() {
    for setting in SETTINGS {
        let name = variable_name(setting.key);
        let loaded = load(&[("linnet.toml", "")], &[(&name, "127.0.0.1:9")], &[]);
        let said = loaded.map_or_else(|error| error.to_string(), |loaded| origin_of(&loaded, setting.key));
        assert!(said.contains(&name), "{name}: {said}");
    }
}

#[test]
fn a_strange_variable_is_warned_about_and_known_ones_are_not() {
    let environment = [
        ("LINNET_HTTP_ADDRESS", "x"),
        ("LINNET_PLANT", "1"),
        ("LINNET_BIN", "b"),
        ("LINNET_VENV", "v"),
        ("LINNET_TEST_X", ""),
    ];
    let loaded = load(&[("linnet.toml", "")], &environment, &[]).expect("settings");
    assert_eq!(
        loaded.warnings,
        ["environment LINNET_HTTP_ADDRESS is no setting of linnet; did you mean LINNET_HTTP__ADDRESS?"]
    );
}

#[test]
fn a_wrong_setting_is_refused_with_its_line_and_what_to_write() {
    for (text, expected) in [
        ("\nacess = 'x'", "linnet.toml:2: unknown setting 'acess'; did you mean 'access'?"),
        (
            "[http]\n\nadress = 'x'",
            "linnet.toml:3: unknown setting 'http.adress'; did you mean 'http.address'?",
        ),
        (
            "[http]\naccess = 'invite'",
            "linnet.toml:2: unknown setting 'http.access'; 'access' belongs above the first [section]",
        ),
        ("address = 'x'", "linnet.toml:1: unknown setting 'address'; did you mean 'http.address'?"),
        ("[htpt]\na = 1", "linnet.toml:1: unknown setting 'htpt'; did you mean 'http'?"),
        ("colour = 1", "linnet.toml:1: unknown setting 'colour'"),
        ("http = 3", "linnet.toml:1: http is the number 3; expected a section: [http]"),
        ("access = 'open'", "linnet.toml:1: access is \"open\"; expected \"invite\" or \"lan-guests\""),
        ("access = true", "linnet.toml:1: access is true; expected \"invite\" or \"lan-guests\""),
        (
            "log = 'loud'",
            "linnet.toml:1: log is \"loud\"; expected \"error\", \"warn\", \"info\", \"debug\" or \"trace\"",
        ),
        ("data = ''", "linnet.toml:1: data is \"\"; expected the path of a folder"),
        ("[[bridge]", "linnet.toml:1: not TOML: "),
        ("name = 'a'\nname = 'b'", "linnet.toml:2: not TOML: duplicate key"),
    ] {
        let found = problems(text).join("\n");
        assert!(found.starts_with(expected), "{text}\n{found}");
    }
    assert!(
        problems("[http]\naddress = 3000")[0]
            .contains("http.address is the number 3000; expected an address with")
    );
    assert!(problems("[http]\nhosts = ['http://x']")[0].contains("without http://"));
    assert_eq!(problems("a = 1\nb = 2\n[c]\nd = 3").len(), 3);
    assert_eq!(problems(&(0..50).map(|n| format!("q{n} = 1\n")).collect::<String>()).len(), 20);
}

const BRIDGE: &str =
    "[[bridge]]\nname = 'porch'\nurl = 'mqtt://broker:1884'\ntopic = 'tele/#'\nroom = 'garden'\n";

#[test]
fn a_bridge_is_read_with_its_defaults() {
    let text = format!("{BRIDGE}user = 'me'\npassword = 'swordfish'\n");
    let loaded = load(&[("linnet.toml", &text)], &[], &[]).expect("a bridge");
    let bridge = &loaded.config.bridges[0];
    assert_eq!((bridge.broker.host.as_str(), bridge.broker.port), ("broker", 1884));
    assert_eq!(bridge.client_id, "linnet-porch");
    assert_eq!(bridge.hears.as_ref().expect("in").binding.text.source(), "{topic}: {payload}");
    assert_eq!(bridge.hears.as_ref().expect("in").qos, Qos::AtLeastOnce);
    assert_eq!(bridge.hears.as_ref().expect("in").binding.topic.as_str(), "tele/#");
    assert_eq!(origin_of(&loaded, "bridge.porch.url"), "linnet.toml:3");
    assert_eq!(origin_of(&loaded, "bridge.porch.qos"), "default");
    let everything = format!("{loaded:?}");
    assert!(!everything.contains("swordfish"), "{everything}");
}

#[test]
fn a_bridge_says_how_its_broker_is_reached() {
    let text = BRIDGE.replace("mqtt://", "wss://me@").replace("1884", "443/x")
        + "version = 5\nca = 'ca.pem'\ncertificate = 'own.pem'\nkey = '/own.key'\n";
    let loaded = load(&[("linnet.toml", &text)], &[], &[]).expect("a bridge");
    let bridge = &loaded.config.bridges[0];
    assert_eq!(bridge.broker.to_string(), "wss://broker:443/x");
    assert_eq!((bridge.user.as_deref(), bridge.version), (Some("me"), Version::V5));
    let (certificate, key) = bridge.certificates.own.as_ref().expect("a certificate");
    assert!(certificate.ends_with("own.pem") && !certificate.is_relative(), "{certificate:?}");
    assert_eq!(key.to_str(), Some("/own.key"));
    let text = format!("{BRIDGE}tls = true\n");
    let loaded = load(&[("linnet.toml", &text)], &[], &[]).expect("a bridge");
    assert_eq!(loaded.config.bridges[0].broker.carrier, Carrier::Tls);
}

#[test]
fn a_bridge_goes_in_or_out_or_both_ways() {
    let text = BRIDGE.replace("topic = 'tele/#'", "direction = 'both'")
        + &BRIDGE.replace("topic = 'tele/#'", "direction = 'out'").replace("porch", "attic")
        + "out_template = '{author}: {text}'\nstatus_topic = 'a/b'\n"
        + &BRIDGE.replace("porch", "cellar").replace("1884", "1885");
    let loaded = load(&[("linnet.toml", &text)], &[], &[]).expect("three bridges");
    let [both, out, into] = &loaded.config.bridges[..] else { panic!("three") };
    let tells = both.tells.as_ref().expect("a way out");
    assert_eq!((tells.topic.as_str(), &tells.saying), ("linnet/room/garden/msg", &Saying::Json));
    let hears = both.hears.as_ref().expect("a way in");
    assert_eq!(
        (hears.binding.topic.as_str(), hears.binding.text.source()),
        (tells.topic.as_str(), "{json.author}: {json.text}")
    );
    assert!(out.hears.is_none() && matches!(out.tells.as_ref().expect("out").saying, Saying::Form(_)));
    assert!(into.tells.is_none());
    let status = [both, out, into].map(|rule| rule.status_topic.as_deref());
    assert_eq!(status, [Some("linnet/linnet/status"), Some("a/b"), Some("linnet/linnet/status")]);
    assert_eq!((&both.fellows, &into.fellows), (&vec!["attic".to_owned()], &vec![]));
}

#[test]
fn home_assistant_finds_the_node_under_a_prefix_or_nowhere() {
    let text = "name = 'My home'\n[mqtt]\nhome_assistant = 'off'\n".to_owned()
        + &BRIDGE.replace("url", "home_assistant = 'ha'\nurl");
    let loaded = load(&[("linnet.toml", &text)], &[], &[]).expect("a bridge");
    assert_eq!(loaded.config.mqtt.home_assistant, None);
    let found = loaded.config.bridges[0].found.as_ref().expect("it is found");
    assert_eq!((&*found.prefix, &*found.base, &*found.name), ("ha", "linnet/My-home/ha", "My home"));
    let usual = load(&[("linnet.toml", "")], &[], &[]).expect("the defaults");
    assert_eq!(usual.config.mqtt.home_assistant.as_deref(), Some("homeassistant"));
    for bad in ["linnet", "a/#", ""] {
        assert!(load(&[("linnet.toml", &format!("[mqtt]\nhome_assistant = '{bad}'\n"))], &[], &[]).is_err());
    }
}

#[test]
fn bridges_of_all_files_add_up() {
    let other = BRIDGE.replace("porch", "attic") + "user = 'me'\npassword_file = 'secret'\n";
    let loaded = load(&[("linnet.toml", BRIDGE), ("conf.d/a.toml", &other)], &[], &[]).expect("two bridges");
    let names: Vec<&str> = loaded.config.bridges.iter().map(|bridge| bridge.name.as_str()).collect();
    assert_eq!(names, ["porch", "attic"]);
    let Password::File(path) = &loaded.config.bridges[1].password else { panic!("a file") };
    assert!(path.ends_with("conf.d/secret"), "{path:?}");
    assert!(load(&[("linnet.toml", BRIDGE), ("conf.d/a.toml", BRIDGE)], &[], &[]).is_err());
}

#[test]
fn a_wrong_bridge_is_refused_with_its_line_and_what_to_write() {
    let with = |line: &str| format!("{BRIDGE}{line}\n");
    for (text, expected) in [
        (
            with("tempalte = 'x'"),
            "linnet.toml:6: unknown setting 'bridge.tempalte'; did you mean 'template'?",
        ),
        (
            with("template = 'a {paylod}'"),
            "linnet.toml:6: bridge.template at character 3: '{paylod}' is unknown",
        ),
        (with("template = 3"), "linnet.toml:6: bridge.template is the number 3; expected a text"),
        (with("qos = 2"), "linnet.toml:6: bridge.qos is the number 2; expected 0 or 1"),
        (with("password = 'swordfish'"), "linnet.toml:6: bridge has a password but no user"),
        (
            with("user = 'a'\npassword = 'b'\npassword_file = 'c'"),
            "linnet.toml:8: bridge has password and password_file",
        ),
        (with("client_id = ''"), "linnet.toml:6: bridge.client_id is \"\"; expected 1 to 64 visible"),
        (
            BRIDGE.replace("mqtt:", "http:"),
            "linnet.toml:3: bridge.url is \"http://broker:1884\"; expected mqtt://HOST:PORT",
        ),
        (
            BRIDGE.replace("tele/#", "tele/#/x"),
            "linnet.toml:4: bridge.topic is \"tele/#/x\"; expected a topic filter where '#'",
        ),
        (
            BRIDGE.replace("garden", "a/b"),
            "linnet.toml:5: bridge.room is \"a/b\"; expected the name of a room",
        ),
        (
            BRIDGE.replace("'porch'", "'Porch!'"),
            "linnet.toml:2: bridge.name is \"Porch!\"; expected 1 to 32 small letters",
        ),
        (
            BRIDGE.replace("room = 'garden'", ""),
            "linnet.toml:1: this [[bridge]] needs 'room': the name of a room",
        ),
        (format!("{BRIDGE}{BRIDGE}"), "linnet.toml:6: a second bridge is named 'porch'"),
        (
            BRIDGE.replace("[[bridge]]", "[bridge]"),
            "linnet.toml:1: bridge is a section; expected [[bridge]] with two",
        ),
        ("bridge = [1]".to_owned(), "linnet.toml:1: bridge holds something else"),
    ] {
        let found = problems(&text).join("\n");
        assert!(found.starts_with(expected), "{text}\n{found}");
        assert!(!found.contains("swordfish"), "{found}");
    }
}

#[test]
fn a_bridge_that_contradicts_itself_is_refused() {
    let with = |line: &str| format!("{BRIDGE}{line}\n");
    for (text, expected) in [
        (
            with("direction = 'up'"),
            "linnet.toml:6: bridge.direction is \"up\"; expected \"in\", \"out\" or \"both\"",
        ),
        (with("out_topic = 'x'"), "linnet.toml:6: bridge.out_topic does nothing here: direction is \"in\""),
        (with("direction = 'out'"), "linnet.toml:4: bridge.topic does nothing here: direction is \"out\""),
        (
            with("direction = 'both'\nout_topic = 'a/#'"),
            "linnet.toml:7: bridge.out_topic is \"a/#\"; expected a topic without",
        ),
        (
            with("direction = 'both'\nout_template = '{x}'"),
            "linnet.toml:7: bridge.out_template does not know '{x}'",
        ),
        (with("version = 3"), "linnet.toml:6: bridge.version is the number 3; expected 4 or 5"),
        (with("tls = 'yes'"), "linnet.toml:6: bridge.tls is \"yes\"; expected true or false"),
        (with("ca = 'x'"), "linnet.toml:6: bridge has certificates but no TLS"),
        (with("tls = true\nkey = 'x'"), "linnet.toml:7: a bridge's certificate needs its key"),
    ] {
        let found = problems(&text).join("\n");
        assert!(found.starts_with(expected), "{text}\n{found}");
    }
}

#[test]
fn a_file_that_cannot_be_read_is_named() {
    let absent = Sources { config: Some(PathBuf::from("/nonexistent/linnet.toml")), ..Sources::default() };
    let error = Config::load(&absent).expect_err("no such file").to_string();
    assert!(error.starts_with("/nonexistent/linnet.toml: cannot be read"), "{error}");

    let long = format!("# {}", "x".repeat(crate::base::limits::CONFIG_FILE_BYTES_MAX as usize));
    assert!(problems(&long)[0].contains("longer than"), "a bounded file");
}

#[test]
fn a_board_and_its_budget_are_set_by_name_and_size() {
    let text = "board = 'pi-zero-w'\n[budget]\nmemory = '48 MB'\ncache = 'auto'\nsessions = 50";
    let loaded = load(&[("linnet.toml", text)], &[], &[]).expect("accepted");
    assert_eq!(loaded.config.board.as_deref(), Some("pi-zero-w"));
    let wish = Wish { memory: Some(48 << 20), cache: None, sessions: Some(50) };
    assert_eq!(loaded.config.budget, wish);
    let value = |key: &str| loaded.rows.iter().find(|row| row.key == key).map(|row| row.value.clone());
    assert_eq!(value("budget.memory").as_deref(), Some("\"48 MB\""));
    assert_eq!(value("budget.cache").as_deref(), Some("\"auto\""));
    let variables = [("LINNET_BOARD", "sim"), ("LINNET_BUDGET__SESSIONS", "auto")];
    let loaded = load(&[("linnet.toml", text)], &variables, &[]).expect("accepted");
    assert_eq!((loaded.config.board.as_deref(), loaded.config.budget.sessions), (Some("sim"), None));
}

#[test]
fn every_board_can_be_set_and_no_other() {
    for name in crate::base::board::Board::names() {
        let loaded = load(&[("linnet.toml", &format!("board = '{name}'"))], &[], &[]).expect(name);
        assert_eq!(loaded.config.board.as_deref(), Some(name));
        let mut words = DEFAULTS.split([' ', ',', '.', ':', ';', '\n']);
        assert!(words.any(|word| word == name), "{name} is not named in config.default.toml");
    }
    assert!(problems("board = 'pi-0'").join(" ").contains("such as \"pi-zero-w\""));
    assert_eq!(problems("budget.sessions = 0").len(), 1);
    assert_eq!(problems("budget.memory = 'much'").len(), 1);
}
