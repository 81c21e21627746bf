//! Backups by HTTP: for administrators who show their password again, one at a time, as long as they are it.

use super::{backup, restored};
use crate::harness::ask::{Heard, PATIENCE};
use crate::harness::life::words;
use crate::harness::site::{Person, Served};
use linnet::chat::room::Room;
use linnet::chat::user::{Role, Roles};
use linnet::node::Caller;
use linnet::node::accounts::UserPatch;
use linnet::store::backup::{BackupError, Mode};
use serde_json::json;
use std::io::{Read, Write};
use std::net::TcpStream;

const PATH: &str = "/api/linnet/v1/backup";

fn ask(served: &Served, person: &Person, password: &str) -> Heard {
    served.post_as(person, PATH, &json!({"password": password}))
}

#[test]
fn an_administrator_takes_a_backup_and_nobody_else() {
    let served = Served::start();
    let alice = served.person_with_password("alice", &[Role::Admin, Role::User], "swordfish");
    let heard = ask(&served, &alice, "swordfish");
    assert_eq!(heard.status, 200, "{}", heard.text());
    let name = heard.header("content-disposition").unwrap();
    assert!(name.starts_with("attachment; filename=\"linnet-") && name.ends_with(".backup\""), "{name}");
    let (outcome, _) = restored(&heard.body, Mode::Whole).unwrap();
    assert!(outcome.is_whole());
    assert_eq!(served.node.read(|reading| Ok(backup(reading).len())), Ok(heard.body.len()));
    assert_eq!(ask(&served, &alice, "sword").status, 401);
    assert_eq!(served.post_as(&alice, PATH, &json!({})).status, 400);
    assert_eq!(served.post(PATH, &json!({"password": "swordfish"})).status, 401);
    for (name, role) in [("bob", Role::User), ("mod", Role::Moderator), ("bot", Role::Bot)] {
        let person = served.person_with_password(name, &[role], "swordfish");
        assert_eq!(ask(&served, &person, "swordfish").status, 403, "{name}");
    }
}

/// A backup that was asked for and is not taken: its answer's head was read, the rest waits.
fn stalled(served: &Served, person: &Person) -> TcpStream {
    let body = json!({"password": "swordfish"}).to_string();
    let mut stream = served.connect();
    let [(token, text), (id, user)] = person.headers();
    let head = format!(
        "POST {PATH} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n{token}: {text}\r\n{id}: {user}\r\n\
         Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        served.address,
        body.len()
    );
    stream.write_all(head.as_bytes()).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    let mut line = [0; 15];
    stream.read_exact(&mut line).unwrap();
    assert_eq!(&line, b"HTTP/1.1 200 OK");
    stream
}

#[test]
fn one_goes_out_at_a_time_and_ends_with_the_right_to_it() {
    let served = Served::start();
    let alice = served.person_with_password("alice", &[Role::Admin, Role::User], "swordfish");
    let carol = served.person_with_password("carol", &[Role::Admin, Role::User], "swordfish");
    // More than the kernel takes for a reader who does not read.
    for _ in 0..80 {
        served.operator(|n| {
            for number in 0..24 {
                let draft = words(&format!("{number}{}", "𝄞".repeat(4_900)));
                n.post_message(&Caller::Operator, &Room::GENERAL, draft)?;
            }
            Ok(())
        });
    }
    let mut waiting = stalled(&served, &carol);
    assert_eq!(ask(&served, &alice, "swordfish").status, 503, "one at a time");
    let id = carol.id.clone();
    served.operator(move |n| {
        let patch = UserPatch { roles: Some(Roles::of(&[Role::User])), ..UserPatch::default() };
        n.change_user(&Caller::Operator, &id, patch).map(drop)
    });
    let mut rest = Vec::new();
    let ended = waiting.read_to_end(&mut rest);
    assert!(ended.is_err() || !rest.ends_with(b"0\r\n\r\n"), "it broke off");
    let whole = served.node.read(|reading| Ok(backup(reading).len())).unwrap();
    assert!(rest.len() < whole, "{} of {whole}", rest.len());
    // Its place is free again.
    let heard = ask(&served, &alice, "swordfish");
    assert_eq!(heard.status, 200);
    assert!(restored(&heard.body, Mode::Whole).is_ok());
    assert!(matches!(restored(&heard.body[..rest.len()], Mode::Whole), Err(BackupError::Cut { .. })));
}
