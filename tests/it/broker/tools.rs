//! What Mosquitto's own tools see.

use super::client::{Client, Hello};
use super::stage::Stage;
use crate::harness::mosquitto::{Mosquitto, free_port, program};
use crate::harness::process::Process;
use crate::program::Desk;
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

fn tool(stage: &Stage, name: &str, words: &[&str]) -> Command {
    let mut command = program(name);
    command.args(["-h", "127.0.0.1", "-p", &stage.address.port().to_string()]).args(words);
    command
}

/// `mosquitto_sub` that has heard what was retained at `ready`, and so hears everything.
fn listening(stage: &Stage, words: &[&str]) -> (Child, BufReader<std::process::ChildStdout>) {
    let mut child = tool(stage, "mosquitto_sub", words)
        .args(["-t", "ready", "-W", "20"])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut out = BufReader::new(child.stdout.take().unwrap());
    assert_eq!(line(&mut out), "ready yes");
    (child, out)
}

fn line(out: &mut BufReader<std::process::ChildStdout>) -> String {
    let mut line = String::new();
    out.read_line(&mut line).unwrap();
    line.trim_end().into()
}

fn publish(stage: &Stage, words: &[&str]) {
    let done = tool(stage, "mosquitto_pub", words).output().unwrap();
    assert!(done.status.success(), "{done:?}");
}

#[test]
fn mosquittos_tools_publish_and_hear_in_every_version() {
    let stage = Stage::open();
    publish(&stage, &["-t", "ready", "-m", "yes", "-r", "-q", "1"]);
    for version in ["31", "311", "5"] {
        for qos in ["0", "1", "2"] {
            let words = ["-V", version, "-q", qos, "-v", "-t", "a/#"];
            let (mut child, mut out) = listening(&stage, &words);
            publish(&stage, &["-V", version, "-q", qos, "-t", "a/b", "-m", "hello"]);
            assert_eq!(line(&mut out), "a/b hello", "{version} {qos}");
            child.kill().unwrap();
            child.wait().unwrap();
        }
    }
}

#[test]
fn the_figures_are_told_to_whoever_wants_them() {
    let stage = Stage::open();
    let words =
        ["-t", "$SYS/broker/clients/connected", "-t", "$SYS/broker/version", "-C", "2", "-v", "-W", "20"];
    let heard = tool(&stage, "mosquitto_sub", &words).output().unwrap();
    let text = String::from_utf8(heard.stdout).unwrap();
    let mut lines: Vec<&str> = text.lines().collect();
    lines.sort_unstable();
    assert_eq!(lines, ["$SYS/broker/clients/connected 1", "$SYS/broker/version linnet 0.1.0"]);
}

#[test]
fn over_tls_and_by_its_key_a_device_speaks_in_its_room() {
    let port = free_port();
    let settings = format!("[mqtt]\ntls_address = '127.0.0.1:{port}'\nanonymous = 'off'\n");
    let desk = Desk::with(&[("linnet.toml", &settings)]);
    let node = Process::start(&desk, "");
    let added = desk.run("device add porch --room garden --json");
    let added: serde_json::Value = serde_json::from_str(&added.out).unwrap();
    let key = added["token"].as_str().unwrap();
    let publish = |key: &str| {
        let mut command = program("mosquitto_pub");
        let certificate = desk.path().join("linnet-data/tls/certificate.pem");
        command.args(["-h", "localhost", "-p", &port.to_string(), "-u", "porch", "-P", key]);
        command
            .args(["-t", "linnet/room/garden/post", "-m", "door open", "-q", "1", "--cafile"])
            .arg(certificate);
        command.output().unwrap()
    };
    let done = publish(key);
    assert!(done.status.success(), "{done:?}");
    assert!(!publish("dv_wrong").status.success());
    let rooms: serde_json::Value = serde_json::from_str(&desk.run("room list --json").out).unwrap();
    assert!(rooms.as_array().unwrap().iter().any(|room| room["name"] == "garden" && room["messages"] == 1));
    assert_eq!(node.stop(), 0);
}

/// Mosquitto's bridge says that it is one: without that, each would be told what it brought.
#[tokio::test]
async fn a_bridge_of_mosquitto_carries_in_both_directions_and_nothing_comes_back() {
    let stage = Stage::open();
    let mut here = Client::connect(stage.address, &Hello::new(4, "here"));
    here.publish("t/ready", "yes", 1, true);
    let address = stage.address;
    let mosquitto = Mosquitto::start_also(&|_| {
        format!(
            "connection linnet\naddress {address}\ntopic t/# both 1\nremote_clientid mosquitto\n\
             notifications false\nrestart_timeout 1\n"
        )
    })
    .await;
    let there = ([127, 0, 0, 1], mosquitto.port).into();
    let mut there = Client::connect(there, &Hello::new(4, "there"));
    there.subscribe("t/#", 1);
    assert_eq!(there.heard_text(), ("t/ready".into(), "yes".into()));
    here.subscribe("t/+/news", 1);
    here.publish("t/a/news", "from here", 1, false);
    assert_eq!(there.heard().payload, "from here");
    assert_eq!(here.heard().payload, "from here");
    there.publish("t/b/news", "from there", 1, false);
    assert_eq!(there.heard().payload, "from there");
    assert_eq!(here.heard().payload, "from there");
    // What follows would be behind an echo.
    here.publish("t/c/news", "again", 1, false);
    assert_eq!(there.heard().payload, "again");
    there.publish("t/d/news", "and again", 1, false);
    assert_eq!([here.heard().payload, here.heard().payload], ["again", "and again"]);
    assert_eq!(there.heard().payload, "and again");
    there.ping();
    here.ping();
}
