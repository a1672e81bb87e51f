//! Where files are: the configuration, the state directory with journal and logs. XDG, on every platform.

use std::path::{Path, PathBuf};

use etcetera::BaseStrategy;
use serde::Serialize;

use super::Config;
use crate::error::{Error, ErrorKind, Result};

/// Where this program keeps its files.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Paths {
    /// The configuration file that is read when none is named.
    pub config: PathBuf,
    /// The directory for what must outlive a run: the journal. Only its owner may read it.
    pub state: PathBuf,
    /// The home directory, for `~`.
    pub home: PathBuf,
}

impl Paths {
    /// The paths of the person running this, from `XDG_CONFIG_HOME`, `XDG_STATE_HOME` and `HOME`.
    pub fn find() -> Result<Self> {
        let base = etcetera::base_strategy::Xdg::new().map_err(|error| {
            Error::new(ErrorKind::Config, "there is no home directory to keep files in")
                .because(&error)
                .hint("Set HOME.")
        })?;
        let home = base.home_dir().to_path_buf();
        let state = base.state_dir().unwrap_or_else(|| home.join(".local/state"));
        Ok(Self {
            config: base.config_dir().join("quarterdeck").join("config.toml"),
            state: state.join("quarterdeck"),
            home,
        })
    }

    /// The directory of the journal under `config`.
    pub fn journal(&self, config: &Config) -> PathBuf {
        config.journal.directory.clone().unwrap_or_else(|| self.state.join("journal"))
    }

    /// The configuration file in force: the one that was named, or the usual one.
    pub fn config_or(&self, named: Option<&Path>) -> PathBuf {
        named.map_or_else(|| self.config.clone(), Path::to_path_buf)
    }
}
