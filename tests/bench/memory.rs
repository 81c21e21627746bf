//! Resident memory: of a node nobody talks to, and of each WebSocket that only listens.

use crate::Outcome;
use crate::args::Args;
use crate::folders::Fresh;
use crate::http::login;
use crate::machine::{KIB, MIB};
use crate::publish::Crowd;
use crate::report::Figures;
use crate::server::Server;
use crate::stats::median;

/// Subscribers whose memory is measured together.
const SUBSCRIBERS: usize = 1_000;

pub async fn run(args: &Args, figures: &mut Figures) -> Outcome<()> {
    let fresh = Fresh::new(args)?;
    // The first start makes accounts and hashes a password: what is measured is every start after it.
    Server::start(args, &fresh.path())?.stop()?;
    let mut idle = Vec::new();
    for _ in 0..args.runs {
        let server = Server::start(args, &fresh.path())?;
        idle.push(server.settled_bytes().await? / MIB);
        server.stop()?;
    }
    figures.put("memory", "idle", "mib", median(idle));
    let subscribers = args.scaled(SUBSCRIBERS);
    let (mut used, mut each) = (Vec::new(), Vec::new());
    for _ in 0..args.runs {
        let server = Server::start(args, &fresh.path())?;
        let login = login(server.address).await?;
        // What the first session brings in once is not the price of the next thousand.
        let first = Crowd::gather(server.address, &login, 1).await?;
        let before = server.settled_bytes().await?;
        used.push(before / MIB);
        let crowd = Crowd::gather(server.address, &login, subscribers).await?;
        each.push((server.settled_bytes().await? - before) / KIB / subscribers as f64);
        drop((first, crowd));
        server.stop()?;
    }
    figures.put("memory", "used", "mib", median(used));
    figures.put("memory", "subscriber", "kib", median(each));
    Ok(())
}
