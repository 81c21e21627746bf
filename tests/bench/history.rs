//! A page of 50 messages somewhere deep in a long history.

use crate::args::Args;
use crate::fill::{ARCHIVE, GENERAL_MESSAGES};
use crate::folders::filled;
use crate::http::{Http, login};
use crate::report::Figures;
use crate::server::Server;
use crate::stats::{ms, now, percentile};
use crate::{Outcome, wrong};
use linnet::base::world::SimWorld;
use serde_json::Value;
use std::time::Duration;

/// Messages of a page.
const PAGE: usize = 50;
/// Pages asked for.
const PAGES: usize = 1_000;

pub async fn run(args: &Args, figures: &mut Figures) -> Outcome<()> {
    let small = filled(args, GENERAL_MESSAGES)?;
    let server = Server::start(args, &small.path)?;
    room(args, figures, &server, "roomId=GENERAL", "100000").await?;
    server.stop()?;
    if !args.quick {
        let large = filled(args, 1_000_000)?;
        let server = Server::start(args, &large.path)?;
        room(args, figures, &server, "roomId=GENERAL", "100000_of_1000000").await?;
        room(args, figures, &server, &format!("roomName={ARCHIVE}"), "900000").await?;
        server.stop()?;
    }
    Ok(())
}

async fn room(args: &Args, figures: &mut Figures, server: &Server, room: &str, row: &str) -> Outcome<()> {
    let login = login(server.address).await?;
    let mut http = Http::connect(server.address, Some(&login)).await?;
    let (oldest, newest) = ends(&mut http, room).await?;
    let chance = SimWorld::new(7);
    let pages = args.scaled(PAGES);
    let mut each: Vec<Duration> = Vec::with_capacity(pages);
    let before = server.cpu_s()?;
    for _ in 0..pages {
        // A tenth is left out at the old end, so that every page is full.
        let depth = chance.next() % ((newest - oldest) / 10 * 9);
        let latest = iso(newest - depth);
        let path = format!("/api/v1/channels.history?{room}&count={PAGE}&latest={latest}");
        let asked = now();
        let body = http.get(&path).await?;
        each.push(now() - asked);
        check(&serde_json::from_slice(&body)?, &latest)?;
    }
    let cpu = server.cpu_s()? - before;
    figures.put("history", row, "p50_ms", ms(percentile(&mut each, 0.5)));
    figures.put("history", row, "p99_ms", ms(percentile(&mut each, 0.99)));
    figures.put("history", row, "cpu_us", cpu * 1e6 / pages as f64);
    Ok(())
}

/// The page is full and nothing in it is as young as what was asked for.
fn check(page: &Value, latest: &str) -> Outcome<()> {
    let messages = page["messages"].as_array().map_or(&[][..], Vec::as_slice);
    let newest = messages.first().and_then(|message| message["ts"].as_str()).unwrap_or("~");
    let falling = messages.windows(2).all(|two| two[0]["ts"].as_str() >= two[1]["ts"].as_str());
    if messages.len() == PAGE && newest < latest && falling {
        return Ok(());
    }
    Err(wrong(format!("a page before {latest} has {} messages, the newest of {newest}", messages.len())))
}

/// The times of the oldest and the newest message, in milliseconds.
async fn ends(http: &mut Http, room: &str) -> Outcome<(u64, u64)> {
    let mut one = async |more: &str| -> Outcome<u64> {
        let path = format!("/api/v1/channels.history?{room}&count=1{more}");
        let page: Value = serde_json::from_slice(&http.get(&path).await?)?;
        let time = page["messages"][0]["ts"].as_str().and_then(millis);
        time.ok_or_else(|| wrong(format!("no message in {room}: {page}")))
    };
    let newest = one("").await?;
    // The fill said one thing a second, in all rooms together.
    let mut span = 1_000;
    while one(&format!("&latest={}", iso(newest - span * 2))).await.is_ok() {
        span *= 2;
    }
    Ok((newest - span, newest))
}

/// Days from 1970-01-01 to a date of the Gregorian calendar.
fn days(year: i64, month: i64, day: i64) -> i64 {
    // Years begin in March, so that the leap day is the last of its year.
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    year * 365 + year / 4 - year / 100 + year / 400 + (month * 306 + 5) / 10 + day - 1 - 719_468
}

fn millis(iso: &str) -> Option<u64> {
    let part = |from: usize, to: usize| iso.get(from..to)?.parse::<i64>().ok();
    let date = days(part(0, 4)?, part(5, 7)?, part(8, 10)?);
    let seconds = (part(11, 13)? * 60 + part(14, 16)?) * 60 + part(17, 19)?;
    u64::try_from((date * 86_400 + seconds) * 1_000 + part(20, 23)?).ok()
}

/// A time as Rocket.Chat's clients write it.
fn iso(ms: u64) -> String {
    let date = (ms / 86_400_000) as i64;
    let mut year = 1970 + date / 366;
    while days(year + 1, 1, 1) <= date {
        year += 1;
    }
    let month = (1..=12).rev().find(|month| days(year, *month, 1) <= date).unwrap_or(1);
    let day = date - days(year, month, 1) + 1;
    let (s, ms) = (ms / 1_000 % 86_400, ms % 1_000);
    format!("{year}-{month:02}-{day:02}T{:02}:{:02}:{:02}.{ms:03}Z", s / 3_600, s / 60 % 60, s % 60)
}
