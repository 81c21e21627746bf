//! Against a real Mosquitto.

use super::{Bridge, numbers, rule};
use crate::harness::alive::Alive;
use crate::harness::mosquitto::{Mosquitto, free_port};
use crate::harness::wait::until;
use linnet::chat::name::Name;
use linnet::doors::mqtt::binding::{Deadband, Template};
use linnet::doors::mqtt::bridge::rule::Password;
use std::fs;
use std::io::Write;
use std::sync::{Arc, Mutex};
use std::time::Duration;

#[tokio::test]
async fn reports_of_sensors_arrive_as_sentences_in_order() {
    let broker = Mosquitto::start().await;
    let alive = Alive::begin(1);
    let mut tasmota = rule(broker.port, "tele/+/SENSOR");
    tasmota.hears.as_mut().unwrap().binding.text =
        Template::parse("{topic.1}: {json.DS18B20.Temperature} {json.TempUnit}").unwrap();
    let mut zigbee = rule(broker.port, "zigbee2mqtt/#");
    zigbee.name = "zigbee".to_owned();
    zigbee.client_id = "linnet-zigbee".to_owned();
    zigbee.room = Name::fixed("house");
    zigbee.hears.as_mut().unwrap().binding.text =
        Template::parse("{topic.1}/{topic.2}: contact {json.contact}").unwrap();
    broker.publish("zigbee2mqtt/garden/door", r#"{"contact":true}"#, &["-r"]);
    let bridges = [Bridge::start(&alive, tasmota), Bridge::start(&alive, zigbee)];
    until("both bridges listen", || bridges.iter().all(Bridge::is_connected)).await;
    for degrees in ["21.5", "21.6", "-3"] {
        let report = format!(
            r#"{{"Time":"2026-01-01T00:00:00","DS18B20":{{"Temperature":{degrees}}},"TempUnit":"C"}}"#
        );
        broker.publish("tele/porch/SENSOR", &report, &[]);
        broker.publish("tele/porch/STATE", "{}", &[]);
    }
    broker.publish("zigbee2mqtt/garden/door", r#"{"contact":false,"battery":97}"#, &["-r"]);
    until("four reports are said", || alive.said("garden").len() + alive.said("house").len() >= 4).await;
    assert_eq!(alive.said("garden"), ["porch: 21.5 C", "porch: 21.6 C", "porch: -3 C"]);
    // The state that was retained before the bridge listened is no news.
    assert_eq!(alive.said("house"), ["garden/door: contact false"]);
}

#[tokio::test]
async fn a_bridge_withholds_what_is_no_news_and_acknowledges_it() {
    let broker = Mosquitto::start().await;
    let alive = Alive::begin(2);
    let mut rule = rule(broker.port, "tele/+");
    let binding = &mut rule.hears.as_mut().unwrap().binding;
    binding.text = Template::parse("{device} {value} {unit}").unwrap();
    (binding.unit, binding.deadband) = ("°C".to_owned(), Some(Deadband::By(0.5)));
    let bridge = Bridge::start(&alive, rule.clone());
    until("the bridge listens", || bridge.is_connected()).await;
    for degrees in ["21.4", "21.5", "warm", "21.8", "21.9"] {
        broker.publish("tele/porch", degrees, &[]);
    }
    until("two are said", || alive.said("garden").len() >= 2).await;
    bridge.stop().await;
    // What was withheld was acknowledged: the broker does not send it again.
    let bridge = Bridge::start(&alive, rule);
    until("the bridge listens again", || bridge.is_connected()).await;
    broker.publish("tele/porch", "5", &[]);
    until("a third is said", || alive.said("garden").len() >= 3).await;
    assert_eq!(alive.said("garden"), ["porch 21.4 °C", "porch 21.9 °C", "porch 5 °C"]);
    bridge.stop().await;
}

#[tokio::test]
async fn a_bridge_says_the_last_of_what_came_too_often_when_its_time_is_over() {
    let broker = Mosquitto::start().await;
    let alive = Alive::begin(3);
    let mut rule = rule(broker.port, "tele/+");
    rule.hears.as_mut().unwrap().binding.every = Some(Duration::from_secs(2));
    let bridge = Bridge::start(&alive, rule);
    until("the bridge listens", || bridge.is_connected()).await;
    broker.publish_lines("tele/porch", ["1", "2", "3"].into_iter().map(str::to_owned));
    until("the last is said", || alive.said("garden").len() >= 2).await;
    assert_eq!(alive.said("garden"), ["1", "3"]);
    bridge.stop().await;
}

/// Publishes 100 messages; ends the bridge and the node while they come, and again, and starts them again each time.
async fn each_arrives_once(seed: u64, end: impl AsyncFn(Bridge, Alive) -> Alive) {
    let broker = Mosquitto::start().await;
    let mut alive = Alive::begin(seed);
    let mut published = 0;
    // Ended early, in the middle, and not before the last of a hundred.
    for (count, ended_at) in [(20, 1), (40, 25), (40, 90)] {
        let bridge = Bridge::start(&alive, rule(broker.port, "t/#"));
        until("the bridge listens", || bridge.is_connected()).await;
        broker.publish_lines("t/a", numbers(published + 1..=published + count).into_iter());
        published += count;
        until("some are said", || alive.said("garden").len() >= ended_at).await;
        alive = end(bridge, alive).await;
    }
    // While nobody listens the broker keeps them.
    broker.publish_lines("t/a", numbers(101..=120).into_iter());
    let bridge = Bridge::start(&alive, rule(broker.port, "t/#"));
    until("all are said", || alive.said("garden").len() >= 120).await;
    broker.publish("t/a", "the last", &[]);
    until("what follows is said", || alive.said("garden").last().unwrap() == "the last").await;
    bridge.stop().await;
    let mut expected = numbers(1..=120);
    expected.push("the last".to_owned());
    assert_eq!(alive.said("garden"), expected);
}

#[tokio::test]
async fn a_node_that_stops_while_messages_come_says_each_once() {
    each_arrives_once(2, async |bridge, alive| {
        bridge.stop().await;
        alive.restart()
    })
    .await;
}

#[tokio::test]
async fn a_node_that_loses_its_power_while_messages_come_says_each_once() {
    each_arrives_once(3, async |bridge, alive| {
        bridge.kill().await;
        alive.lose_power()
    })
    .await;
}

#[tokio::test]
async fn a_broker_that_is_killed_loses_nothing_it_acknowledged() {
    let mut broker = Mosquitto::start().await;
    let alive = Alive::begin(4);
    let bridge = Bridge::start(&alive, rule(broker.port, "t/#"));
    until("the bridge listens", || bridge.is_connected()).await;
    // As many as Mosquitto sends at once: what waits behind them it may have sent without having noted so, and
    // would send again as if for the first time.
    broker.publish_lines("t/a", numbers(1..=20).into_iter());
    until("all are said or stored", || {
        let said = alive.said("garden");
        said.len() >= 5 && numbers(1..=20).iter().all(|text| said.contains(text) || broker.stores(text))
    })
    .await;
    broker.kill();
    until("the bridge notices", || !bridge.is_connected()).await;
    broker.start_again().await;
    until("it listens again", || bridge.is_connected()).await;
    broker.publish_lines("t/a", numbers(21..=50).into_iter());
    until("the last is said", || alive.said("garden").contains(&"number 50".to_owned())).await;
    // Now the bridge is away, and the broker is killed with what it keeps for it.
    bridge.stop().await;
    broker.publish_lines("t/a", numbers(51..=60).into_iter());
    until("mosquitto has stored what it acknowledged", || broker.stores("number 60")).await;
    broker.kill();
    broker.start_again().await;
    let _bridge = Bridge::start(&alive, rule(broker.port, "t/#"));
    until("all are said", || alive.said("garden").len() >= 60).await;
    assert_eq!(alive.said("garden"), numbers(1..=60));
}

/// What the log says.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Log {
    fn says(&self, words: &str) -> usize {
        String::from_utf8_lossy(&self.0.lock().unwrap()).matches(words).count()
    }
}

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

fn listen_to_the_log() -> (Log, tracing::subscriber::DefaultGuard) {
    let log = Log::default();
    let writer = log.clone();
    let subscriber = tracing_subscriber::fmt().with_ansi(false).with_writer(move || writer.clone()).finish();
    // The bridge runs on this very thread.
    (log, tracing::subscriber::set_default(subscriber))
}

#[tokio::test]
async fn a_wrong_password_is_told_once_and_tried_again_with_a_new_one() {
    let (log, _guard) = listen_to_the_log();
    let broker = Mosquitto::start_with("linnet", "swordfish").await;
    let alive = Alive::begin(5);
    let file = tempfile::NamedTempFile::new().unwrap();
    fs::write(file.path(), "tuna\n").unwrap();
    let mut rule = rule(broker.port, "t/#");
    rule.user = Some("linnet".to_owned());
    rule.password = Password::File(file.path().to_owned());
    let bridge = Bridge::start(&alive, rule);
    let refused = "refuses user 'linnet': check the bridge's user and password";
    until("the refusal is told", || bridge.error().contains(refused)).await;
    until("it was tried again", || broker.log().matches("not authorised").count() >= 2).await;
    assert_eq!(log.says(refused), 1);
    assert_eq!(log.says("tuna"), 0);
    fs::write(file.path(), "swordfish\n").unwrap();
    until("the bridge listens", || bridge.is_connected()).await;
    assert_eq!(bridge.error(), "");
    broker.publish("t/a", "number 1", &[]);
    until("it is said", || alive.said("garden") == numbers(1..=1)).await;
}

#[tokio::test]
async fn a_broker_that_is_not_there_is_told_and_found_when_it_comes() {
    let (log, _guard) = listen_to_the_log();
    let port = free_port();
    let alive = Alive::begin(6);
    let bridge = Bridge::start(&alive, rule(port, "t/#"));
    let told = format!("no broker at 127.0.0.1:{port}");
    until("it is told", || bridge.error().contains(&told) && log.says(&told) == 1).await;
    let broker = Mosquitto::start_at(port, None).await;
    until("the bridge listens", || bridge.is_connected()).await;
    broker.publish("t/a", "number 1", &[]);
    until("it is said", || alive.said("garden") == numbers(1..=1)).await;
}
