//! What pods have reserved of each node, and which images they run for each service: sums that are kept while pods are
//! watched, so that nodes and services need no list of pods for it. Without a watch of pods they are unknown.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use super::{pod::Pod, usage::Sample};
use crate::fleet::{Amount, Capacity, Image, Task, Text};

/// The sums, shared between the streams of pods, nodes and services.
#[derive(Debug, Clone, Default)]
pub(super) struct Reserved(Arc<Mutex<Sums>>);

#[derive(Debug, Default)]
struct Sums {
    nodes: HashMap<Text, Capacity>,
    /// How many pods run which image, by the key of their service.
    images: HashMap<Text, Vec<(Arc<Image>, u32)>>,
    /// Grows with every image that comes or goes.
    revision: u64,
}

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
    runs: Option<(Text, Arc<Image>)>,
    amount: Capacity,
    /// What the row says that it uses.
    used: Option<Amount>,
    listing: u32,
}

impl Reserved {
    /// What is reserved of `node`.
    pub(super) fn of(&self, node: &str) -> Capacity {
        self.sums().nodes.get(node).copied().unwrap_or_default()
    }

    /// What `reference` stands for in the pods of `service`, where all that know agree.
    pub(super) fn digest(&self, service: &str, reference: &str) -> Option<Text> {
        let sums = self.sums();
        let of = sums.images.get(service)?.iter().filter(|(image, _)| *image.reference == *reference);
        let mut digests = of.filter_map(|(image, _)| image.digest.as_ref());
        let first = digests.next()?;
        digests.all(|other| other == first).then(|| first.clone())
    }

    /// Grows with every image that comes or goes.
    pub(super) fn revision(&self) -> u64 {
        self.sums().revision
    }

    /// The shares of a new stream of pods.
    pub(super) fn shares(&self) -> Shares {
        Shares { sums: self.clone(), pods: HashMap::new(), listing: 0 }
    }

    fn sums(&self) -> MutexGuard<'_, Sums> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Shares {
    /// Puts in what the pod behind `task` has reserved and runs, in place of what it had before.
    pub(super) fn put(&mut self, task: &Task, pod: &Pod) {
        let key = &task.id.key;
        // A pod that came to its end holds nothing any more.
        let Some(node) = task.node.as_ref().filter(|_| !pod.ended()) else { return self.take(key) };
        let runs = task.service.clone().zip(task.image.clone());
        let Amount { cpu_millis, memory_bytes } = task.requested;
        let amount = Capacity { cpu_millis, memory_bytes, tasks: 1 };
        let share = Share { node: node.clone(), runs, amount, used: task.used, listing: self.listing };
        let mut sums = self.sums.sums();
        if let Some(before) = self.pods.get_mut(key) {
            // In this order an image that stays never seems to go.
            add(&mut sums, &share);
            subtract(&mut sums, before);
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

    /// The pods that use something else by `sample` than their rows say, by their keys.
    pub(super) fn measure(&mut self, sample: &Sample) -> Vec<(Text, Option<Amount>)> {
        let shares = self.pods.iter_mut().filter_map(|(key, share)| {
            // A pod is measured by namespace and name; its key ends with its uid.
            let used = key.rsplit_once('/').and_then(|(name, _)| sample.of(name));
            (std::mem::replace(&mut share.used, used) != used).then(|| (key.clone(), used))
        });
        shares.collect()
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

fn add(sums: &mut Sums, share: &Share) {
    let sum = sums.nodes.entry(share.node.clone()).or_default();
    sum.cpu_millis = sum.cpu_millis.saturating_add(share.amount.cpu_millis);
    sum.memory_bytes = sum.memory_bytes.saturating_add(share.amount.memory_bytes);
    sum.tasks = sum.tasks.saturating_add(share.amount.tasks);
    let Some((service, image)) = &share.runs else { return };
    let images = sums.images.entry(service.clone()).or_default();
    if let Some((_, count)) = images.iter_mut().find(|(it, _)| it == image) {
        *count += 1;
    } else {
        images.push((Arc::clone(image), 1));
        sums.revision += 1;
    }
}

fn subtract(sums: &mut Sums, share: &Share) {
    if let Some((service, image)) = &share.runs
        && let Some(images) = sums.images.get_mut(service)
    {
        images.iter_mut().filter(|(it, _)| it == image).for_each(|(_, count)| *count = count.saturating_sub(1));
        if images.iter().any(|(_, count)| *count == 0) {
            images.retain(|(_, count)| *count > 0);
            sums.revision += 1;
        }
        if images.is_empty() {
            sums.images.remove(service);
        }
    }
    let Some(sum) = sums.nodes.get_mut(&share.node) else { return };
    sum.cpu_millis = sum.cpu_millis.saturating_sub(share.amount.cpu_millis);
    sum.memory_bytes = sum.memory_bytes.saturating_sub(share.amount.memory_bytes);
    sum.tasks = sum.tasks.saturating_sub(share.amount.tasks);
    if *sum == Capacity::default() {
        sums.nodes.remove(&share.node);
    }
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
        let mut task = crate::fleet::sample::task(key, "web", node);
        task.requested = pod.requested();
        task.image = Some(Arc::new(Image::parse("web:1@sha256:0123")));
        shares.put(&task, &pod);
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
        assert_eq!((sums.digest("web", "web:1"), sums.digest("web", "web:2")), (Some("sha256:0123".into()), None));
        drop(shares);
        assert_eq!((sums.of("n2"), sums.digest("web", "web:1")), (Capacity::default(), None));
    }
}
