//! MQTT: bridges to brokers that stand elsewhere.

pub mod bridge;
