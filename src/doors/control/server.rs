//! The node's end of the control socket. Who may open it is whoever runs the node: the same user, or root.

use super::answer::{OPERATOR, Surroundings, answer, lines, named_room, tail_line};
use super::stream;
use super::wire::{Reply, Request};
use crate::base::id::Seq;
use crate::base::limits::{
    CONTROL_CALLERS_MAX, CONTROL_LINE_BYTES_MAX, CONTROL_REPLY_SECONDS_MAX, PAGE_MESSAGES_MAX,
};
use crate::chat::change::What;
use crate::chat::refusal::Refusal;
use crate::chat::room::Room;
use crate::delivery::{Event, Listener, Who};
use crate::node::{NodeHandle, Reading};
use std::future::Future;
use std::io;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::Semaphore;
use tokio::time::timeout;

/// Tells what only the program around the node knows, anew for each request.
pub type Ask = Arc<dyn Fn() -> Surroundings + Send + Sync>;

const PATIENCE: Duration = Duration::from_secs(CONTROL_REPLY_SECONDS_MAX);

/// Serves the command line until `shutdown`.
pub async fn serve(
    listener: UnixListener,
    node: NodeHandle,
    around: Ask,
    shutdown: impl Future<Output = ()>,
) {
    let places = Arc::new(Semaphore::new(CONTROL_CALLERS_MAX));
    let mut shutdown = std::pin::pin!(shutdown);
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = &mut shutdown => return,
        };
        let Ok((stream, _)) = accepted else { continue };
        let Ok(place) = places.clone().acquire_owned().await else { return };
        let (node, around) = (node.clone(), around.clone());
        tokio::spawn(async move {
            if let Err(error) = attend(stream, &node, &around).await {
                tracing::debug!(%error, "a command line went away");
            }
            drop(place);
        });
    }
}

async fn attend(socket: UnixStream, node: &NodeHandle, around: &Ask) -> io::Result<()> {
    let peer = socket.peer_cred()?.uid();
    let own = rustix::process::geteuid().as_raw();
    let mut stream = BufReader::with_capacity(1024, socket);
    if peer != own && peer != 0 {
        let reply = Reply::refused("this socket is for the user who runs the node", "use sudo, or the page");
        return write(&mut stream, &reply).await;
    }
    let mut line = String::new();
    let limit = CONTROL_LINE_BYTES_MAX as u64;
    timeout(PATIENCE, (&mut stream).take(limit).read_line(&mut line)).await??;
    match serde_json::from_str(&line) {
        Ok(Request::Tail { room, since }) => match tail(&mut stream, node, &room, since).await {
            Ok(reply) => write(&mut stream, &reply).await,
            Err(error) => Err(error),
        },
        Ok(request @ (Request::Backup | Request::Export { .. })) => {
            match stream::begin(node, &around(), &request) {
                Ok(pieces) => stream::send(stream.get_mut(), pieces).await,
                Err(refusal) => write(&mut stream, &super::words::refused(&refusal)).await,
            }
        }
        Ok(request) => {
            let reply = answer(node, &around(), request).await;
            write(&mut stream, &reply).await
        }
        Err(error) => {
            let hint = "use the command line of the same version as the node";
            write(&mut stream, &Reply::refused(format!("not understood: {error}"), hint)).await
        }
    }
}

async fn write(stream: &mut BufReader<UnixStream>, reply: &Reply) -> io::Result<()> {
    let mut line = serde_json::to_vec(reply)?;
    line.push(b'\n');
    timeout(PATIENCE, stream.write_all(&line)).await?
}

/// Sends what is there and then what comes, until the caller leaves; the reply says why it ended.
async fn tail(
    stream: &mut BufReader<UnixStream>,
    node: &NodeHandle,
    name: &str,
    since: Option<u64>,
) -> io::Result<Reply> {
    // It listens first and reads then: what is said in between comes twice and is sent once.
    let begun = node.read(|reading| {
        let room = named_room(reading, name)?;
        Ok((follow(node, reading, &room)?, room, lines(reading, name, since)?))
    });
    let (listener, room, mut backlog) = match begun {
        Ok(begun) => begun,
        Err(refusal) => return Ok(super::words::refused(&refusal)),
    };
    let mut reached = since.unwrap_or(0);
    while !backlog.is_empty() {
        for line in &backlog {
            write(stream, &Reply::item(line)).await?;
            reached = line.seq;
        }
        backlog = match node.read(|reading| lines(reading, name, Some(reached))) {
            Ok(more) => more,
            Err(refusal) => return Ok(super::words::refused(&refusal)),
        };
    }
    follow_on(stream, listener, &room, Seq(reached)).await
}

fn follow(node: &NodeHandle, reading: &Reading, room: &Room) -> Result<Listener, Refusal> {
    let actor = reading.actor(&OPERATOR)?;
    let granted = reading.may_read(&actor, room)?;
    let who = Who { user: actor.user.id.clone(), token: None, roles: actor.user.roles };
    let listener = node.hub.attach(who, granted.as_of).map_err(|_| Refusal::Busy)?;
    listener.follow_room(granted.permit, granted.as_of).map_err(|_| Refusal::Busy)?;
    Ok(listener)
}

async fn follow_on(
    stream: &mut BufReader<UnixStream>,
    mut listener: Listener,
    room: &Room,
    reached: Seq,
) -> io::Result<Reply> {
    let mut byte = [0u8; 1];
    loop {
        let drained = listener.drain(PAGE_MESSAGES_MAX);
        for event in drained.events {
            match event {
                Event::Change { change, .. } => {
                    if let What::Posted { message, .. } = &change.what
                        && change.seq > reached
                    {
                        write(stream, &Reply::item(&tail_line(room, message))).await?;
                    }
                }
                Event::Signal(_) => {}
                Event::RoomRevoked { .. } | Event::Ended(_) => {
                    return Ok(Reply::refused("the room is gone", "'linnet room list' shows the rooms"));
                }
                Event::Resync { since } => {
                    let hint = format!("go on with --since {since}");
                    return Ok(Reply::refused("this command line was too slow to follow", hint));
                }
            }
        }
        if drained.more {
            continue;
        }
        tokio::select! {
            () = listener.ready() => {}
            // The command line says nothing more: whatever comes is its end.
            read = stream.read(&mut byte) => {
                read?;
                return Err(io::ErrorKind::BrokenPipe.into());
            }
        }
    }
}
