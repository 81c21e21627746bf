//! Checking a folder that no node runs on, and building its index anew.

use super::folder::DataFolder;
use super::{Program, again, open};
use crate::cli::Failure;
use crate::doors::control::check::told;
use crate::doors::control::wire::{CheckReport, Reply};
use crate::node::check::check_folder;
use crate::store::rescue;

/// Checks, and changes nothing unless it is to repair what is wrong.
pub fn check(program: &Program, folder: DataFolder, repair: bool) -> Result<Reply, Failure> {
    again::end_with_words();
    let report = check_folder(&folder.path).map_err(|error| open::failed(&error))?;
    let mut answer = told(&report);
    if repair && !report.is_index_sound() {
        // What the journal lost stays lost: only the index can be built anew.
        answer.repaired = Some(set_aside_and_build(program, &folder, "a check found that it does not fit")?);
        answer.sound = report.lost_count == 0;
    }
    Ok(Reply::ok(&answer))
}

/// Builds the index anew, whatever it is like.
pub fn rebuild_index(program: &Program, folder: DataFolder) -> Result<Reply, Failure> {
    let repaired = Some(set_aside_and_build(program, &folder, "it was to be built anew")?);
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
