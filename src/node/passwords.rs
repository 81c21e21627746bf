//! Passwords: argon2id, on threads of its own, as few as the budget says and one on a single core, so that logins can
//! neither starve the node of its cores nor of its memory.

use crate::base::limits::{PASSWORD_CHARS_MAX, PASSWORDS_MAX};
use crate::base::world::World;
use crate::chat::refusal::Refusal;
use crate::node::reply::{Answer, reply};
use argon2::password_hash::phc::PasswordHash;
use argon2::{Algorithm, Argon2, Params, PasswordHasher, PasswordVerifier, Version};
use sha2::{Digest, Sha256};
use smol_str::SmolStr;
use std::fmt::Write;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex};
use std::thread;

/// KiB of memory per hash: OWASP's smallest argon2id setting (7 MiB, 5 passes, 1 lane) is what a Pi Zero can bear. The
/// same on every board: hashes travel with backups, and a small board has to bear those of a large one.
const MEMORY_KIB: u32 = 7 * 1024;
const PASSES: u32 = 5;

/// What is hashed: the lower-case hex SHA-256 of a password, which is all that Rocket.Chat's clients may send.
#[derive(Clone, PartialEq, Eq)]
pub struct Digested(SmolStr);

impl Digested {
    /// The digest of a password as it was typed.
    pub fn of_plain(password: &str) -> Result<Self, Refusal> {
        if password.is_empty()
            || password.len() > 4 * PASSWORD_CHARS_MAX
            || password.chars().count() > PASSWORD_CHARS_MAX
        {
            return Err(Refusal::PasswordInvalid);
        }
        let mut hex = String::with_capacity(64);
        for byte in Sha256::digest(password.as_bytes()) {
            write!(hex, "{byte:02x}").expect("writing to a string does not fail");
        }
        Ok(Self(hex.into()))
    }

    /// A digest a client made itself.
    pub fn parse(hex: &str) -> Result<Self, Refusal> {
        let fine = hex.len() == 64 && hex.bytes().all(|byte| byte.is_ascii_hexdigit());
        if fine { Ok(Self(hex.to_ascii_lowercase().into())) } else { Err(Refusal::PasswordInvalid) }
    }
}

enum Work {
    Hash(Digested),
    /// The digest and the hash it should fit; `None` for a user who does not exist, which takes as long.
    Verify(Digested, Option<SmolStr>),
}

enum Done {
    Hashed(SmolStr),
    Fits(bool),
}

type Waiting = (Work, crate::node::reply::Giver<Done>);

/// The way to the hashing thread.
#[derive(Clone)]
pub struct Passwords(SyncSender<Waiting>);

impl Passwords {
    /// Starts so many threads. They end when the last handle is dropped.
    pub fn start(world: Arc<dyn World>, hashers: usize) -> std::io::Result<Self> {
        let (sender, receiver) = sync_channel(PASSWORDS_MAX);
        let receiver = Arc::new(Mutex::new(receiver));
        for _ in 0..hashers.max(1) {
            let (world, receiver) = (world.clone(), receiver.clone());
            thread::Builder::new().name("linnet-hash".into()).spawn(move || hash_all(&*world, &receiver))?;
        }
        Ok(Self(sender))
    }

    fn ask(&self, work: Work) -> Result<Answer<Done>, Refusal> {
        let (giver, answer) = reply();
        self.0.try_send((work, giver)).map_err(|_| Refusal::Busy)?;
        Ok(answer)
    }

    /// The PHC string to keep for a password.
    pub async fn hash(&self, password: Digested) -> Result<SmolStr, Refusal> {
        hashed(self.ask(Work::Hash(password))?.await)
    }

    /// As [`Passwords::hash`], for threads outside the runtime.
    pub fn hash_blocking(&self, password: Digested) -> Result<SmolStr, Refusal> {
        hashed(self.ask(Work::Hash(password))?.wait())
    }

    /// Whether the password is the one that was kept. Takes as long when there is none.
    pub async fn fits(&self, password: Digested, kept: Option<SmolStr>) -> Result<bool, Refusal> {
        match self.ask(Work::Verify(password, kept))?.await {
            Some(Done::Fits(fits)) => Ok(fits),
            Some(Done::Hashed(_)) | None => Err(Refusal::Busy),
        }
    }
}

fn hashed(done: Option<Done>) -> Result<SmolStr, Refusal> {
    match done {
        Some(Done::Hashed(hash)) => Ok(hash),
        Some(Done::Fits(_)) | None => Err(Refusal::Busy),
    }
}

fn argon2() -> Argon2<'static> {
    let params = Params::new(MEMORY_KIB, PASSES, 1, None).expect("the parameters are within argon2's limits");
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
}

/// The PHC string of a digest.
pub fn hash(world: &dyn World, password: &Digested) -> SmolStr {
    let mut salt = [0u8; 16];
    world.fill(&mut salt);
    let hash = argon2().hash_password_with_salt(password.0.as_bytes(), &salt);
    SmolStr::new(hash.expect("the salt has a length argon2 takes").to_string())
}

fn hash_all(world: &dyn World, receiver: &Mutex<Receiver<Waiting>>) {
    // One thread waits for work while the others hash.
    let next = || receiver.lock().expect("no holder of this lock panics").recv();
    // A hash that no password has, so that an unknown name takes as long as a known one.
    let mut nobody = None;
    while let Ok((work, giver)) = next() {
        giver.give(match work {
            Work::Hash(password) => Done::Hashed(hash(world, &password)),
            Work::Verify(password, kept) => {
                let exists = kept.is_some();
                let kept = kept.unwrap_or_else(|| {
                    nobody.get_or_insert_with(|| hash(world, &Digested("nobody".into()))).clone()
                });
                let fits = PasswordHash::new(&kept)
                    .is_ok_and(|kept| argon2().verify_password(password.0.as_bytes(), &kept).is_ok());
                Done::Fits(fits && exists)
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::world::SimWorld;

    #[test]
    fn a_password_fits_itself_only() {
        let passwords = Passwords::start(Arc::new(SimWorld::new(1)), 2).expect("a thread can be started");
        let secret = Digested::of_plain("correct horse").expect("it is no empty password");
        let kept = passwords.hash_blocking(secret.clone()).expect("nobody else hashes");
        assert!(kept.starts_with("$argon2id$v=19$m=7168,t=5,p=1$"));
        let fits =
            |password: Digested, kept| match passwords.ask(Work::Verify(password, kept)).map(Answer::wait) {
                Ok(Some(Done::Fits(fits))) => fits,
                _ => panic!("the thread answers"),
            };
        assert!(fits(secret.clone(), Some(kept.clone())));
        assert!(!fits(Digested::of_plain("wrong").expect("it is no empty password"), Some(kept)));
        assert!(!fits(secret, None));
    }

    #[test]
    fn a_digest_and_the_typed_password_are_the_same() {
        let typed = Digested::of_plain("abc").map_err(|_| ());
        let sent = Digested::parse("BA7816BF8F01CFEA414140DE5DAE2223B00361A396177A9CB410FF61F20015AD")
            .map_err(|_| ());
        assert!(typed == sent && typed.is_ok());
        assert!(Digested::parse("short").is_err() && Digested::of_plain("").is_err());
    }
}
