//! What the node does about a damaged index: it starts, serves everything that was said, and says what it did.

mod check;
mod compact;
mod damage;
mod folders;
mod itself;
mod mend;
mod process;
mod scrub;
