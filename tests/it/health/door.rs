//! `/health` and `/metrics` over sockets: what they tell, and whom.

use super::exposition::Page;
use crate::harness::site::{Person, Served};
use linnet::chat::user::Role;
use linnet::node::health::{Trouble, TroubleKind};
use linnet::store::disk::SimDisk;
use serde_json::json;
use std::sync::Arc;

/// A program elsewhere, as a proxy on this machine would bring it.
const ELSEWHERE: (&str, &str) = ("X-Forwarded-For", "192.168.1.66");

fn post(site: &Served, person: &Person, text: &str) -> u16 {
    site.post_as(person, "/api/v1/chat.postMessage", &json!({"roomId": "GENERAL", "text": text})).status
}

#[test]
fn health_needs_no_login_and_tells_what_is_not_well() {
    let site = Served::start();
    let heard = site.ask("GET", "/health", &[ELSEWHERE], None);
    assert_eq!((heard.status, heard.json()["status"].as_str()), (200, Some("ok")), "{}", heard.text());
    assert_eq!(heard.json()["version"], "0.1.0");
    assert_eq!(heard.header("cache-control"), Some("no-store"));
    let note = |kind, text: &str| site.node.health.note(Trouble { kind, text: text.into() });
    note(TroubleKind::Unclean, "somebody pulled the plug");
    assert_eq!(site.get("/health").json()["status"], "ok", "a pulled plug is everyday life");
    note(TroubleKind::IndexRebuilt, "The index was built anew.");
    let heard = site.get("/health").json();
    assert_eq!(heard["status"], "warning");
    assert_eq!(heard["troubles"], json!([{"kind": "index_rebuilt", "text": "The index was built anew."}]));
    note(TroubleKind::JournalDamaged, "A part cannot be read.");
    let heard = site.get("/health");
    assert_eq!((heard.status, heard.json()["status"].as_str()), (200, Some("error")));
    site.node.health.clear(TroubleKind::JournalDamaged);
    site.node.health.clear(TroubleKind::IndexRebuilt);
    assert_eq!(site.get("/health").json()["troubles"], json!([]));
}

#[test]
fn health_names_nobody() {
    let site = Served::start();
    let alice = site.person("alice-with-a-rare-name", &[Role::Admin, Role::User]);
    assert_eq!(post(&site, &alice, "a rare word"), 200);
    for heard in [site.get("/health"), site.get("/metrics")] {
        let text = heard.text();
        for secret in ["alice-with-a-rare-name", "rare word", "general", "GENERAL", &alice.token] {
            assert!(!text.contains(secret), "{secret} in {text}");
        }
    }
}

#[test]
fn a_node_whose_disk_failed_says_503_and_still_says_it() {
    let disk = SimDisk::new(1);
    let site = Served::start_on(Arc::new(disk.clone()));
    let alice = site.person("alice", &[Role::Admin, Role::User]);
    assert_eq!(site.get("/health").status, 200);
    disk.fail_sync_at(1);
    assert_eq!(post(&site, &alice, "lost"), 500);
    let heard = site.get("/health");
    assert_eq!((heard.status, heard.json()["status"].as_str()), (503, Some("error")), "{}", heard.text());
    assert_eq!(heard.json()["troubles"][0]["kind"], "sync_failed");
    assert_eq!(
        Page::read(&site.get("/metrics").text())
            .value("linnet_refusals_total", Some(("reason", "store_failed"))),
        0.0
    );
}

#[test]
fn metrics_are_for_this_machine_and_for_those_who_run_the_node() {
    let site = Served::start();
    let alice = site.person("alice", &[Role::Admin, Role::User]);
    let bob = site.person("bob", &[Role::User]);
    let moderator = site.person("moderator", &[Role::Moderator, Role::User]);
    let key = site.operator(|node| {
        let name = linnet::chat::name::Name::fixed("sensor");
        Ok(node
            .add_device(
                &linnet::node::Caller::Operator,
                name,
                "general",
                linnet::node::devices::Rights::Both,
            )?
            .key)
    });
    let status = |headers: &[(&str, &str)]| site.ask("GET", "/metrics", headers, None).status;
    assert_eq!(status(&[]), 200);
    assert_eq!(status(&[ELSEWHERE]), 401);
    assert_eq!(status(&[("Sec-Fetch-Site", "cross-site")]), 401, "another site's page in a browser here");
    assert_eq!(status(&[ELSEWHERE, ("Authorization", "Bearer nonsense")]), 401);
    for (token, expected) in [(&alice.token, 200), (&bob.token, 403), (&moderator.token, 403), (&key, 403)] {
        let bearer = format!("Bearer {token}");
        assert_eq!(status(&[ELSEWHERE, ("Authorization", &bearer)]), expected);
    }
}

#[test]
fn metrics_are_in_the_format_and_count_what_was_done() {
    let site = Served::start();
    let alice = site.person("alice", &[Role::Admin, Role::User]);
    let read = || {
        let heard = site.get("/metrics");
        assert_eq!(heard.header("content-type"), Some("text/plain; version=0.0.4; charset=utf-8"));
        Page::read(&heard.text())
    };
    let before = read();
    for number in 0..7 {
        assert_eq!(post(&site, &alice, &format!("number {number}")), 200);
    }
    assert_eq!(post(&site, &alice, "x".repeat(5_001).as_str()), 400);
    site.node.health.note(Trouble { kind: TroubleKind::BackupFailed, text: "no stick".into() });
    let after = read();
    let grew = |name| after.value(name, None) - before.value(name, None);
    assert_eq!(grew("linnet_messages_posted_total"), 7.0);
    assert!(grew("linnet_journal_frames_total") >= 7.0);
    assert!(grew("linnet_journal_bytes_total") > 7.0 * 50.0);
    assert!((1.0..=8.0).contains(&grew("linnet_journal_syncs_total")));
    assert_eq!(grew("linnet_journal_sync_seconds_count"), grew("linnet_journal_groups_total"));
    let all = after.value("linnet_journal_sync_seconds_bucket", Some(("le", "+Inf")));
    assert_eq!(all, after.value("linnet_journal_sync_seconds_count", None));
    assert_eq!(after.value("linnet_troubles", Some(("kind", "backup_failed"))), 1.0);
    assert_eq!(after.value("linnet_troubles", Some(("kind", "disk_full"))), 0.0);
    assert_eq!(after.value("linnet_memory_resident_bytes", None), 4_711.0);
    assert!(after.value("linnet_data_bytes", Some(("part", "journal"))) > 4_096.0);
    assert!(after.value("linnet_connections", None) >= 1.0);
}
