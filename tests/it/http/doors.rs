//! What the door answers to everybody.

use crate::harness::site::Served;

#[test]
fn a_stranger_learns_that_this_is_a_chat_node() {
    let site = Served::start();
    let info = site.get("/api/info");
    assert_eq!(info.status, 200);
    assert_eq!(info.header("content-type"), Some("application/json"));
    assert_eq!(info.json()["success"], true);
    assert!(info.json()["version"].is_string());
}
