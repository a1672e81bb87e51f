//! What a feed is given: what is listed and watched, how each object becomes a row, and how long things are waited for.

use std::time::Duration;

use super::super::{
    read::{Collection, Objects, Read},
    usage::{self, Samples},
};
use crate::fleet::{Amount, Resource, ResourceId, Text};

/// What is listed and watched: a list of the API as objects, or as the rows that the server shows of them.
#[derive(Debug, Clone)]
pub(in crate::adapters::kubernetes) enum Source {
    /// Objects.
    List(Collection),
    /// Rows.
    Rows(Objects),
}

impl From<Collection> for Source {
    fn from(of: Collection) -> Self {
        Self::List(of)
    }
}

impl From<Objects> for Source {
    fn from(of: Objects) -> Self {
        Self::Rows(of)
    }
}

impl Source {
    /// Where it is listed: one word for each list.
    pub(super) fn place(&self) -> String {
        self.page(1, String::new()).request().map_or_else(|_| String::new(), |it| it.uri().path().to_owned())
    }

    pub(super) fn page(&self, limit: u32, next: String) -> Read {
        match self.clone() {
            Self::List(of) => Read::Page { of, limit, next },
            Self::Rows(of) => Read::Rows { of, limit, next },
        }
    }

    pub(super) fn changes(&self, since: String, seconds: u32) -> Read {
        match self.clone() {
            Self::List(of) => Read::Watch { of, since, seconds },
            Self::Rows(of) => Read::RowChanges { of, since, seconds },
        }
    }
}

/// Turns one object of a list into a row.
pub(in crate::adapters::kubernetes) trait Rows: Send + 'static {
    /// The row of the object in `json`; `None` where it is no row and only says something of others.
    fn row(&mut self, json: &[u8]) -> Result<Option<Resource>, serde_json::Error>;
    /// The row of the item in `json`, of a list of which `shell` stood before the items.
    fn listed(&mut self, _shell: &[u8], json: &[u8]) -> Result<Option<Resource>, serde_json::Error> {
        self.row(json)
    }
    /// The object in `json` is gone: the id of its row.
    fn gone(&mut self, json: &[u8]) -> Result<Option<ResourceId>, serde_json::Error>;
    /// A fresh listing starts.
    fn begin(&mut self) {}
    /// A listing is complete, or a watch has ended: what no row holds any more may be forgotten.
    fn settle(&mut self) {}
    /// Whether rows change by what is known elsewhere.
    fn looks_elsewhere(&self) -> bool {
        false
    }
    /// Whether that is still on its way; the end of a list waits a moment for it, for whoever looks but once.
    fn waits_for_others(&self) -> bool {
        false
    }
    /// Those that did.
    fn changed(&mut self) -> Vec<Resource> {
        Vec::new()
    }
    /// Those that are there no more by what is known elsewhere.
    fn vanished(&mut self) -> Vec<ResourceId> {
        Vec::new()
    }
    /// Where what they use is seen, if it is measured.
    fn samples(&mut self) -> Option<&mut Samples> {
        None
    }
    /// Those that use something else now, by their keys, where nothing else of them changed.
    fn measured(&mut self) -> Vec<(Text, Option<Amount>)> {
        Vec::new()
    }
}

/// How long things are waited for.
#[derive(Debug, Clone, Copy)]
pub(in crate::adapters::kubernetes) struct Pace {
    /// How long one watch lives, jitter apart.
    pub(in crate::adapters::kubernetes) watch_seconds: u32,
    /// Watches that began together need not end together.
    pub(in crate::adapters::kubernetes) jitter_seconds: u32,
    /// How much later than promised a watch may end.
    pub(in crate::adapters::kubernetes) slack: Duration,
    /// A watch that said nothing is not asked for again at once.
    pub(in crate::adapters::kubernetes) pause: Duration,
    /// What goes wrong again and again is tried again after a pause that doubles up to this.
    pub(in crate::adapters::kubernetes) longest: Duration,
    /// How long a page may say nothing. It is made by reading from etcd, which a busy server may be slow at.
    pub(in crate::adapters::kubernetes) page: Duration,
    /// How often a list that was refused is asked for again.
    pub(in crate::adapters::kubernetes) refused: Duration,
    /// How often rows are brought up to date with what is known elsewhere: pods come and go by the dozen, and nobody reads a
    /// gauge that fast.
    pub(in crate::adapters::kubernetes) elsewhere: Duration,
    /// How often usage is asked for, if at all.
    pub(in crate::adapters::kubernetes) usage: Option<Duration>,
}

impl Pace {
    /// Watch, jitter, slack and a look at the server together stay under the 45 s after which rows count as stale.
    pub(in crate::adapters::kubernetes) const USUAL: Self = Self {
        watch_seconds: 24,
        jitter_seconds: 6,
        slack: Duration::from_secs(5),
        pause: Duration::from_secs(1),
        longest: Duration::from_secs(8),
        page: Duration::from_secs(20),
        refused: Duration::from_secs(30),
        elsewhere: Duration::from_secs(5),
        usage: Some(usage::PERIOD),
    };
}
