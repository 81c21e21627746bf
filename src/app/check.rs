//! Checking a folder that no node runs on, and repairing it: what the journal lost from a backup, the index from the
//! journal.

use super::folder::DataFolder;
use super::{Program, again, mend, open};
use crate::base::world::World;
use crate::cli::Failure;
use crate::doors::control::check::told;
use crate::doors::control::wire::{CheckReport, EarlierLine, LostLine, Reply};
use crate::node::check::{accept_in_folder, check_folder};
use crate::store::backup::mend::Mended;
use crate::store::rescue;
use std::sync::Arc;

/// Checks, and changes nothing; or remembers that somebody knows of what is lost.
pub fn check(folder: &DataFolder, accept: bool) -> Result<Reply, Failure> {
    again::end_with_words();
    let mut report = check_folder(&folder.path).map_err(|error| open::failed(&error))?;
    if accept {
        report = accept_in_folder(&folder.path, &report).map_err(|error| open::failed(&error))?;
    }
    Ok(Reply::ok(&told(&report)))
}

/// Checks, and repairs what is wrong.
pub fn repair(program: &Program, folder: &DataFolder, from: &mend::From) -> Result<Reply, Failure> {
    again::end_with_words();
    let report = check_folder(&folder.path).map_err(|error| open::failed(&error))?;
    let mut answer = told(&report);
    let mut done = Vec::new();
    let is_hurt = report.lost_count > 0 || !report.earlier.is_empty();
    if is_hurt || mend::has_lost_end(&folder.path, report.last.0) {
        let world: Arc<dyn World> = program.world.clone();
        match mend::mend(&world, &folder.path, from)? {
            Ok((mended, words)) => {
                done.push(words);
                done.push(set_aside_and_build(program, folder, "the journal was repaired from a backup")?);
                let again = check_folder(&folder.path).map_err(|error| open::failed(&error))?;
                answer = told(&again);
                add_lost(&mut answer, &mended);
                answer.repaired = Some(done.join("\n"));
                return Ok(Reply::ok(&answer));
            }
            Err(why) => done.push(why),
        }
    }
    if !report.is_index_sound() {
        done.push(set_aside_and_build(program, folder, "a check found that it does not fit")?);
        answer.sound = report.lost_count == 0;
    }
    answer.repaired = (!done.is_empty()).then(|| done.join("\n"));
    Ok(Reply::ok(&answer))
}

/// What a repaired journal has no damage left to tell of: from now on it is lost earlier, and here it is news.
fn add_lost(answer: &mut CheckReport, mended: &Mended) {
    let is_news =
        |line: &EarlierLine| mended.lost.iter().any(|(first, last, _)| line.is_within(*first, *last));
    answer.lost_earlier.retain(|line| !is_news(line));
    answer.sound &= mended.lost.is_empty();
    answer.lost_count += mended.lost.len() as u64;
    answer.lost.extend(mended.lost.iter().map(|(first, last, count)| LostLine {
        what: format!("{count} of the Changes {first} to {last} are lost"),
        changes: Some(*count),
        from_ms: None,
        until_ms: None,
    }));
}

/// Builds the index anew, whatever it is like.
pub fn rebuild_index(program: &Program, folder: &DataFolder) -> Result<Reply, Failure> {
    let repaired = Some(set_aside_and_build(program, folder, "it was to be built anew")?);
    Ok(Reply::ok(&CheckReport { sound: true, repaired, ..CheckReport::default() }))
}

fn set_aside_and_build(program: &Program, folder: &DataFolder, why: &str) -> Result<String, Failure> {
    let mut found = Vec::new();
    rescue::set_aside(&folder.path, why, &mut found).map_err(|error| open::failed(&error))?;
    program.ask_store(folder, |_, _, _| Reply::ok(&()))?;
    let kept = found.iter().find_map(|found| match found {
        rescue::Found::IndexAside { kept, .. } => {
            Some(format!(", the old one is kept in {}", kept.display()))
        }
        _ => None,
    });
    Ok(format!("the index was built anew from the journal{}", kept.unwrap_or_default()))
}
