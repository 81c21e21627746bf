//! A node that is posted to while it is backed up.

use super::{frames, restored};
use crate::harness::life::words;
use crate::harness::site::Served;
use linnet::chat::room::Room;
use linnet::chat::user::Role;
use linnet::node::Caller;
use linnet::node::backup::Pieces;
use linnet::store::backup::Mode;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

#[test]
fn everything_acknowledged_before_a_backup_began_is_in_it() {
    let served = Served::start();
    let bob = served.person("bob", &[Role::User]).caller();
    let (acknowledged, done) = (Mutex::new(Vec::new()), AtomicBool::new(false));
    std::thread::scope(|scope| {
        for poster in 0..3 {
            let (node, bob, acknowledged, done) = (served.node.clone(), &bob, &acknowledged, &done);
            scope.spawn(move || {
                for number in 0.. {
                    let (by, text) = (bob.clone(), format!("{poster}-{number}"));
                    let said =
                        node.call_blocking(bob, move |n| n.post_message(&by, &Room::GENERAL, words(&text)));
                    acknowledged.lock().unwrap().push(said.unwrap());
                    if done.load(Relaxed) {
                        break;
                    }
                }
            });
        }
        for _ in 0..8 {
            while acknowledged.lock().unwrap().len() < 50 {
                std::thread::yield_now();
            }
            let before = std::mem::take(&mut *acknowledged.lock().unwrap());
            let bytes = served.node.read(|reading| {
                let mut going = reading.back_up(&reading.may_back_up(&Caller::Operator)?, false)?;
                let mut bytes = Vec::new();
                while let Some(piece) = going.next_piece()? {
                    bytes.extend(piece);
                }
                Ok(bytes)
            });
            let (outcome, disk) = restored(&bytes.unwrap(), Mode::Whole).unwrap();
            assert!(outcome.is_whole());
            let found: Vec<u64> = frames(&disk).iter().map(|(seq, _)| *seq).collect();
            for message in before {
                assert!(found.binary_search(&message.seq.0).is_ok(), "{} was acknowledged", message.id);
            }
        }
        done.store(true, Relaxed);
    });
}
