//! Memory in a long run: many posts while subscribers come and go.

use crate::Outcome;
use crate::args::Args;
use crate::ddp::Ddp;
use crate::folders::Fresh;
use crate::http::{Http, Login, login};
use crate::machine::{MIB, resident_bytes};
use crate::publish::text;
use crate::report::Figures;
use crate::server::Server;
use crate::stats::now;
use crate::wrong;
use serde_json::{Value, json};
use std::cell::Cell;
use std::net::SocketAddr;
use std::rc::Rc;
use std::time::Duration;

/// Subscribers there are at any time.
const SUBSCRIBERS: usize = 200;
/// Posts from one figure to the next; there are ten.
const STEP: usize = 100_000;
const POSTERS: usize = 16;
/// Rooms that the posts and the subscribers are spread over.
const ROOMS: usize = 10;
/// How long a subscriber stays: each its own time, so that they do not come and go together.
const STAY: Duration = Duration::from_millis(400);

pub async fn run(args: &Args, figures: &mut Figures) -> Outcome<()> {
    let fresh = Fresh::new(args)?;
    let server = Server::start(args, &fresh.path())?;
    let login = login(server.address).await?;
    let rooms = rooms(&server, &login).await?;
    let came = Rc::new(Cell::new(0_usize));
    for subscriber in 0..SUBSCRIBERS {
        let room = rooms[subscriber % ROOMS].clone();
        tokio::task::spawn_local(come_and_go(
            server.address,
            login.clone(),
            (subscriber, room),
            came.clone(),
        ));
    }
    for step in 0..=10 {
        if step > 0 {
            post(&server, &login, &rooms, (step, args.scaled(STEP) / POSTERS)).await?;
        }
        let row = (step * STEP).to_string();
        figures.put("soak", &row, "mib", resident_bytes(server.pid())? / MIB);
        figures.put("soak", &row, "came", came.get() as f64);
    }
    if came.get() < SUBSCRIBERS {
        return Err(wrong("the subscribers did not come"));
    }
    server.stop()
}

/// Comes, listens for a while and leaves without a word, again and again.
async fn come_and_go(
    address: SocketAddr,
    login: Login,
    (subscriber, room): (usize, String),
    came: Rc<Cell<usize>>,
) {
    loop {
        let until = now() + STAY * (1 + (subscriber + came.get()) as u32 % 8);
        let stay = async {
            let mut ddp = Ddp::connect(address, &login).await?;
            ddp.subscribe_to(&room).await?;
            came.set(came.get() + 1);
            while now() < until {
                ddp.next().await?;
            }
            Outcome::Ok(())
        };
        // One that falls too far behind is sent away, as it should be; it comes again.
        let _ = tokio::time::timeout(STAY * 16, stay).await;
    }
}

/// Makes the rooms; their ids.
async fn rooms(server: &Server, login: &Login) -> Outcome<Vec<String>> {
    let mut http = Http::connect(server.address, Some(login)).await?;
    let mut rooms = Vec::new();
    for number in 0..ROOMS {
        let body = json!({ "name": format!("soak{number}") }).to_string();
        let made: Value = serde_json::from_slice(&http.post("/api/v1/channels.create", &body).await?)?;
        let id = made["channel"]["_id"].as_str().ok_or_else(|| wrong("a room has no id"))?;
        rooms.push(id.to_owned());
    }
    Ok(rooms)
}

async fn post(server: &Server, login: &Login, rooms: &[String], (step, each): (usize, usize)) -> Outcome<()> {
    let mut tasks = Vec::new();
    for poster in 0..POSTERS {
        let mut http = Http::connect(server.address, Some(login)).await?;
        let rooms = rooms.to_vec();
        tasks.push(tokio::task::spawn_local(async move {
            for number in 0..each {
                let message = json!({ "rid": rooms[(poster + number) % ROOMS], "msg": text((step * POSTERS + poster) as u32, number) });
                http.post("/api/v1/chat.sendMessage", &json!({ "message": message }).to_string()).await?;
            }
            Outcome::Ok(())
        }));
    }
    for task in tasks {
        task.await.map_err(|error| wrong(error.to_string()))??;
    }
    Ok(())
}
