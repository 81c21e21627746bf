//! The real binary: a node is backed up while it serves, restored elsewhere, and everybody is at home there.

use crate::harness::ask::Heard;
use crate::harness::process::Process;
use crate::program::Desk;
use serde_json::{Value, json};
use std::fs;
use std::os::unix::fs::PermissionsExt;

fn post(process: &Process, path: &str, token: Option<&(String, String)>, body: &Value) -> Heard {
    let mut headers = vec![("Content-Type", "application/json")];
    if let Some((id, token)) = token {
        headers.extend([("X-User-Id", id.as_str()), ("X-Auth-Token", token.as_str())]);
    }
    process.ask("POST", path, &headers, Some(body.to_string().as_bytes()))
}

fn login(process: &Process) -> (String, String) {
    let heard = post(process, "/api/v1/login", None, &json!({"user": "alice", "password": "swordfish"}));
    assert_eq!(heard.status, 200, "{}", heard.text());
    let data = &heard.json()["data"];
    let part = |name: &str| data[name].as_str().unwrap().to_owned();
    (part("userId"), part("authToken"))
}

fn history(process: &Process, (id, token): &(String, String)) -> Value {
    let headers = [("X-User-Id", id.as_str()), ("X-Auth-Token", token.as_str())];
    let heard = process.ask("GET", "/api/v1/channels.history?roomName=general&count=100", &headers, None);
    assert_eq!(heard.status, 200, "{}", heard.text());
    heard.json()["messages"].clone()
}

/// A serving node on `one` with alice and some messages; her session.
fn begun(desk: &Desk) -> (Process, (String, String)) {
    let process = Process::start(desk, "--data one");
    let line = "user add alice --role admin --password-stdin --data one";
    assert_eq!(desk.run_with_input(line, "swordfish\n").code, 0);
    let alice = login(&process);
    for number in 0..20 {
        let body = json!({"channel": "#general", "text": format!("message {number}")});
        assert_eq!(post(&process, "/api/v1/chat.postMessage", Some(&alice), &body).status, 200);
    }
    (process, alice)
}

#[test]
fn a_node_is_backed_up_while_it_serves_and_restored_elsewhere() {
    let desk = Desk::with(&[]);
    let (process, alice) = begun(&desk);
    let ran = desk.run("backup one.backup --data one");
    assert_eq!((ran.code, ran.out.as_str()), (0, ""), "{}", ran.err);
    assert!(
        ran.err.starts_with("a backup of ") && ran.err.contains("next: linnet backup --verify one.backup")
    );
    let file = desk.path().join("one.backup");
    assert_eq!(file.metadata().unwrap().permissions().mode() & 0o777, 0o600);
    let again = desk.run("backup one.backup --data one");
    assert_eq!(again.code, 1);
    assert!(again.err.contains("replace it with --force"), "{}", again.err);
    assert_eq!(desk.run("backup one.backup --force --data one").code, 0);
    let verified = desk.run("backup --verify one.backup");
    assert!(verified.code == 0 && verified.err.starts_with("whole: "), "{}", verified.err);
    let before = history(&process, &alice);
    assert_eq!(process.stop(), 0);

    let ran = desk.run("restore one.backup --data two/nest");
    assert_eq!(ran.code, 0, "{}", ran.err);
    assert!(ran.err.ends_with("next: linnet serve --data two/nest\n"), "{}", ran.err);
    let restored = Process::start(&desk, "--data two/nest");
    assert_eq!(history(&restored, &alice), before, "the session of before is good, and all is as it was");
    assert_eq!(history(&restored, &login(&restored)), before, "the password of before is good");
    assert_eq!(restored.stop(), 0);
    // No node runs, so it is taken from the store itself.
    let ran = desk.run("backup two.backup --data two/nest");
    assert_eq!(ran.code, 0, "{}", ran.err);
    let taken = desk.run("restore two.backup --data two/nest");
    assert_eq!(taken.code, 1);
    assert!(taken.err.contains("is not empty"), "{}", taken.err);
    let piped = desk.run_from_file("restore - --data three", "two.backup");
    assert_eq!(piped.code, 0, "{}", piped.err);
    let third = Process::start(&desk, "--data three");
    assert_eq!(history(&third, &alice), before);
}

#[test]
fn a_cut_or_damaged_backup_leaves_nothing_and_what_is_readable_can_be_salvaged() {
    let desk = Desk::with(&[]);
    let (process, alice) = begun(&desk);
    assert_eq!(desk.run("backup one.backup --data one").code, 0);
    drop(process);
    let mut bytes = fs::read(desk.path().join("one.backup")).unwrap();
    bytes.truncate(bytes.len() - 40);
    fs::write(desk.path().join("cut.backup"), &bytes).unwrap();
    for line in ["restore cut.backup --data two", "backup --verify cut.backup"] {
        let ran = desk.run(line);
        assert_eq!(ran.code, 1, "{line}");
        assert!(ran.err.contains("cut short") && ran.err.contains("--salvage"), "{line}: {}", ran.err);
    }
    assert!(!desk.path().join("two").exists(), "nothing half made");
    assert!(desk.run("restore one.config --data two").err.contains("cannot read"));
    let ran = desk.run("restore cut.backup --salvage --data two");
    assert_eq!(ran.code, 0, "{}", ran.err);
    assert!(ran.err.contains("missing: the end of the backup"), "{}", ran.err);
    let salvaged = Process::start(&desk, "--data two");
    assert_eq!(history(&salvaged, &alice).as_array().unwrap().len(), 21, "20 messages, and that she joined");
    drop(salvaged);
    // A power cut in the middle of a restore: the folder neither starts empty nor stays in the way.
    fs::create_dir_all(desk.path().join("three/restoring/journal")).unwrap();
    let ran = desk.run("status --data three");
    assert!(ran.code == 1 && ran.err.contains("was cut short"), "{}", ran.err);
    assert_eq!(desk.run("restore one.backup --data three").code, 0);
    assert_eq!(desk.run("status --data three").code, 0);
}

#[test]
fn a_tests_backup_restores_to_a_tests_folder_only() {
    let desk = Desk::with(&[]);
    drop(Process::start(&desk, "--test-mode --data one"));
    assert_eq!(desk.run("backup one.backup --data one").code, 0);
    assert_eq!(desk.run("restore one.backup --data two").code, 0);
    assert!(desk.path().join("two/test-mode").exists(), "its passwords are known to everybody");
}
