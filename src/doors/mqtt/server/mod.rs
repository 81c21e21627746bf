//! The broker's door: clients of MQTT connect to us.

pub mod packet;
