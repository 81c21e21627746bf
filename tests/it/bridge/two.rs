//! Two linnets and one Mosquitto: a room that both bridge both ways is the same room.

use super::numbers;
use crate::harness::mosquitto::{Mosquitto, free_port};
use crate::harness::process::Process;
use crate::harness::wait::until;
use crate::program::Desk;
use serde_json::Value;

/// A node with a device that speaks in #garden and reads it.
struct Node {
    desk: Desk,
    process: Option<Process>,
    key: String,
}

impl Node {
    async fn start(name: &str, port: u16, lines: &str) -> Node {
        let node = Node::configured(&format!(
            "name = \"{name}\"\n[[bridge]]\nname = \"link\"\nurl = \"mqtt://127.0.0.1:{port}\"\nroom = \"garden\"\n\
             client_id = \"linnet-{name}\"\ndirection = \"both\"\n{lines}\n"
        ));
        node.stands().await;
        node
    }

    fn configured(config: &str) -> Node {
        let desk = Desk::with(&[("linnet.toml", config)]);
        let process = Process::start(&desk, "");
        let key = format!("Bearer {}", new_device(&desk, "porch"));
        Node { desk, process: Some(process), key }
    }

    /// Waits until the broker has the bridge.
    async fn stands(&self) {
        until("the bridge stands", || {
            let status: Value = serde_json::from_str(&self.desk.run("status --json").out).unwrap();
            status["bridges"][0]["connected"] == true
        })
        .await;
    }

    fn kill(&mut self) {
        self.process.take().unwrap().kill();
    }

    async fn start_again(&mut self) {
        self.serve_again();
        self.stands().await;
    }

    fn serve_again(&mut self) {
        self.process = Some(Process::start(&self.desk, ""));
    }

    fn say(&self, text: &str) {
        let process = self.process.as_ref().unwrap();
        let heard = process.ask("POST", "/garden", &[("Authorization", &self.key)], Some(text.as_bytes()));
        assert_eq!(heard.status, 200, "{}", heard.text());
    }

    /// Everything that was said, oldest first.
    fn said(&self) -> Vec<String> {
        let process = self.process.as_ref().unwrap();
        let heard =
            process.ask("GET", "/garden/json?poll=1&since=all", &[("Authorization", &self.key)], None);
        assert_eq!(heard.status, 200, "{}", heard.text());
        let lines: Vec<Value> =
            heard.text().lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        let messages = lines.iter().filter(|line| line["event"] == "message");
        messages.map(|line| line["message"].as_str().unwrap().to_owned()).collect()
    }

    /// What of all that was said is one of these, in its order.
    fn said_of(&self, prefix: &str) -> Vec<String> {
        self.said().iter().filter_map(|text| text.strip_prefix(prefix)).map(str::to_owned).collect()
    }
}

/// The token of a new device that speaks in #garden and reads it.
fn new_device(desk: &Desk, name: &str) -> String {
    let added = desk.run(&format!("device add {name} --room garden --json"));
    let added: Value = serde_json::from_str(&added.out).unwrap();
    added["token"].as_str().unwrap().to_owned()
}

/// Waits until both have heard the other's end of this round; then each has everything once, and nothing came home.
async fn each_has_all_once(nodes: [&Node; 2], expected: [&[String]; 2], round: &str) {
    for (here, there) in [(0, 1), (1, 0)] {
        let end = format!("end of {round} by {there}");
        nodes[there].say(&end);
        until(&end, || nodes[here].said().iter().any(|text| text.ends_with(&end))).await;
    }
    for (here, there) in [(0, 1), (1, 0)] {
        let only_numbers = |texts: Vec<String>| -> Vec<String> {
            texts.into_iter().filter(|text| text.starts_with("number")).collect()
        };
        assert_eq!(
            only_numbers(nodes[here].said_of(&format!("{here}: "))),
            expected[here],
            "own words, {round}"
        );
        let came = only_numbers(nodes[here].said_of(&format!("porch: {there}: ")));
        assert_eq!(came, expected[there], "at {here}, {round}");
        let home = nodes[here].said_of(&format!("porch: {here}: "));
        assert!(home.is_empty(), "came home to {here}: {home:?}");
        let twice = nodes[here].said_of("link: ");
        assert!(twice.is_empty(), "went round: {twice:?}");
    }
}

async fn fifty_from_each_side(lines: &str) {
    let broker = Mosquitto::start().await;
    let north = Node::start("north", broker.port, lines).await;
    let south = Node::start("south", broker.port, lines).await;
    for number in numbers(1..=50) {
        north.say(&format!("0: {number}"));
        south.say(&format!("1: {number}"));
    }
    let all = numbers(1..=50);
    each_has_all_once([&north, &south], [&all, &all], "the only round").await;
}

#[tokio::test]
async fn what_two_linnets_say_appears_once_on_both_by_mqtt_3() {
    fifty_from_each_side("version = 4").await;
}

#[tokio::test]
async fn what_two_linnets_say_appears_once_on_both_by_mqtt_5() {
    fifty_from_each_side("version = 5").await;
}

#[tokio::test]
async fn what_two_linnets_say_appears_once_on_both_in_a_form_of_its_own() {
    let lines = "version = 5\nout_template = \"{author}: {text}\"\ntemplate = \"{payload}\"";
    fifty_from_each_side(lines).await;
}

#[tokio::test]
async fn nothing_is_lost_or_doubled_while_one_of_the_three_is_away() {
    let mut broker = Mosquitto::start().await;
    let mut north = Node::start("north", broker.port, "version = 5").await;
    let mut south = Node::start("south", broker.port, "version = 4").await;
    let (mut by_north, mut by_south) = (Vec::new(), Vec::new());
    let say = |node: &Node, who: u8, count: std::ops::RangeInclusive<u32>, said: &mut Vec<String>| {
        for number in numbers(count) {
            node.say(&format!("{who}: {number}"));
            said.push(number);
        }
    };
    // South is killed while it hears.
    say(&north, 0, 1..=30, &mut by_north);
    until("south hears", || !south.said_of("porch: 0: ").is_empty()).await;
    south.kill();
    say(&north, 0, 31..=50, &mut by_north);
    south.start_again().await;
    each_has_all_once([&north, &south], [&by_north, &by_south], "round 1").await;
    // North is killed while it sends: what it said is on its disk.
    say(&north, 0, 51..=100, &mut by_north);
    north.kill();
    say(&south, 1, 1..=20, &mut by_south);
    north.start_again().await;
    each_has_all_once([&north, &south], [&by_north, &by_south], "round 2").await;
    // The broker is killed, with nothing of its own that it did not store; both talk on.
    broker.publish("other", "the last change", &["-r"]);
    until("mosquitto has stored everything", || broker.stores("the last change")).await;
    broker.kill();
    say(&north, 0, 101..=150, &mut by_north);
    say(&south, 1, 21..=50, &mut by_south);
    broker.start_again().await;
    north.stands().await;
    south.stands().await;
    each_has_all_once([&north, &south], [&by_north, &by_south], "round 3").await;
}

#[tokio::test]
async fn a_linnet_is_a_broker_for_the_bridge_of_another() {
    for version in [4, 5] {
        let port = free_port();
        let config = format!("name = \"north\"\n[mqtt]\naddress = \"127.0.0.1:{port}\"\n");
        let mut north = Node::configured(&config);
        let lines = format!(
            "version = {version}\nuser = \"south\"\npassword = \"{}\"\ntopic = \"linnet/room/garden/msg\"\n\
             out_topic = \"linnet/room/garden/post\"\nstatus_topic = \"south/status\"",
            new_device(&north.desk, "south")
        );
        let south = Node::start("south", port, &lines).await;
        let all = numbers(1..=100);
        let say = |node: &Node, who: u8, numbers: &[String]| {
            numbers.iter().for_each(|number| node.say(&format!("{who}: {number}")));
        };
        say(&north, 0, &all[..50]);
        say(&south, 1, &all[..30]);
        // The broker is killed while both talk, and south talks on.
        north.kill();
        say(&south, 1, &all[30..50]);
        north.serve_again();
        south.stands().await;
        say(&north, 0, &all[50..]);
        say(&south, 1, &all[50..]);
        each_has_all_once([&north, &south], [&all, &all], "the only round").await;
    }
}
