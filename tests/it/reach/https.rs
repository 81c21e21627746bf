//! The HTTP door over TLS, as the whole program serves it.

use crate::ddp::client::Client;
use crate::harness::ask::connect;
use crate::harness::process::Process;
use crate::harness::tls::{certificate_of, get, own_paper, secured, trusting};
use crate::program::Desk;
use rustls::ClientConfig;
use serde_json::json;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::sync::Arc;
use tokio_tungstenite::tungstenite::client::{ClientRequestBuilder, client};

const ON: &str = "[http]\ntls_address = '127.0.0.1:0'\n";
const ADMIN: &str = "rocketchat.internal.admin.test";

/// A node with a certificate of its own, and a client that trusts it.
fn node(words: &str) -> (Desk, Process, SocketAddr, Arc<ClientConfig>) {
    let desk = Desk::with(&[("linnet.toml", ON)]);
    let node = Process::start(&desk, words);
    let secure = node.secure.unwrap();
    let client = trusting(&certificate_of(&desk.path().join("linnet-data/tls/certificate.pem")), None);
    (desk, node, secure, client)
}

#[test]
fn a_node_makes_its_certificate_once_and_tells_how_to_know_it() {
    let (desk, node, secure, client) = node("");
    assert!(get(secure, &client, "/").unwrap().starts_with("HTTP/1.1 200 "), "the page is served");
    let greeting = node.greeting.clone();
    let fingerprint = greeting.split("certificate SHA-256 ").nth(1).unwrap().lines().next().unwrap();
    let data = desk.path().join("linnet-data/tls");
    use sha2::Digest;
    let digest = sha2::Sha256::digest(certificate_of(&data.join("certificate.pem")));
    assert_eq!(
        fingerprint.replace(':', "").to_lowercase(),
        digest.iter().fold(String::new(), |hex, byte| hex + &format!("{byte:02x}"))
    );
    assert!(node.greeting.contains(&format!("https://{secure}")), "{}", node.greeting);
    assert_eq!(data.join("key.pem").metadata().unwrap().permissions().mode() & 0o777, 0o600);
    // Another certificate is not this node's, and clear words are no TLS.
    assert!(get(secure, &trusting(&own_paper().der, None), "/").is_err());
    assert_eq!(node.stop(), 0);
    let node = Process::start(&desk, "");
    assert!(node.greeting.contains(fingerprint), "{}", node.greeting);
    assert!(get(node.secure.unwrap(), &client, "/health").unwrap().starts_with("HTTP/1.1 200 "));
}

#[test]
fn one_logs_in_and_talks_over_tls() {
    let (_desk, _node, secure, tls) = node("--test-mode");
    let request = ClientRequestBuilder::new(format!("ws://{secure}/websocket").parse().unwrap())
        .with_header("Origin", format!("https://{secure}"));
    let (socket, _) = client(request, secured(secure, &tls).unwrap()).unwrap();
    let mut admin = Client::of_socket(socket);
    admin.begin();
    let login = json!([{ "user": { "username": ADMIN }, "password": ADMIN }]);
    let token = admin.call("login", login).unwrap()["token"].as_str().unwrap().to_owned();
    // Longer than a record of TLS, so that it leaves in several.
    let long = "x".repeat(5_000);
    admin.listen("stream-room-messages", "GENERAL");
    for _ in 0..20 {
        admin.begin_call("sendMessage", json!([{ "rid": "GENERAL", "msg": long }]));
    }
    for _ in 0..20 {
        assert_eq!(admin.hear_event("GENERAL")[0]["msg"], long.as_str());
    }
    let cookie = |name: &str| {
        ClientRequestBuilder::new(format!("ws://{secure}/websocket").parse().unwrap())
            .with_header("Origin", format!("https://{secure}"))
            .with_header("Cookie", format!("{name}={token}"))
    };
    let (socket, _) = client(cookie("__Host-linnet_session"), secured(secure, &tls).unwrap()).unwrap();
    let mut page = Client::of_socket(socket);
    page.begin();
    assert_eq!(page.hear()["fields"]["username"], ADMIN, "the page's cookie counts");
    let (socket, _) = client(cookie("linnet_session"), secured(secure, &tls).unwrap()).unwrap();
    let mut page = Client::of_socket(socket);
    page.begin();
    assert!(
        page.call("sendMessage", json!([{ "rid": "GENERAL", "msg": "hi" }])).is_err(),
        "a cookie told in clear does not"
    );
    // A page that came in clear may have been written by anybody on the way.
    let foreign = ClientRequestBuilder::new(format!("ws://{secure}/websocket").parse().unwrap())
        .with_header("Origin", format!("http://{secure}"));
    assert!(client(foreign, secured(secure, &tls).unwrap()).is_err());
}

#[test]
fn noise_and_half_open_handshakes_keep_nobody_out() {
    let (_desk, node, secure, client) = node("");
    let noise: [&[u8]; 5] = [
        b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n",
        &[0; 100],
        &[0x16, 3, 1, 0xFF, 0xFF],
        &[0xFF; 20_000],
        b"\x80\x2e\x01",
    ];
    for bytes in noise {
        let mut stream = connect(secure);
        // It may hang up while we still talk.
        let _ = stream.write_all(bytes);
        let _ = stream.shutdown(std::net::Shutdown::Write);
        let mut rest = Vec::new();
        let _ = stream.read_to_end(&mut rest);
        assert!(!rest.starts_with(b"HTTP"), "{rest:?}");
    }
    let half_open: Vec<TcpStream> = (0..200)
        .map(|_| {
            let mut stream = connect(secure);
            let _ = stream.write_all(&[0x16, 3, 1, 1, 0, 1]);
            stream
        })
        .collect();
    assert!(get(secure, &client, "/health").unwrap().starts_with("HTTP/1.1 200 "));
    assert_eq!(node.ask("GET", "/health", &[], None).status, 200, "nor those who come in clear");
    drop(half_open);
}

#[test]
fn what_cannot_be_shown_stops_the_start_and_is_named() {
    let wrong = |more: &str, files: &[(&str, &str)]| {
        let settings = format!("{ON}[tls]\n{more}");
        let files: Vec<(&str, &str)> =
            files.iter().copied().chain([("linnet.toml", settings.as_str())]).collect();
        let ran = Desk::with(&files).run("serve --http 127.0.0.1:0");
        assert_ne!(ran.code, 0, "{}", ran.out);
        ran.err
    };
    let (one, other) = (own_paper(), own_paper());
    let both = "certificate = 'c.pem'\nkey = 'k.pem'\n";
    let said = wrong("certificate = 'c.pem'\n", &[]);
    assert!(said.contains("belong together"), "{said}");
    let said = wrong(both, &[("k.pem", &one.key)]);
    assert!(said.contains("no TLS with c.pem: No such file"), "{said}");
    let said = wrong(both, &[("c.pem", &one.certificate), ("k.pem", &other.key)]);
    assert!(said.contains("does not go with the key in k.pem"), "{said}");
    let said =
        wrong(&format!("{both}client_ca = 'k.pem'"), &[("c.pem", &one.certificate), ("k.pem", &one.key)]);
    assert!(said.contains("k.pem: it holds no certificate"), "{said}");
}
