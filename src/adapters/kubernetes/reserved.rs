//! What pods have reserved of each node: a sum that is kept while pods are watched, so that nodes need no list of their
//! own for it. Without a watch of pods it is unknown, which is zero.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use super::{
    pod::Pod,
    quantity::{cpu_millis, units},
};
use crate::fleet::{Capacity, Text};

/// The sums by node, shared between the streams of pods and of nodes.
#[derive(Debug, Clone, Default)]
pub(super) struct Reserved(Arc<Mutex<HashMap<Text, Capacity>>>);

/// What one stream of pods has put into the sums; dropping it takes all of it out again.
#[derive(Debug)]
pub(super) struct Shares {
    sums: Reserved,
    pods: HashMap<Text, Share>,
    listing: u32,
}

#[derive(Debug)]
struct Share {
    node: Text,
    amount: Capacity,
    listing: u32,
}

impl Reserved {
    /// What is reserved of `node`.
    pub(super) fn of(&self, node: &str) -> Capacity {
        self.sums().get(node).copied().unwrap_or_default()
    }

    /// The shares of a new stream of pods.
    pub(super) fn shares(&self) -> Shares {
        Shares { sums: self.clone(), pods: HashMap::new(), listing: 0 }
    }

    fn sums(&self) -> MutexGuard<'_, HashMap<Text, Capacity>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Shares {
    /// Puts in what the pod called `key` on `node` has reserved, in place of what it had before.
    pub(super) fn put(&mut self, key: &Text, node: Option<&Text>, pod: &Pod) {
        // A pod that came to its end holds nothing any more.
        let Some(node) = node.filter(|_| !pod.ended()) else { return self.take(key) };
        let share = Share { node: node.clone(), amount: amount(pod), listing: self.listing };
        let mut sums = self.sums.sums();
        if let Some(before) = self.pods.get_mut(key) {
            subtract(&mut sums, before);
            add(&mut sums, &share);
            *before = share;
        } else {
            add(&mut sums, &share);
            drop(sums);
            self.pods.insert(key.clone(), share);
        }
    }

    /// Takes out what the pod called `key` had reserved.
    pub(super) fn take(&mut self, key: &Text) {
        if let Some(share) = self.pods.remove(key) {
            subtract(&mut self.sums.sums(), &share);
        }
    }

    /// A fresh listing starts.
    pub(super) fn begin(&mut self) {
        self.listing = self.listing.wrapping_add(1);
    }

    /// A listing is complete: what it did not see is gone.
    pub(super) fn complete(&mut self) {
        let (listing, mut sums) = (self.listing, self.sums.sums());
        self.pods.retain(|_, share| {
            let seen = share.listing == listing;
            if !seen {
                subtract(&mut sums, share);
            }
            seen
        });
        drop(sums);
    }
}

impl Drop for Shares {
    fn drop(&mut self) {
        let mut sums = self.sums.sums();
        self.pods.values().for_each(|share| subtract(&mut sums, share));
    }
}

fn add(sums: &mut HashMap<Text, Capacity>, share: &Share) {
    let sum = sums.entry(share.node.clone()).or_default();
    sum.cpu_millis = sum.cpu_millis.saturating_add(share.amount.cpu_millis);
    sum.memory_bytes = sum.memory_bytes.saturating_add(share.amount.memory_bytes);
    sum.tasks = sum.tasks.saturating_add(share.amount.tasks);
}

fn subtract(sums: &mut HashMap<Text, Capacity>, share: &Share) {
    let Some(sum) = sums.get_mut(&share.node) else { return };
    sum.cpu_millis = sum.cpu_millis.saturating_sub(share.amount.cpu_millis);
    sum.memory_bytes = sum.memory_bytes.saturating_sub(share.amount.memory_bytes);
    sum.tasks = sum.tasks.saturating_sub(share.amount.tasks);
    if *sum == Capacity::default() {
        sums.remove(&share.node);
    }
}

/// What a pod's containers and sidecars ask for together. The start of ordinary init containers may ask for more for a
/// moment; that is left out, and so is the overhead of a runtime class.
fn amount(pod: &Pod) -> Capacity {
    let sidecars = pod.spec.init_containers.iter().flatten().filter(|it| it.sidecar());
    let mut sum = Capacity { tasks: 1, ..Capacity::default() };
    for container in pod.spec.containers.iter().flatten().chain(sidecars) {
        let Some(requests) = container.resources.as_ref().and_then(|it| it.requests.as_ref()) else { continue };
        sum.cpu_millis = sum.cpu_millis.saturating_add(requests.cpu.as_deref().map_or(0, cpu_millis));
        sum.memory_bytes = sum.memory_bytes.saturating_add(requests.memory.as_deref().map_or(0, units));
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pod(cpu: &str, phase: &str) -> String {
        format!(
            r#"{{"metadata":{{"name":"a"}},"status":{{"phase":"{phase}"}},"spec":{{
            "initContainers":[{{"name":"i","resources":{{"requests":{{"cpu":"5"}}}}}},
            {{"name":"s","restartPolicy":"Always","resources":{{"requests":{{"cpu":"50m"}}}}}}],
            "containers":[{{"name":"c","resources":{{"requests":{{"cpu":"{cpu}","memory":"1Ki"}}}}}},{{"name":"d"}}]}}}}"#
        )
    }

    fn put(shares: &mut Shares, key: &str, node: &str, json: &str) {
        let pod: Pod = serde_json::from_str(json).expect("a pod");
        shares.put(&key.into(), Some(&node.into()), &pod);
    }

    #[test]
    fn the_sums_follow_pods_as_they_come_change_end_and_go() {
        let sums = Reserved::default();
        let mut shares = sums.shares();
        let running = pod("100m", "Running");
        put(&mut shares, "a", "n1", &running);
        put(&mut shares, "b", "n1", &running);
        assert_eq!(sums.of("n1"), Capacity { cpu_millis: 300, memory_bytes: 2_048, tasks: 2 });
        put(&mut shares, "b", "n1", &pod("1", "Running"));
        assert_eq!(sums.of("n1").cpu_millis, 1_200);
        put(&mut shares, "b", "n1", &pod("1", "Succeeded"));
        assert_eq!(sums.of("n1"), Capacity { cpu_millis: 150, memory_bytes: 1_024, tasks: 1 });
        shares.begin();
        put(&mut shares, "c", "n2", &running);
        shares.complete();
        assert_eq!((sums.of("n1"), sums.of("n2").tasks), (Capacity::default(), 1));
        drop(shares);
        assert_eq!(sums.of("n2"), Capacity::default());
    }
}
