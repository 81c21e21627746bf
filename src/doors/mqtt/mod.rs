//! MQTT: a broker for devices that come here, and bridges to brokers that stand elsewhere.

pub mod binding;
pub mod bridge;
pub mod dialects;
pub mod home_assistant;
pub mod server;
