//! The real binary on a real small file system that somebody else fills.

use crate::harness::process::Process;
use crate::program::Desk;
use serde_json::Value;
use std::fs::File;
use std::io::Write;
use std::path::PathBuf;
use std::process::Command;

/// A small tmpfs in a desk's folder; dropping it unmounts it.
struct Small {
    desk: Desk,
    folder: PathBuf,
}

impl Small {
    fn mounted(size: &str) -> Small {
        let desk = Desk::with(&[("small/here", "")]);
        let folder = desk.path().join("small");
        let mut mount = Command::new("mount");
        mount.args(["-t", "tmpfs", "-o", &format!("size={size}"), "tmpfs"]).arg(&folder);
        assert!(
            mount.status().unwrap().success(),
            "this test needs the right to mount a small tmpfs: run it as root"
        );
        Small { desk, folder }
    }

    /// Somebody else takes everything that is free.
    fn fill(&self) {
        let mut file = File::options().create(true).append(true).open(self.folder.join("foreign")).unwrap();
        while file.write(&[7; 4096]).is_ok_and(|count| count > 0) {}
    }

    fn empty(&self) {
        std::fs::remove_file(self.folder.join("foreign")).unwrap();
    }
}

impl Drop for Small {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(&self.folder).status();
    }
}

struct Porch(String);

impl Porch {
    fn post(&self, node: &Process, text: &str) -> u16 {
        node.ask("POST", "/garden", &[("Authorization", &self.0)], Some(text.as_bytes())).status
    }

    fn said(&self, node: &Process) -> Vec<String> {
        let all =
            node.ask("GET", "/garden/json?since=all&poll=1", &[("Authorization", &self.0)], None).text();
        let text =
            |line: &str| serde_json::from_str::<Value>(line).unwrap()["message"].as_str().unwrap().to_owned();
        all.lines().map(text).collect()
    }

    /// Posts until this status comes, at most some seconds; every other one that comes must be `other`.
    fn post_until(&self, node: &Process, status: u16, other: u16, acknowledged: &mut Vec<String>) {
        let began = std::time::Instant::now();
        for number in 0.. {
            let text = format!("{status} {number} {}", acknowledged.len());
            let heard = self.post(node, &text);
            if heard == 200 {
                acknowledged.push(text);
            }
            if heard == status {
                return;
            }
            // It is also told that it posts too often.
            assert!(heard == other || heard == 429, "{heard}");
            assert!(began.elapsed() < crate::harness::wait::LIMIT, "waited in vain for {status}");
        }
    }
}

#[test]
fn a_disk_that_others_fill_loses_nothing_and_serves_readers_also_after_a_start() {
    let small = Small::mounted("16m");
    let node = Process::start(&small.desk, "--data small/data");
    let ran = small.desk.run("device add porch --room garden --json --data small/data");
    let added: Value = serde_json::from_str(&ran.out).unwrap_or_else(|_| panic!("{}{}", ran.out, ran.err));
    let porch = Porch(format!("Bearer {}", added["token"].as_str().unwrap()));
    let mut acknowledged = Vec::new();
    for number in 0..50 {
        let text = format!("before {number}");
        assert_eq!(porch.post(&node, &text), 200);
        acknowledged.push(text);
    }
    small.fill();
    porch.post_until(&node, 507, 200, &mut acknowledged);
    assert_eq!(porch.said(&node), acknowledged, "readers are served");
    let health = node.ask("GET", "/health", &[], None);
    assert_eq!((health.status, health.json()["status"].as_str()), (200, Some("error")));
    assert!(health.text().contains("disk_full"), "{}", health.text());
    let status = small.desk.run("status --data small/data").out;
    for word in ["error      The disk is full", "kept free", "bytes a message"] {
        assert!(status.contains(word), "{word} is missing in {status}");
    }
    let status: Value = serde_json::from_str(&small.desk.run("status --json --data small/data").out).unwrap();
    assert_eq!(status["vitals"]["troubles"][0]["severity"], "error");
    assert_eq!(status["vitals"]["disk"]["floor_bytes"], 2 * 1024 * 1024);
    // Not stopped, killed: the index is as a power cut leaves it, on a disk without a free byte.
    node.kill();
    small.fill();
    let node = Process::start(&small.desk, "--data small/data");
    assert_eq!(porch.said(&node), acknowledged, "also after a start on a full disk");
    assert_eq!(porch.post(&node, "no"), 507);
    small.empty();
    porch.post_until(&node, 200, 507, &mut acknowledged);
    assert_eq!(porch.said(&node), acknowledged);
    assert_eq!(node.stop(), 0);
    let node = Process::start(&small.desk, "--data small/data");
    assert_eq!(porch.said(&node), acknowledged);
    let rooms = small.desk.run("room list --data small/data").out;
    assert!(rooms.contains("system"), "it was told in #system: {rooms}");
}
