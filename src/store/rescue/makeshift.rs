//! A disk that is so full that the database cannot even be opened on it: a copy of the index in the machine's memory is
//! opened in its place, so that what is stored can be read. Nothing of the copy ever comes back; once there is room the
//! program starts anew on the index itself and follows the journal from where that one stands.

use crate::base::limits::{INDEX_ROOM_BYTES, MAKESHIFT_INDEX_BYTES_MAX};
use crate::store::disk::{Disk, OsDisk};
use crate::store::error::StoreError;
use crate::store::index::kv::{Kv, Shelf, Value, Write};
use crate::store::index::sled::SledKv;
use crate::store::keys::Key;
use crate::store::rescue::witness::Witness;
use crate::store::rescue::{INDEX, compact, guarded, open_alone};
use std::fs::{self, DirBuilder};
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Where Linux keeps files in memory.
const MEMORY: &str = "/dev/shm";

/// The copy; it goes with whoever holds it.
pub struct Makeshift {
    kv: SledKv,
    _folder: Folder,
}

/// A folder that is removed in the end. One that a killed node left is removed by the next copy.
struct Folder(PathBuf);

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// Opens a copy of the index of this data folder, if there is a sound one and room for it in memory.
pub fn open(data: &Path, limit: Duration) -> Result<Makeshift, StoreError> {
    let folder = copied(data, Path::new(MEMORY)).map_err(|error| StoreError::disk("copy", INDEX, error))?;
    let kv = open_alone(&folder.0.join(INDEX), limit)?;
    match (guarded::reached(&kv)?, Witness::claim(data)) {
        (reached, claimed) if reached < claimed => Err(StoreError::Index("it has lost what it knew".into())),
        _ => Ok(Makeshift { kv, _folder: folder }),
    }
}

fn copied(data: &Path, memory: &Path) -> io::Result<Folder> {
    let index = compact::place(data);
    let bytes = bytes_in(&index)?;
    let free = OsDisk::new(memory.to_owned()).space()?.map_or(0, |space| space.free);
    if bytes > MAKESHIFT_INDEX_BYTES_MAX || free < 2 * (bytes + INDEX_ROOM_BYTES) {
        return Err(io::ErrorKind::StorageFull.into());
    }
    // Of this data folder alone, which only one node holds.
    let name = format!("linnet-index-{:08x}", crc32fast::hash(data.as_os_str().as_bytes()));
    let folder = memory.join(name);
    match fs::remove_dir_all(&folder) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    // Nobody else may look in, and what others have put there is not written to: then it cannot be made.
    DirBuilder::new().mode(0o700).create(&folder)?;
    let folder = Folder(folder);
    copy(&index, &folder.0.join(INDEX))?;
    Ok(folder)
}

fn bytes_in(folder: &Path) -> io::Result<u64> {
    let sizes = fs::read_dir(folder)?.map(|entry| entry?.metadata().map(|meta| meta.len()));
    sizes.sum()
}

/// Its files; what lies in folders of its own the database makes again, for no value is so large.
fn copy(from: &Path, to: &Path) -> io::Result<()> {
    fs::create_dir(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        if entry.file_type()?.is_file() {
            fs::copy(entry.path(), to.join(entry.file_name()))?;
        }
    }
    Ok(())
}

impl Shelf for Makeshift {
    fn get(&self, key: &[u8]) -> Result<Option<Value>, StoreError> {
        self.kv.get(key)
    }

    fn scan(&self, from: &[u8], to: &[u8], max: usize) -> Result<Vec<(Key, Value)>, StoreError> {
        self.kv.scan(from, to, max)
    }
}

impl Kv for Makeshift {
    fn write(&self, batch: &[Write]) -> Result<(), StoreError> {
        self.kv.write(batch)
    }

    fn sync(&self) -> Result<(), StoreError> {
        self.kv.sync()
    }

    fn bytes_on_disk(&self) -> u64 {
        self.kv.bytes_on_disk()
    }

    fn is_makeshift(&self) -> bool {
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::index::settled::Checkpoint;

    #[test]
    fn a_copy_is_opened_in_place_of_the_index_and_goes_with_its_holder() {
        let data = tempfile::tempdir().expect("a temporary folder");
        let index = SledKv::open(&data.path().join(INDEX)).expect("it opens");
        let write: Write = ([7][..].into(), Some([8][..].into()));
        index.write(&[write]).and_then(|()| index.sync()).expect("it is written");
        index.close(&data.path().join(INDEX)).expect("it is let go");
        let copy = open(data.path(), Duration::from_secs(20)).expect("there is room in memory");
        assert_eq!(copy.get(&[7]).expect("it reads").as_deref(), Some(&[8][..]));
        let folder = copy._folder.0.clone();
        assert!(copy.is_makeshift() && folder.exists());
        drop(copy);
        assert!(!folder.exists());
        // A witness that claims more than the index knows: such an index is not shown to anybody.
        let (mut witness, _) = Witness::open(data.path()).expect("it is made");
        let claim = Checkpoint { seq: crate::base::id::Seq(9), ..Checkpoint::default() };
        witness.note(claim).expect("it is written");
        assert!(matches!(open(data.path(), Duration::from_secs(20)), Err(StoreError::Index(_))));
    }
}
