//! One process at a time, for what is decided by what the journals do not say yet.

use std::{
    fs::{DirBuilder, File, OpenOptions},
    os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _},
};

use rustix::fs::{FlockOperation, flock};

use super::Journal;
use crate::error::Result;

/// Not a journal file: readers look for `.jsonl`.
const NAME: &str = "alone.lock";

impl Journal {
    /// Waits until no other process of this folder is between its look and its first line. Ends with what it returns.
    pub fn alone(&self) -> Result<File> {
        let made = DirBuilder::new().recursive(true).mode(0o700).create(&self.folder);
        made.map_err(|error| self.failed("has no folder", Some(&error)))?;
        let file = OpenOptions::new().write(true).create(true).truncate(false).mode(0o600).open(self.folder.join(NAME));
        let file = file.map_err(|error| self.failed("cannot be made", Some(&error)))?;
        flock(&file, FlockOperation::LockExclusive)
            .map_err(|error| self.failed("cannot be locked", Some(&error.into())))?;
        Ok(file)
    }
}
