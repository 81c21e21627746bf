//! Both dialects over each carrier, with certificates made for the occasion.

use super::{Bridge, numbers, rule};
use crate::harness::alive::Alive;
use crate::harness::mosquitto::{Mosquitto, free_port};
use crate::harness::wait::until;
use linnet::doors::mqtt::bridge::broker::{Broker, Certificates, Version};
use linnet::doors::mqtt::bridge::rule::BridgeRule;
use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair};
use std::fs;
use std::path::Path;

/// An authority, a broker's certificate and a bridge's, in a folder.
fn certify(folder: &Path) {
    let key = KeyPair::generate().unwrap();
    let mut params = CertificateParams::new(Vec::<String>::new()).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    fs::write(folder.join("ca.pem"), params.self_signed(&key).unwrap().pem()).unwrap();
    let authority = Issuer::new(params, key);
    for name in ["localhost", "porch"] {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(vec![name.to_owned()]).unwrap();
        params.distinguished_name.push(DnType::CommonName, name);
        fs::write(folder.join(format!("{name}.pem")), params.signed_by(&key, &authority).unwrap().pem())
            .unwrap();
        fs::write(folder.join(format!("{name}.key")), key.serialize_pem()).unwrap();
    }
}

/// A broker with one more listener, and the port of that.
pub(super) async fn broker_with(more: &str) -> (Mosquitto, u16) {
    let port = free_port();
    let listener = |folder: &Path| {
        certify(folder);
        format!("listener {port} 127.0.0.1\n{}\n", more.replace("FOLDER", folder.to_str().unwrap()))
    };
    (Mosquitto::start_also(&listener).await, port)
}

pub(super) const SECURED: &str = "certfile FOLDER/localhost.pem\nkeyfile FOLDER/localhost.key";

fn rule_to(broker: &Mosquitto, url: &str, version: Version) -> BridgeRule {
    let folder = broker.folder();
    let mut rule = rule(broker.port, "t/#");
    rule.broker = Broker::parse(url, false).unwrap().0;
    rule.version = version;
    if rule.broker.carrier.is_secured() {
        rule.certificates.ca = Some(folder.join("ca.pem"));
    }
    rule
}

/// Everything that is published arrives once, also what the broker kept while the bridge was away.
async fn carries(broker: &Mosquitto, rule: BridgeRule) {
    let alive = Alive::begin(1);
    let bridge = Bridge::start(&alive, rule.clone());
    until("the bridge listens", || bridge.is_connected()).await;
    broker.publish_lines("t/a", numbers(1..=20).into_iter());
    until("some are said", || alive.said("garden").len() >= 3).await;
    bridge.stop().await;
    let long = "x".repeat(4_900);
    broker.publish("t/a", &long, &[]);
    let _bridge = Bridge::start(&alive, rule);
    until("all are said", || alive.said("garden").len() >= 21).await;
    let mut expected = numbers(1..=20);
    expected.push(long);
    assert_eq!(alive.said("garden"), expected);
}

#[tokio::test]
async fn mqtt_5_is_spoken_over_tcp() {
    let broker = Mosquitto::start().await;
    let url = format!("mqtt://127.0.0.1:{}", broker.port);
    carries(&broker, rule_to(&broker, &url, Version::V5)).await;
}

#[tokio::test]
async fn tls_carries_both_dialects() {
    let (broker, port) = broker_with(SECURED).await;
    let url = format!("mqtts://localhost:{port}");
    carries(&broker, rule_to(&broker, &url, Version::V4)).await;
    let mut rule = rule_to(&broker, &url, Version::V5);
    rule.client_id = "linnet-second".to_owned();
    carries(&broker, rule).await;
}

#[tokio::test]
async fn a_certificate_of_its_own_lets_a_bridge_in() {
    let asks = format!("{SECURED}\ncafile FOLDER/ca.pem\nrequire_certificate true");
    let (broker, port) = broker_with(&asks).await;
    let url = format!("mqtts://localhost:{port}");
    let mut rule = rule_to(&broker, &url, Version::V5);
    let alive = Alive::begin(1);
    let stranger = Bridge::start(&alive, rule.clone());
    until("it is not let in", || !stranger.error().is_empty()).await;
    assert!(!stranger.is_connected());
    stranger.stop().await;
    let folder = broker.folder();
    rule.certificates.own = Some((folder.join("porch.pem"), folder.join("porch.key")));
    carries(&broker, rule).await;
}

#[tokio::test]
async fn a_broker_nobody_vouches_for_is_not_believed() {
    let (broker, port) = broker_with(SECURED).await;
    let alive = Alive::begin(1);
    let mut rule = rule_to(&broker, &format!("mqtts://localhost:{port}"), Version::V4);
    let folder = tempfile::tempdir().unwrap();
    certify(folder.path());
    for (ca, says) in [
        (folder.path().join("ca.pem"), "does 'ca' name who signed"),
        (folder.path().join("absent.pem"), "there is no such file"),
        (folder.path().join("porch.key"), "holds no certificate"),
    ] {
        rule.certificates = Certificates { ca: Some(ca), own: None };
        let bridge = Bridge::start(&alive, rule.clone());
        until(says, || bridge.error().contains(says)).await;
        bridge.stop().await;
    }
    // The name is part of what is vouched for.
    let mut rule = rule_to(&broker, &format!("mqtts://127.0.0.1:{port}"), Version::V4);
    rule.name = "attic".to_owned();
    let bridge = Bridge::start(&alive, rule);
    until("it is told", || bridge.error().contains("no TLS with the broker")).await;
}

#[tokio::test]
async fn a_websocket_carries_both_dialects() {
    let (broker, port) = broker_with("protocol websockets").await;
    let url = format!("ws://127.0.0.1:{port}/mqtt");
    carries(&broker, rule_to(&broker, &url, Version::V4)).await;
    let mut rule = rule_to(&broker, &url, Version::V5);
    rule.client_id = "linnet-second".to_owned();
    carries(&broker, rule).await;
}

#[tokio::test]
async fn a_websocket_with_tls_carries_mqtt() {
    let (broker, port) = broker_with(&format!("protocol websockets\n{SECURED}")).await;
    carries(&broker, rule_to(&broker, &format!("wss://localhost:{port}"), Version::V5)).await;
}

#[tokio::test]
async fn a_web_server_that_is_no_broker_is_told() {
    let broker = Mosquitto::start().await;
    let site = crate::harness::site::Served::start();
    let alive = Alive::begin(1);
    let url = format!("ws://{}/nothing", site.address);
    let bridge = Bridge::start(&alive, rule_to(&broker, &url, Version::V4));
    until("it is told", || bridge.error().contains("instead of a WebSocket: check the path")).await;
}
