//! What the stories stand on: a node on a simulated disk, the cast, and a real node on port 0.

pub mod ask;
pub mod life;
pub mod process;
pub mod site;
