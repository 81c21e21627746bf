//! The broker's door: what a client of MQTT meets, by packets and by Mosquitto's own tools.

mod answers;
mod basics;
mod bind;
mod client;
pub mod discovery;
mod five;
mod fuzz;
mod home_assistant;
mod hostile;
mod own;
mod rights;
mod rooms;
mod shares;
mod siege;
mod sizes;
mod stage;
mod stay;
mod tools;
mod tried;
