//! Durable posts: how many in a second, how long each waits, beside what the disk itself can do.

use crate::args::Args;
use crate::ddp::{Ddp, ROOM};
use crate::folders::Fresh;
use crate::http::{Http, Login, login};
use crate::publish::{Crowd, burst, text};
use crate::report::Figures;
use crate::server::Server;
use crate::stats::{median, ms, now, percentile};
use crate::{Outcome, disk, fill, wrong};
use serde_json::json;
use std::time::Duration;

/// How long posters post in one run.
const RUN: Duration = Duration::from_secs(3);
/// Messages a realtime poster has unanswered at a time.
const IN_FLIGHT: usize = 16;
/// Messages of a realtime run.
const REALTIME_MESSAGES: usize = 20_000;

pub async fn run(args: &Args, figures: &mut Figures) -> Outcome<()> {
    let fresh = Fresh::new(args)?;
    let server = Server::start(args, &fresh.path())?;
    let login = login(server.address).await?;
    let run = if args.quick { RUN / 10 } else { RUN };
    post(&server, &login, 8, run / 10).await?;
    for posters in [1, 8, 64] {
        let bytes = fill::group_bytes(posters)?;
        let mut runs = Runs::default();
        for _ in 0..args.runs {
            let mut floor = disk::floor(fresh.folder(), bytes, run / 4)?;
            let before = server.cpu_s()?;
            let (took, mut each) = post(&server, &login, posters, run).await?;
            let cpu = server.cpu_s()? - before;
            floor.extend(disk::floor(fresh.folder(), bytes, run / 4)?);
            runs.take(posters, cpu, took, (&mut each, &mut floor));
        }
        runs.put(&posters.to_string(), figures);
    }
    realtime(args, figures, &fresh, &server, &login).await?;
    server.stop()
}

/// One connection with many posts on the way.
async fn realtime(
    args: &Args,
    figures: &mut Figures,
    fresh: &Fresh,
    server: &Server,
    login: &Login,
) -> Outcome<()> {
    let mut publisher = Ddp::connect(server.address, login).await?;
    let bytes = fill::group_bytes(IN_FLIGHT)?;
    let mut runs = Runs::default();
    for _ in 0..args.runs {
        let mut floor = disk::floor(fresh.folder(), bytes, RUN / 4)?;
        let before = server.cpu_s()?;
        let messages = args.scaled(REALTIME_MESSAGES);
        let mut burst = burst(&mut publisher, &Crowd::empty(), messages, IN_FLIGHT).await?;
        let cpu = server.cpu_s()? - before;
        floor.extend(disk::floor(fresh.folder(), bytes, RUN / 4)?);
        runs.take(IN_FLIGHT, cpu, burst.took, (&mut burst.acknowledged, &mut floor));
    }
    runs.put("ddp16", figures);
    Ok(())
}

/// So many posters, each with one request on the way, for this long. How long it took and how long each post waited.
async fn post(
    server: &Server,
    login: &Login,
    posters: usize,
    run: Duration,
) -> Outcome<(Duration, Vec<Duration>)> {
    let mut connections = Vec::new();
    for _ in 0..posters {
        connections.push(Http::connect(server.address, Some(login)).await?);
    }
    let began = now();
    let tasks: Vec<_> = connections
        .into_iter()
        .enumerate()
        .map(|(poster, mut http)| {
            tokio::task::spawn_local(async move {
                let mut each = Vec::new();
                while now() - began < run {
                    let message = json!({ "rid": ROOM, "msg": text(poster as u32, each.len()) });
                    let body = json!({ "message": message }).to_string();
                    let sent = now();
                    http.post("/api/v1/chat.sendMessage", &body).await?;
                    each.push(now() - sent);
                }
                Ok(each)
            })
        })
        .collect();
    let mut all = Vec::new();
    for task in tasks {
        let each: Outcome<Vec<Duration>> = task.await.map_err(|error| wrong(error.to_string()))?;
        all.extend(each?);
    }
    Ok((now() - began, all))
}

/// Posts for this long from many posters at once; what `start` leaves unfinished before it kills the server.
pub async fn post_hard(server: &Server, login: &Login, run: Duration) -> Outcome<usize> {
    Ok(post(server, login, 64, run).await?.1.len())
}

/// What each run showed.
#[derive(Default)]
struct Runs {
    rate: Vec<f64>,
    cpu_us: Vec<f64>,
    p50_ms: Vec<f64>,
    p99_ms: Vec<f64>,
    disk_ms: Vec<f64>,
    disk_rate: Vec<f64>,
    share: Vec<f64>,
}

impl Runs {
    /// Takes what one run showed: of the posts, and of the disk's own appends of a group of all that were on the way.
    fn take(
        &mut self,
        in_flight: usize,
        cpu_s: f64,
        took: Duration,
        (posts, disk): (&mut [Duration], &mut [Duration]),
    ) {
        let rate = posts.len() as f64 / took.as_secs_f64();
        // Its middle and not its mean: somebody else's writes hold up a few syncs for very long.
        let disk_ms = ms(percentile(disk, 0.5));
        let disk_rate = in_flight as f64 * 1e3 / disk_ms;
        self.rate.push(rate);
        self.cpu_us.push(cpu_s * 1e6 / posts.len().max(1) as f64);
        self.p50_ms.push(ms(percentile(posts, 0.5)));
        self.p99_ms.push(ms(percentile(posts, 0.99)));
        self.disk_ms.push(disk_ms);
        self.disk_rate.push(disk_rate);
        self.share.push(rate / disk_rate);
    }

    fn put(self, posters: &str, figures: &mut Figures) {
        let mut put = |what: &str, values| figures.put("posts", posters, what, median(values));
        put("rate", self.rate);
        put("cpu_us", self.cpu_us);
        put("p50_ms", self.p50_ms);
        put("p99_ms", self.p99_ms);
        put("disk_ms", self.disk_ms);
        put("disk_rate", self.disk_rate);
        put("share", self.share);
    }
}
