//! How much a direct room keeps can be said as well, although it has no name.

use crate::harness::process::Process;
use crate::program::Desk;
use serde_json::{Value, json};

#[test]
fn a_direct_room_is_named_by_its_people() {
    let desk = Desk::with(&[]);
    let process = Process::start(&desk, "");
    for name in ["alice", "bob"] {
        let line = format!("user add {name} --role user --password-stdin");
        assert_eq!(desk.run_with_input(&line, "swordfish\n").code, 0);
    }
    let post = |path: &str, headers: &[(&str, &str)], body: Value| {
        let headers = [&[("Content-Type", "application/json")], headers].concat();
        let heard = process.ask("POST", path, &headers, Some(body.to_string().as_bytes()));
        assert_eq!(heard.status, 200, "{path}: {}", heard.text());
        heard.json()
    };
    let ask = |words: &str| desk.run(&format!("room retention {words}"));
    assert!(ask("@alice,@bob --days 7").err.contains("no such room"), "{}", ask("@alice,@bob").err);
    let login = post("/api/v1/login", &[], json!({"user": "alice", "password": "swordfish"}));
    let part = |name: &str| login["data"][name].as_str().unwrap().to_owned();
    let (id, token) = (part("userId"), part("authToken"));
    let session = [("X-User-Id", id.as_str()), ("X-Auth-Token", token.as_str())];
    post("/api/v1/im.create", &session, json!({"username": "bob"}));
    let own = "@alice,@bob is kept for 7 days, by a rule of its own\n";
    assert_eq!(ask("@alice,@bob --days 7").out, own);
    assert_eq!(ask("@Bob,alice").out, "@bob,@alice is kept for 7 days, by a rule of its own\n");
    assert_eq!(process.stop(), 0);
    assert_eq!(ask("@alice,@bob").out, own);
    assert_eq!(ask("@alice,@bob --default").out, "@alice,@bob is kept as the node's settings say\n");
    assert!(ask("@alice,@nobody").err.contains("no such user"), "{}", ask("@alice,@nobody").err);
}
