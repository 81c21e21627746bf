//! Serving: the node's threads, one runtime for all doors, and a clean stop.

use super::again::Again;
use super::backups::Schedule;
use super::folder::DataFolder;
use super::secure::{self, Secure};
use super::{mend, mqtt, open, owning, tell, test_mode, watchdog};
use crate::base::limits::CLOCK_IDLE_LOOK_MS;
use crate::base::world::{OsWorld, World};
use crate::cli::greeting::{Greeting, greeting, ready_line};
use crate::cli::here::Standing;
use crate::cli::{Failure, machine, notify};
use crate::config::{Access, Config};
use crate::doors::control::answer::{Rebuild, Surroundings};
use crate::doors::control::wire::{BridgeLine, StatusReport, socket_path};
use crate::doors::gpio::How;
use crate::doors::mqtt::bridge::{self, status::Status};
use crate::doors::trial::Trier;
use crate::doors::{control, http, papers};
use crate::node::accounts::{ACCESS, LAN_GUESTS};
use crate::node::care::Care;
use crate::node::clock::Trust;
use crate::node::trim::Rule;
use crate::node::{Caller, Catalog, NodeHandle, refuse};
use crate::store::error::StoreError;
use std::fs;
use std::io::{self, IsTerminal, Write};
use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio::net::{TcpListener, UnixListener};
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// Serves until a signal, or until the store fails.
pub fn serve(
    world: Arc<OsWorld>,
    folder: &DataFolder,
    config: &Config,
    test_mode: bool,
) -> Result<(), Failure> {
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(open::no_thread)?;
    let standing = Standing::of(Path::new("/"), config);
    tell_board(&standing);
    let again = Again::watch(&folder.path, world.clone());
    let backups = mend::From::of(None, config.backup.folder.clone());
    let (parts, _) = open::open(world.clone(), folder, &again.alarm(), &backups, standing.budget)?;
    parts.disk.keep_free(config.disk.floor);
    let (stop, _) = watch::channel(false);
    let closing = stop.clone();
    again.serving(move || _ = closing.send_replace(true));
    let (failing, unasked) = (stop.clone(), Arc::new(AtomicBool::new(false)));
    let failed = unasked.clone();
    let (node, running) = crate::node::run::run(parts, move || {
        failed.store(!failing.send_replace(true), Ordering::SeqCst);
    })
    .map_err(open::no_thread)?;
    let care = Care::start(node.clone(), world.clone(), rule(config).into()).map_err(open::no_thread)?;
    let served = runtime.block_on(doors(world, folder, config, test_mode, node, stop, &again));
    // Doors hold the node: they go before its threads are waited for.
    drop(runtime);
    care.stop();
    again.closed();
    let settled = running.stop();
    if matches!(settled, Err(StoreError::IndexStuck)) && unasked.load(Ordering::SeqCst) {
        again.start_anew_unasked();
    }
    again.start_anew_if_broken();
    served.and(settled.map_err(|error| open::failed(&error)))
}

/// Which board this is; a Pi that is not known would do with less than it could, and without pins.
fn tell_board(standing: &Standing) {
    let (found, budget) = (&standing.found, &standing.budget);
    let (memory, cache, sessions) = (budget.memory, budget.cache(), budget.sessions);
    tracing::info!(board = %found.board.name, memory, cache, sessions, "this machine");
    if let (How::Unknown, Some(model)) = (found.how, &found.model) {
        tracing::warn!(
            model,
            "nothing is known of this machine: it has no pins, and the budget of any machine"
        );
    }
}

async fn doors(
    world: Arc<OsWorld>,
    folder: &DataFolder,
    config: &Config,
    test_mode: bool,
    node: NodeHandle,
    stop: watch::Sender<bool>,
    again: &Arc<Again>,
) -> Result<(), Failure> {
    let stopped = stop.subscribe();
    let (web, bound) = listen(config.http.address, "--http").await?;
    let beside = beside(bound, config.http.also_port).await;
    let secure = Secure::open(config, &folder.path, &node).await?;
    let sockets = machine::sockets_max(&node.budget);
    let door = mqtt::Door::bind(config, &folder.path, &node, sockets).await?;
    let shown = secure.as_ref().map(Secure::shown);
    let listening = Listening { web: bound, secure: shown, mqtt: door.address() };
    let commands = control_socket(&folder.path)?;
    prepare(&node, config, test_mode).await?;
    let ended = move || {
        let mut stopped = stopped.clone();
        async move { drop(stopped.wait_for(|stopped| *stopped).await) }
    };
    let hub = node.hub.clone();
    tokio::spawn(async move { hub.relay().await });
    tokio::spawn(tell::tell(node.clone()));
    tokio::spawn(look_at_clock(node.clone(), ended()));
    let site = site(&node, config, (bound, sockets - door.sockets(), &door), test_mode);
    let serving_secure = secure.map(|secure| tokio::spawn(secure.serve(site.clone(), ended())));
    let beside = beside.map(|web| tokio::spawn(http::serve(web, site.clone(), ended())));
    let serving = tokio::spawn(http::serve(web, site, ended()));
    let (trier, door) = (door.trier(), tokio::spawn(door.open(ended())));
    let bridges: Vec<_> = config.bridges.iter().map(|rule| Arc::new(Status::new(rule))).collect();
    let schedule = Schedule::start(&node, &folder.path, &config.backup, test_mode);
    let around = surroundings(
        world.clone(),
        folder,
        (listening.clone(), rule(config), test_mode),
        (bridges.clone(), schedule.clone(), trier),
        again,
    );
    let commanding = tokio::spawn(control::server::serve(commands, node.clone(), around, ended()));
    let bridging = config
        .bridges
        .iter()
        .zip(bridges)
        .map(|(rule, status)| tokio::spawn(bridge::run(rule.clone(), node.clone(), status, ended())));
    let tasks: Vec<_> =
        bridging.chain([serving, commanding, door]).chain(beside).chain(serving_secure).collect();
    // Whoever has read the ready line may stop the node at once, and that must be a clean stop.
    let term = signal(SignalKind::terminate()).map_err(open::no_thread)?;
    let interrupt = signal(SignalKind::interrupt()).map_err(open::no_thread)?;
    greet(&world, folder, (listening, config.owner.code_file.as_deref()), &node).await?;
    say_ready(&node);
    wait_for_the_end(stop, term, interrupt).await;
    notify::stopping();
    schedule.inspect(|schedule| schedule.stop());
    close(tasks, &folder.path).await;
    Ok(())
}

fn say_ready(node: &NodeHandle) {
    notify::ready();
    if let Some(within) = notify::watched() {
        tokio::spawn(watchdog::feed(node.clone(), within, notify::alive));
    }
}

/// Waits until all doors are closed.
async fn close(tasks: Vec<JoinHandle<()>>, data: &Path) {
    for task in tasks {
        // A door that panicked has said so; the others and the store still stop cleanly.
        let _ = task.await;
    }
    let _ = fs::remove_file(socket_path(data));
}

/// Where the doors listen.
#[derive(Clone)]
struct Listening {
    web: SocketAddr,
    secure: Option<secure::Shown>,
    mqtt: Option<SocketAddr>,
}

fn site(
    node: &NodeHandle,
    config: &Config,
    (bound, sockets_max, door): (SocketAddr, usize, &mqtt::Door),
    test_mode: bool,
) -> Arc<http::Site> {
    Arc::new(http::Site::new(http::SiteSettings {
        node: node.clone(),
        name: config.name.clone(),
        version: env!("CARGO_PKG_VERSION").into(),
        hosts: config.http.hosts.clone(),
        machine: machine::host_name().unwrap_or_default(),
        addresses: machine::people_urls(bound),
        test_mode,
        sockets_max,
        process: machine::process,
        mqtt: door.take(),
        trier: door.trier(),
        export: papers::export::begin,
        import: papers::arriving::begin,
    }))
}

/// Every job looks whether the clock has become believable; where nobody does anything, this does.
async fn look_at_clock(node: NodeHandle, ended: impl Future<Output = ()>) {
    let every = Duration::from_millis(CLOCK_IDLE_LOOK_MS);
    let mut looks = tokio::time::interval(every);
    let looking = async {
        loop {
            looks.tick().await;
            let known = node.read(|reading| Ok(reading.clock().standing().trust == Trust::Machine));
            if known != Ok(true) && node.call(&Caller::Operator, |_| Ok(())).await.is_err() {
                tracing::debug!("the clock is looked at later");
            }
        }
    };
    tokio::select! {
        () = looking => {}
        () = ended => {}
    }
}

fn rule(config: &Config) -> Rule {
    Rule { days: config.retention.days, megabytes: config.retention.megabytes }
}

/// Listens, and says where: port 0 is any free one. `setting` is what says another address.
pub(super) async fn listen(address: SocketAddr, setting: &str) -> Result<(TcpListener, SocketAddr), Failure> {
    let listener = TcpListener::bind(address).await.map_err(|error| busy(address, setting, &error))?;
    let bound = listener.local_addr().map_err(open::no_thread)?;
    Ok((listener, bound))
}

/// The same doors at another port. Where something else has it, the first one is enough.
async fn beside(bound: SocketAddr, port: u16) -> Option<TcpListener> {
    let wanted = (port > 0 && port != bound.port()).then(|| SocketAddr::new(bound.ip(), port))?;
    match TcpListener::bind(wanted).await {
        Ok(listener) => Some(listener),
        Err(error) => {
            tracing::warn!("not at {wanted} beside {bound}: {error}");
            None
        }
    }
}

fn busy(address: SocketAddr, setting: &str, error: &io::Error) -> Failure {
    let hint = match error.kind() {
        io::ErrorKind::AddrInUse => {
            format!("stop what listens there, or choose another port with {setting} ADDR:PORT")
        }
        io::ErrorKind::PermissionDenied => {
            format!(
                "ports below 1024 need a right: use systemd/linnet.service, or {setting} with a higher one"
            )
        }
        _ => format!("choose an address of this machine with {setting} ADDR:PORT"),
    };
    Failure { message: format!("cannot listen on {address}: {error}"), hint: Some(hint) }
}

/// The lock on the folder is ours, so a socket that lies there is left over.
fn control_socket(data: &Path) -> Result<UnixListener, Failure> {
    let path = socket_path(data);
    let _ = fs::remove_file(&path);
    let bind = || {
        let listener = UnixListener::bind(&path)?;
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600))?;
        Ok(listener)
    };
    bind().map_err(|error: io::Error| Failure {
        message: format!("cannot make the control socket {}: {error}", path.display()),
        hint: Some("a path of at most 107 bytes can be one: give a shorter --data".into()),
    })
}

async fn prepare(node: &NodeHandle, config: &Config, test_mode: bool) -> Result<(), Failure> {
    let prepared = async {
        if test_mode {
            test_mode::prepare(node).await?;
        }
        // The config is what holds until the owner chooses on the page.
        let chosen = node.read(|reading| Ok(reading.setting(ACCESS).map_err(refuse)?.is_some()))?;
        if !chosen && config.access == Access::LanGuests {
            let set =
                |node: &mut crate::node::Node| node.change_setting(&Caller::Operator, ACCESS, LAN_GUESTS);
            node.call(&Caller::Operator, set).await?;
        }
        Ok(())
    };
    prepared.await.map_err(|refusal: crate::chat::refusal::Refusal| Failure {
        message: format!("the node cannot be prepared: {refusal:?}"),
        hint: Some("the log says more".into()),
    })
}

fn surroundings(
    world: Arc<OsWorld>,
    folder: &DataFolder,
    (listening, kept, test_mode): (Listening, Rule, bool),
    (bridges, schedule, trier): (Vec<Arc<Status>>, Option<Arc<Schedule>>, Option<Trier>),
    again: &Arc<Again>,
) -> control::server::Ask {
    let data = folder.path.display().to_string();
    let rebuild = Rebuild(again.alarm());
    Arc::new(move || Surroundings {
        index_given: 0,
        rebuild: Some(rebuild.clone()),
        test_mode,
        export: Some(papers::export::begin),
        read_record: Some(papers::arriving::read),
        kept: Some(kept),
        trier: trier.clone(),
        url: machine::people_urls(listening.web).into_iter().next(),
        status: StatusReport {
            version: env!("CARGO_PKG_VERSION").into(),
            running: true,
            pid: Some(std::process::id()),
            data: data.clone(),
            http: Some(listening.web.to_string()),
            mqtt: listening.mqtt.map(|address| address.to_string()),
            uptime_s: Some(world.mono_ms() / 1_000),
            memory_bytes: machine::memory_bytes(),
            backup: schedule.as_ref().map(|schedule| schedule.line()),
            bridges: bridges.iter().map(|status| bridge_line(&status.report())).collect(),
            ..StatusReport::default()
        },
    })
}

fn bridge_line(report: &bridge::status::Report) -> BridgeLine {
    BridgeLine {
        name: report.name.clone(),
        broker: report.broker.clone(),
        connected: report.connected,
        error: report.error.clone(),
        posted: report.posted,
        sent: report.sent,
        dropped: report.dropped,
    }
}

async fn greet(
    world: &OsWorld,
    folder: &DataFolder,
    (listening, code_file): (Listening, Option<&Path>),
    node: &NodeHandle,
) -> Result<(), Failure> {
    let code = owning::code(node, code_file).await;
    let shown = listening.secure;
    let text = greeting(&Greeting {
        ready_ms: world.mono_ms(),
        data: folder.path.clone(),
        memory_bytes: machine::memory_bytes(),
        people: machine::people_urls(listening.web),
        secure: shown.as_ref().map(|shown| (machine::secure_urls(shown.bound), shown.fingerprint.clone())),
        owner_path: code.map(|code| format!("/#own-{code}")),
        qr: io::stdout().is_terminal(),
    });
    let mut out = io::stdout().lock();
    let written = out.write_all(text.as_bytes());
    let ready = ready_line(listening.web, shown.map(|shown| shown.bound), listening.mqtt, std::process::id());
    let written = written.and_then(|()| out.write_all(ready.as_bytes()));
    written.and_then(|()| out.flush()).map_err(open::no_thread)
}

async fn wait_for_the_end(stop: watch::Sender<bool>, mut term: Signal, mut interrupt: Signal) {
    let mut failed = stop.subscribe();
    tokio::select! {
        _ = term.recv() => {}
        _ = interrupt.recv() => {}
        _ = failed.wait_for(|stopped| *stopped) => {}
    }
    stop.send_replace(true);
}
