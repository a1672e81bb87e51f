//! Rows of the two lists that are kept up to date: pods and nodes.

use std::{collections::HashMap, time::Duration};

use super::{
    feed::Rows,
    images::Images,
    node::Node,
    pod::Pod,
    reserved::{Reserved, Shares},
    words::Words,
};
use crate::fleet::{Resource, ResourceId, Text, node};

/// How often sums of reservations are looked at: pods come and go by the dozen, and nobody reads a gauge that fast.
const RESERVED_PERIOD: Duration = Duration::from_secs(5);

/// Tasks out of pods.
pub(super) struct Pods {
    words: Words,
    images: Images,
    shares: Shares,
}

impl Pods {
    /// Rows that put what they reserve into `reserved`.
    pub(super) fn new(words: Words, reserved: &Reserved) -> Self {
        Self { words, images: Images::default(), shares: reserved.shares() }
    }
}

impl Rows for Pods {
    fn row(&mut self, json: &[u8]) -> Result<Resource, serde_json::Error> {
        let pod: Pod = serde_json::from_slice(json)?;
        let task = pod.task(&mut self.words, &mut self.images);
        self.shares.put(&task.id.key, task.node.as_ref(), &pod);
        Ok(task.into())
    }

    fn id(&mut self, json: &[u8]) -> Result<ResourceId, serde_json::Error> {
        serde_json::from_slice::<Pod>(json).map(|pod| pod.id(&self.words))
    }

    fn gone(&mut self, id: &ResourceId) {
        self.shares.take(&id.key);
    }

    fn begin(&mut self) {
        self.shares.begin();
    }

    fn settle(&mut self) {
        self.shares.complete();
        self.words.trim();
        self.images.trim();
    }
}

/// Nodes.
pub(super) struct Nodes {
    words: Words,
    reserved: Reserved,
    /// The rows as they were told last: only their sums change without a word from the server.
    known: HashMap<Text, node::Node>,
}

impl Nodes {
    /// Rows that show what is `reserved`.
    pub(super) fn new(words: Words, reserved: Reserved) -> Self {
        Self { words, reserved, known: HashMap::new() }
    }
}

impl Rows for Nodes {
    fn row(&mut self, json: &[u8]) -> Result<Resource, serde_json::Error> {
        let node: Node = serde_json::from_slice(json)?;
        let mut row = node.row(&mut self.words);
        row.reserved = self.reserved.of(&row.name);
        self.known.insert(row.name.clone(), row.clone());
        Ok(row.into())
    }

    fn id(&mut self, json: &[u8]) -> Result<ResourceId, serde_json::Error> {
        serde_json::from_slice::<Node>(json).map(|node| node.id(&mut self.words))
    }

    fn gone(&mut self, id: &ResourceId) {
        self.known.remove(&id.key);
    }

    fn begin(&mut self) {
        self.known.clear();
    }

    fn settle(&mut self) {
        self.words.trim();
    }

    fn period(&self) -> Duration {
        RESERVED_PERIOD
    }

    fn changed(&mut self) -> Vec<Resource> {
        let mut changed = Vec::new();
        for row in self.known.values_mut() {
            let reserved = self.reserved.of(&row.name);
            if row.reserved != reserved {
                row.reserved = reserved;
                changed.push(row.clone().into());
            }
        }
        changed
    }
}
