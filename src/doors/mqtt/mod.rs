//! MQTT: bridges to brokers that stand elsewhere, and a broker for what connects to us.

pub mod bridge;
pub mod server;
