//! What the integration tests have as well: a real broker.

#[path = "../../it/harness/mosquitto.rs"]
pub mod mosquitto;
#[path = "../../it/harness/wait.rs"]
pub mod wait;
