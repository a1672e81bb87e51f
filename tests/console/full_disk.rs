//! A disk without room, for those who may mount one.

use std::{fs, path::PathBuf, process::Command};

/// A folder on a disk of one page, which is taken.
pub struct FullDisk {
    folder: PathBuf,
    _below: tempfile::TempDir,
}

impl FullDisk {
    /// Mounts it; or why that cannot be.
    pub fn mount() -> Result<Self, String> {
        let below = tempfile::tempdir().map_err(|error| error.to_string())?;
        let folder = below.path().join("full");
        fs::create_dir(&folder).map_err(|error| error.to_string())?;
        let mounted = Command::new("mount").args(["-t", "tmpfs", "-o", "size=4k", "tmpfs"]).arg(&folder).output();
        let mounted = mounted.map_err(|error| format!("mount: {error}"))?;
        if !mounted.status.success() {
            return Err(String::from_utf8_lossy(&mounted.stderr).trim().to_owned());
        }
        let disk = Self { folder, _below: below };
        // Larger than any machine's page.
        match fs::write(disk.folder.join("everything"), vec![b'x'; 1 << 17]) {
            Ok(()) => Err("a disk of one page took more".to_owned()),
            Err(_) => Ok(disk),
        }
    }

    pub fn folder(&self) -> PathBuf {
        self.folder.join("journal")
    }
}

impl Drop for FullDisk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg(&self.folder).status();
    }
}
