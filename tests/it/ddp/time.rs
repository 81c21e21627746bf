//! What time does to a session. The door's clock goes only when it is told.

use super::client::Client;
use crate::harness::ask::connect;
use crate::harness::site::Served;
use crate::harness::wait;
use linnet::base::limits::{
    DDP_KERNEL_BYTES, DDP_LOOK_SECONDS, DDP_STRANGER_LOOKS_MAX, DDP_WRITE_SECONDS_MAX,
};
use linnet::chat::user::Role;
use serde_json::json;
use std::time::Duration;

/// A look and a little more: the clock stops a moment after the session began.
const LOOK: Duration = Duration::from_millis(DDP_LOOK_SECONDS * 1_000 + 100);

impl Client {
    /// Says something and hears the answer: whatever came before was taken. The node may ask for a sign of life
    /// meanwhile, if it looked before it heard.
    fn is_heard(&mut self) {
        self.say(&json!({ "msg": "ping", "id": "fence" }));
        self.hear_until(|heard| *heard == json!({ "msg": "pong", "id": "fence" }));
    }
}

#[test]
fn a_client_that_gives_no_sign_of_life_is_given_up() {
    let served = Served::start();
    let bob = served.person("bob", &[Role::User]);
    let mut his = Client::of(&served, &bob);
    served.pass(LOOK);
    served.pass(LOOK);
    assert_eq!(his.hear(), json!({ "msg": "ping" }));
    served.pass(LOOK);
    assert_eq!(his.hear_end(), 1001);
}

#[test]
fn a_client_that_answers_stays() {
    let served = Served::start();
    let bob = served.person("bob", &[Role::User]);
    let mut his = Client::of(&served, &bob);
    for _ in 0..5 {
        served.pass(LOOK);
        served.pass(LOOK);
        assert_eq!(his.hear(), json!({ "msg": "ping" }));
        his.say(&json!({ "msg": "pong" }));
        his.is_heard();
    }
}

#[test]
fn a_stranger_who_does_not_log_in_must_go() {
    let served = Served::start();
    let mut stranger = Client::stranger(&served);
    for _ in 1..DDP_STRANGER_LOOKS_MAX {
        served.pass(LOOK);
        stranger.is_heard();
    }
    served.pass(LOOK);
    assert_eq!(stranger.hear_end(), 1008);
}

#[test]
fn a_client_that_never_reads_is_given_up() {
    let served = Served::start();
    let (alice, bob) = (served.person("alice", &[Role::User]), served.person("bob", &[Role::User]));
    let stream = connect(served.address);
    rustix::net::sockopt::set_socket_recv_buffer_size(&stream, 4_096).unwrap();
    let mut deaf = Client::over(&served, stream, "/websocket");
    deaf.begin();
    deaf.resume(&bob);
    deaf.listen("stream-room-messages", "GENERAL");
    let mut hers = Client::of(&served, &alice);
    let long = "x".repeat(5_000);
    for _ in 0..4 * DDP_KERNEL_BYTES / long.len() {
        hers.post("GENERAL", &long);
    }
    assert_eq!(served.node.hub.online(&bob.id), 1);
    // The wait for him began a moment ago at the latest.
    served.pass(Duration::from_secs(DDP_WRITE_SECONDS_MAX));
    served.pass(Duration::from_secs(1));
    let gone = wait::until("he is given up", || served.node.hub.online(&bob.id) == 0);
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(gone);
    hers.post("GENERAL", "as if nothing had been");
}
