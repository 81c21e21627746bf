//! What is not well with the node reaches those who run it, once, and nobody else.

mod door;
mod exposition;
mod full;
mod really_full;
mod system;
