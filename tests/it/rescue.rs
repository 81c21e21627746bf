//! What the node does about a damaged index: it starts, serves everything that was said, and says what it did.

mod check;
mod damage;
mod folders;
mod process;
mod scrub;
