//! One publisher, many realtime subscribers of one room.

use crate::args::Args;
use crate::ddp::Ddp;
use crate::folders::Fresh;
use crate::http::login;
use crate::publish::{Crowd, burst};
use crate::report::Figures;
use crate::server::Server;
use crate::stats::{median, ms, percentile};
use crate::{Outcome, wrong};

/// Messages the publisher has unanswered at a time.
const IN_FLIGHT: usize = 16;
/// Deliveries of one run: enough CPU time to be measured.
const DELIVERIES: usize = 500_000;
/// Messages of one run, however few subscribers there are.
const MESSAGES_MAX: usize = 20_000;
/// Messages said one at a time.
const ALONE: usize = 300;
/// Seconds of server CPU below which a run is too short to be trusted.
const CPU_MIN_S: f64 = 0.2;

pub async fn run(args: &Args, figures: &mut Figures) -> Outcome<()> {
    for subscribers in [1, 100, 1_000] {
        let fresh = Fresh::new(args)?;
        let server = Server::start(args, &fresh.path())?;
        let login = login(server.address).await?;
        let crowd = Crowd::gather(server.address, &login, subscribers).await?;
        let mut publisher = Ddp::connect(server.address, &login).await?;
        // The first messages meet a server that has done nothing yet.
        burst(&mut publisher, &crowd, 50, IN_FLIGHT).await?;
        let messages = args.scaled((DELIVERIES / subscribers).min(MESSAGES_MAX));
        let mut runs = Runs::default();
        for _ in 0..args.runs {
            let before = server.cpu_s()?;
            let mut burst = burst(&mut publisher, &crowd, messages, IN_FLIGHT).await?;
            let cpu = server.cpu_s()? - before;
            if cpu < CPU_MIN_S && !args.quick {
                return Err(wrong(format!("a run of {cpu} s of CPU is too short to be measured")));
            }
            runs.rate.push(burst.deliveries as f64 / burst.took.as_secs_f64());
            runs.cpu_us.push(cpu * 1e6 / burst.deliveries as f64);
            runs.p50_ms.push(ms(percentile(&mut burst.received, 0.5)));
            runs.p99_ms.push(ms(percentile(&mut burst.received, 0.99)));
        }
        for _ in 0..args.runs {
            let mut burst = burst(&mut publisher, &crowd, args.scaled(ALONE), 1).await?;
            runs.alone_p50_ms.push(ms(percentile(&mut burst.received, 0.5)));
            runs.alone_p99_ms.push(ms(percentile(&mut burst.received, 0.99)));
        }
        runs.put(subscribers, figures);
        drop(crowd);
        server.stop()?;
    }
    Ok(())
}

/// What each run showed.
#[derive(Default)]
struct Runs {
    rate: Vec<f64>,
    cpu_us: Vec<f64>,
    p50_ms: Vec<f64>,
    p99_ms: Vec<f64>,
    alone_p50_ms: Vec<f64>,
    alone_p99_ms: Vec<f64>,
}

impl Runs {
    fn put(self, subscribers: usize, figures: &mut Figures) {
        let mut put =
            |what: &str, values| figures.put("fanout", &subscribers.to_string(), what, median(values));
        put("rate", self.rate);
        put("cpu_us", self.cpu_us);
        put("p50_ms", self.p50_ms);
        put("p99_ms", self.p99_ms);
        put("alone_p50_ms", self.alone_p50_ms);
        put("alone_p99_ms", self.alone_p99_ms);
    }
}
