//! What the stories stand on: a node on a simulated disk, the cast, and a real node on port 0.

pub mod alive;
pub mod ask;
pub mod broker;
pub mod golden;
pub mod kv;
pub mod life;
pub mod mosquitto;
pub mod process;
pub mod site;
pub mod small_disk;
pub mod tls;
pub mod wait;
