//! Bytes that reach the disk for each message, for one a second and for bursts, beside SQLite on the same work.

use crate::Outcome;
use crate::args::Args;
use crate::ddp::ROOM;
use crate::http::{Http, login};
use crate::loop_disk::{LoopDisk, run as run_program};
use crate::posts::post_hard;
use crate::publish::{TEXT_BYTES, text};
use crate::report::Figures;
use crate::server::Server;
use crate::stats::now;
use serde_json::json;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

/// Messages said one a second: a checkpoint or two pass meanwhile.
const STEADY: usize = 90;
/// How long 64 posters post.
const BURST: Duration = Duration::from_secs(3);
/// SQLite's messages one by one and many at a time; it does not know how to share a sync between clients.
const SQLITE_BURST: usize = 5_000;
/// Messages in one transaction, as many as posters of the burst.
const TOGETHER: usize = 64;
const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/bench/sqlite.py");

pub async fn run(args: &Args, figures: &mut Figures) -> Outcome<()> {
    let disk = LoopDisk::mount(args, "writes")?;
    let server = Server::start(args, &disk.folder().join("data"))?;
    let login = login(server.address).await?;
    let mut http = Http::connect(server.address, Some(&login)).await?;
    let seconds = args.scaled(STEADY);
    let before = disk.written_bytes()?;
    let began = now();
    for number in 0..seconds {
        let body = json!({ "message": { "rid": ROOM, "msg": text(0, number) } }).to_string();
        http.post("/api/v1/chat.sendMessage", &body).await?;
        tokio::time::sleep(Duration::from_secs(number as u64 + 1).saturating_sub(now() - began)).await;
    }
    put(figures, "steady", disk.written_bytes()? - before, seconds);
    let before = disk.written_bytes()?;
    let messages = post_hard(&server, &login, if args.quick { BURST / 10 } else { BURST }).await?;
    // What the index still has to write belongs to it.
    server.stop()?;
    put(figures, "burst", disk.written_bytes()? - before, messages);
    for (row, messages, per_second, together) in [
        ("sqlite_steady", seconds, 1, 1),
        ("sqlite_burst", args.scaled(SQLITE_BURST), 0, 1),
        ("sqlite_groups", args.scaled(SQLITE_BURST), 0, TOGETHER),
    ] {
        let before = disk.written_bytes()?;
        sqlite(&disk.folder().join(row), [messages, per_second, together])?;
        put(figures, row, disk.written_bytes()? - before, messages);
    }
    Ok(())
}

fn sqlite(path: &Path, numbers: [usize; 3]) -> Outcome<()> {
    let numbers = numbers.map(|number| number.to_string());
    run_program(Command::new("python3").arg(SCRIPT).arg(path).args(numbers)).map(drop)
}

fn put(figures: &mut Figures, row: &str, bytes: u64, messages: usize) {
    let each = bytes as f64 / messages.max(1) as f64;
    figures.put("writes", row, "messages", messages as f64);
    figures.put("writes", row, "bytes", each);
    figures.put("writes", row, "times", each / TEXT_BYTES as f64);
}
