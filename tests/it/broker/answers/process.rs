//! The whole way, by the real program: REST, Mosquitto's tools, and the plug.

use crate::harness::mosquitto::program;
use crate::harness::process::Process;
use crate::program::Desk;
use serde_json::{Value, json};
use std::io::{BufRead, BufReader};
use std::process::{Child, ChildStdout, Command, Stdio};

struct Alice {
    token: String,
    id: String,
}

impl Alice {
    fn log_in(node: &Process) -> Alice {
        let body = json!({ "user": "alice", "password": "correct horse" }).to_string();
        let json = [("Content-Type", "application/json")];
        let heard = node.ask("POST", "/api/v1/login", &json, Some(body.as_bytes())).json();
        let text = |at: &str| heard["data"][at].as_str().unwrap().to_owned();
        Alice { token: text("authToken"), id: text("userId") }
    }

    fn ask(&self, node: &Process, method: &str, path: &str, body: Option<Value>) -> Value {
        let headers =
            [("Content-Type", "application/json"), ("X-Auth-Token", &self.token), ("X-User-Id", &self.id)];
        let body = body.map(|body| body.to_string());
        node.ask(method, path, &headers, body.as_deref().map(str::as_bytes)).json()
    }

    fn say(&self, node: &Process, room: &str, text: &str, thread: Option<&str>) -> String {
        let message = json!({ "message": { "rid": room, "msg": text, "tmid": thread } });
        let said = self.ask(node, "POST", "/api/v1/chat.sendMessage", Some(message));
        said["message"]["_id"].as_str().unwrap_or_else(|| panic!("{said}")).to_owned()
    }

    /// The newest message of the room: who said it, what, and in which thread.
    fn newest(&self, node: &Process, room: &str) -> (String, String, String) {
        let path = format!("/api/v1/channels.messages?roomId={room}&count=1");
        let heard = self.ask(node, "GET", &path, None);
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let newest = &heard["messages"][0];
        (text(&newest["u"]["username"]), text(&newest["msg"]), text(&newest["tmid"]))
    }
}

fn tool(name: &str, node: &Process, key: &str, words: &[&str]) -> Command {
    let port = node.mqtt.unwrap().port().to_string();
    let mut command = program(name);
    command.args(["-h", "127.0.0.1", "-p", &port, "-u", "pump", "-P", key, "-q", "1"]).args(words);
    command
}

/// `mosquitto_sub` that hears what the pump is to do: it has told its state since.
fn listen(node: &Process, key: &str, words: &[&str]) -> (Child, BufReader<ChildStdout>) {
    let topics = ["-t", "linnet/device/pump/in", "-t", "linnet/device/pump/state", "-W", "20"];
    let mut child =
        tool("mosquitto_sub", node, key, &topics).args(words).stdout(Stdio::piped()).spawn().unwrap();
    let mut out = BufReader::new(child.stdout.take().unwrap());
    assert!(line(&mut out).starts_with("ready"), "the retained state");
    (child, out)
}

fn line(out: &mut BufReader<ChildStdout>) -> String {
    let mut line = String::new();
    out.read_line(&mut line).unwrap();
    line.trim_end().into()
}

fn publish(node: &Process, key: &str, topic: &str, words: &[&str]) {
    let done = tool("mosquitto_pub", node, key, &["-t", topic]).args(words).output().unwrap();
    assert!(done.status.success(), "{done:?}");
}

#[test]
fn a_question_by_rest_is_answered_in_its_thread_across_the_plug() {
    let desk = Desk::with(&[("linnet.toml", "[mqtt]\naddress = '127.0.0.1:0'\n")]);
    let node = Process::start(&desk, "");
    let added = desk.run_with_input("user add alice --role admin --password-stdin", "correct horse\n");
    assert_eq!(added.code, 0, "{}", added.err);
    let added: Value = serde_json::from_str(&desk.run("device add pump --room garden --json").out).unwrap();
    let key = added["token"].as_str().unwrap().to_owned();
    let alice = Alice::log_in(&node);
    let rooms = alice.ask(&node, "GET", "/api/v1/channels.list", None);
    let garden = rooms["channels"].as_array().unwrap().iter().find(|room| room["name"] == "garden").unwrap();
    let garden = garden["_id"].as_str().unwrap().to_owned();
    let state = "linnet/device/pump/state";
    publish(&node, &key, state, &["-m", "ready", "-r"]);
    let (mut child, mut out) = listen(&node, &key, &[]);
    publish(&node, &key, "linnet/room/garden/post", &["-m", "the bed is dry"]);
    let path = format!("/api/v1/channels.messages?roomId={garden}&count=1");
    let dry = alice.ask(&node, "GET", &path, None)["messages"][0]["_id"].as_str().unwrap().to_owned();
    let id = alice.say(&node, &garden, "water it", Some(&dry));
    let question: Value = serde_json::from_str(&line(&mut out)).unwrap();
    assert_eq!((question["text"].as_str(), question["id"].as_str()), (Some("water it"), Some(id.as_str())));
    let mention = alice.say(&node, &garden, "@pump how much?", None);
    assert!(line(&mut out).contains("how much?"));
    child.kill().unwrap();
    child.wait().unwrap();
    // The plug, before the device has answered.
    node.kill();
    let node = Process::start(&desk, "");
    let alice = Alice::log_in(&node);
    publish(&node, &key, "linnet/device/pump/out", &["-m", "two litres"]);
    let newest = alice.newest(&node, &garden);
    assert_eq!(newest, ("pump".into(), "two litres".into(), mention.clone()), "under the newest question");
    // 5.0 is told where the answer goes, and what it carries; and the state has survived as well.
    let (mut child, mut out) = listen(&node, &key, &["-V", "5", "-F", "%p|%R|%D"]);
    let second = alice.say(&node, &garden, "@pump more", None);
    let told = line(&mut out);
    assert!(told.ends_with(&format!("|linnet/device/pump/out|{second}")), "{told}");
    child.kill().unwrap();
    child.wait().unwrap();
    let by_number = ["-V", "5", "-m", "no", "-D", "publish", "correlation-data", &mention];
    publish(&node, &key, "linnet/device/pump/out", &by_number);
    assert_eq!(alice.newest(&node, &garden), ("pump".into(), "no".into(), mention));
    let named = json!({ "text": "done", "re": id }).to_string();
    publish(&node, &key, "linnet/device/pump/out", &["-m", &named]);
    assert_eq!(alice.newest(&node, &garden), ("pump".into(), "done".into(), dry));
    // It is in the room no longer, and nobody there speaks to it.
    let taken = desk.run("device allow pump --not-room garden");
    assert!(taken.code == 0 && !taken.out.contains("garden"), "{}{}", taken.out, taken.err);
    alice.say(&node, &garden, "@pump off", None);
    assert_eq!(alice.newest(&node, &garden).1, "@pump off");
    assert_eq!(node.stop(), 0);
}
