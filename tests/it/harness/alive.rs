//! A running node on a simulated disk, with its threads, that can be stopped, lose its power and start again.

use linnet::base::id::Seq;
use linnet::base::world::SimWorld;
use linnet::chat::message::MessageKind;
use linnet::node::run::{Running, run};
use linnet::node::{Caller, NodeHandle};
use linnet::store::disk::SimDisk;
use linnet::store::index::memory::MemoryKv;
use std::sync::Arc;

use super::life::Life;

/// A node that runs.
pub struct Alive {
    pub node: NodeHandle,
    pub disk: SimDisk,
    running: Running,
    world: Arc<SimWorld>,
    index: MemoryKv,
}

impl Alive {
    /// A node on an empty disk.
    pub fn begin(seed: u64) -> Alive {
        Alive::of(Life::begin(seed))
    }

    /// The node of a life, with its threads.
    pub fn of(life: Life) -> Alive {
        let Life { world, disk, index, parts, .. } = life;
        let (node, running) = run(parts, || ()).unwrap();
        Alive { node, disk, running, world, index }
    }

    /// Stops cleanly and starts again.
    pub fn restart(self) -> Alive {
        self.running.stop().unwrap();
        Alive::of(Life::open(self.world, self.disk, self.index).unwrap())
    }

    /// The power goes now; starts again on what the disk kept. The index is lost altogether.
    pub fn lose_power(self) -> Alive {
        let found = self.disk.crash();
        // What goes on here after the cut goes on nowhere.
        let _ = self.running.stop();
        Alive::of(Life::open(self.world, found, MemoryKv::default()).unwrap())
    }

    /// What was said in a room, oldest first; nothing while there is no such room.
    pub fn said(&self, room: &str) -> Vec<String> {
        let texts = self.node.read(|reading| {
            let (_, granted) = reading.room_for(&reading.actor(&Caller::Operator)?, room)?;
            let mut texts = Vec::new();
            let mut after = Seq(0);
            loop {
                let page = reading.messages_after(&granted.permit, after, usize::MAX)?;
                let Some(last) = page.last() else { return Ok(texts) };
                after = last.seq;
                let said = page.iter().filter(|message| message.kind == MessageKind::Said);
                texts.extend(said.map(|message| message.text.as_str().to_owned()));
            }
        });
        texts.unwrap_or_default()
    }
}
