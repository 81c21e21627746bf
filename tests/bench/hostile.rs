//! The broker under attack: how long an ordinary delivery takes meanwhile, how long somebody new tries to come in, and what
//! the node holds in memory. The attacks are those of the integration tests, in their full size.

#[path = "../it/broker/client.rs"]
#[allow(dead_code, reason = "the integration tests use all of it")]
#[allow(clippy::unwrap_used, reason = "a panic says what went wrong")]
mod client;
#[path = "../it/broker/siege.rs"]
#[allow(dead_code, reason = "the integration tests use all of it")]
#[allow(clippy::unwrap_used, reason = "a panic says what went wrong")]
#[allow(clippy::disallowed_methods, reason = "what is measured takes real time")]
mod siege;

use crate::args::Args;
use crate::folders::Fresh;
use crate::http::login;
use crate::report::Figures;
use crate::server::Server;
use crate::stats::ms;
use crate::{Outcome, wrong};
use siege::{ATTACKS, Target, under};

/// The administrator of test mode, who plays the device.
const ADMIN: &str = "rocketchat.internal.admin.test";
/// As little memory as a Pi Zero gives, and more connections than it has.
const BUDGET: [(&str, &str); 2] = [("LINNET_BUDGET_MEMORY", "64 MB"), ("LINNET_BUDGET_SESSIONS", "10000")];

pub async fn run(args: &Args, figures: &mut Figures) -> Outcome<()> {
    for (name, attack) in ATTACKS {
        let folder = Fresh::new(args)?;
        let server = Server::start_with(args, &folder.path(), &BUDGET)?;
        let admin = login(server.address).await?;
        let target = Target {
            address: server.mqtt.ok_or_else(|| wrong("this linnet takes no MQTT"))?,
            pid: server.pid(),
            device: (ADMIN.into(), admin.token),
            part: if args.quick { 10 } else { 1 },
        };
        let seen = under(attack, &target);
        figures.put("hostile", name, "delivery_ms", ms(seen.delivery_max));
        figures.put("hostile", name, "welcome_ms", ms(seen.welcome_max));
        figures.put("hostile", name, "own_mib", seen.own_kib_max as f64 / 1024.0);
        figures.put("hostile", name, "mib", seen.kib_max as f64 / 1024.0);
        server.stop()?;
    }
    Ok(())
}
