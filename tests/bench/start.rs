//! From exec to ready, with much stored: after a clean stop, and after the process was killed while it wrote.

use crate::args::Args;
use crate::folders::{Filled, bytes_in, filled};
use crate::http::login;
use crate::machine::MIB;
use crate::report::Figures;
use crate::server::Server;
use crate::stats::{median, ms};
use crate::{Outcome, posts};
use std::time::Duration;

/// How long 64 posters post before the server is killed: more than waits between two checkpoints.
const POSTING: Duration = Duration::from_millis(1_500);

pub async fn run(args: &Args, figures: &mut Figures) -> Outcome<()> {
    for messages in [100_000, 1_000_000] {
        if args.quick && messages > 100_000 {
            continue;
        }
        let folder = filled(args, messages)?;
        after_a_stop(args, figures, &folder).await?;
        after_a_kill(args, figures, &folder).await?;
    }
    Ok(())
}

async fn after_a_stop(args: &Args, figures: &mut Figures, folder: &Filled) -> Outcome<()> {
    let (mut ready, mut resident) = (Vec::new(), Vec::new());
    // The first start may meet what an earlier run left unfinished, or a cold disk cache.
    Server::start(args, &folder.path)?.stop()?;
    for _ in 0..args.runs {
        let server = Server::start(args, &folder.path)?;
        ready.push(ms(server.ready_after));
        resident.push(server.settled_bytes().await? / MIB);
        server.stop()?;
    }
    let mut put = |what: &str, value| figures.put("start", &format!("{}_stop", folder.messages), what, value);
    put("ready_ms", median(ready));
    put("mib", median(resident));
    put("journal_mib", bytes_in(&folder.path.join("journal"))? as f64 / MIB);
    put("index_mib", bytes_in(&folder.path.join("index"))? as f64 / MIB);
    Ok(())
}

async fn after_a_kill(args: &Args, figures: &mut Figures, folder: &Filled) -> Outcome<()> {
    let (mut ready, mut resident) = (Vec::new(), Vec::new());
    for _ in 0..args.runs {
        let server = Server::start(args, &folder.path)?;
        let login = login(server.address).await?;
        posts::post_hard(&server, &login, POSTING).await?;
        server.kill()?;
        let server = Server::start(args, &folder.path)?;
        ready.push(ms(server.ready_after));
        resident.push(server.settled_bytes().await? / MIB);
        server.stop()?;
    }
    let mut put = |what: &str, value| figures.put("start", &format!("{}_kill", folder.messages), what, value);
    put("ready_ms", median(ready));
    put("mib", median(resident));
    put("journal_mib", bytes_in(&folder.path.join("journal"))? as f64 / MIB);
    put("index_mib", bytes_in(&folder.path.join("index"))? as f64 / MIB);
    Ok(())
}
