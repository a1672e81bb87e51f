//! The state of a pod in the words that `kubectl get pods` shows, how well that is, and why.

use std::borrow::Cow;

use super::{
    pod::{Condition, Pod, Terminated, some},
    quantity::instant,
};
use crate::fleet::{Health, TaskState};

impl<'a> Pod<'a> {
    /// Whether the init container `name` is a sidecar: it goes on running beside the others.
    pub(super) fn sidecar(&self, name: &str) -> bool {
        let mut containers = self.spec.init_containers.iter().flatten();
        containers.any(|it| *it.name == *name && it.sidecar())
    }

    /// The state in kubectl's word, and how many of how many containers are ready.
    pub(super) fn word(&self) -> (Cow<'_, str>, (usize, usize)) {
        let mut word = Cow::Borrowed(some(self.status.reason.as_ref()).unwrap_or_else(|| self.phase()));
        if self.condition("PodScheduled").and_then(|it| it.reason.as_deref()) == Some("SchedulingGated") {
            word = "SchedulingGated".into();
        }
        let sidecars = self.spec.init_containers.iter().flatten().filter(|it| it.sidecar()).count();
        let total = self.spec.containers.as_ref().map_or(0, Vec::len) + sidecars;
        let mut ready = 0;

        let initialising = self.initialising(&mut ready);
        let initialised = self.condition("Initialized").is_some_and(Condition::holds);
        let began = initialising.is_none() || initialised;
        if let Some(begin) = initialising {
            word = begin;
        }
        if began {
            let mut running = false;
            // The first container has the last word, as in kubectl.
            for container in self.containers().rev() {
                let waiting = container.state.waiting.as_ref().and_then(|it| some(it.reason.as_ref()));
                if let Some(reason) = waiting {
                    word = reason.into();
                } else if let Some(end) = &container.state.terminated {
                    word = end.word();
                } else if container.ready && container.state.running.is_some() {
                    running = true;
                    ready += 1;
                }
            }
            if word == "Completed" && running {
                let all = self.condition("Ready").is_some_and(Condition::holds);
                word = if all { "Running" } else { "NotReady" }.into();
            }
        }
        if self.deleted() {
            if self.status.reason.as_deref() == Some("NodeLost") {
                word = "Unknown".into();
            } else if !self.ended() {
                word = "Terminating".into();
            }
        }
        (word, (ready, total))
    }

    /// The word for an init container that has not come to its good end, if there is one. Counts ready sidecars.
    fn initialising(&self, ready: &mut usize) -> Option<Cow<'_, str>> {
        let all = self.spec.init_containers.as_ref().map_or(0, Vec::len);
        for (index, container) in self.status.init_container_statuses.iter().flatten().enumerate() {
            let sidecar = self.sidecar(&container.name);
            if let Some(end) = &container.state.terminated {
                if end.exit_code == 0 {
                    continue;
                }
                if !(sidecar && container.started == Some(true)) {
                    return Some(format!("Init:{}", end.word()).into());
                }
            }
            if sidecar && container.started == Some(true) {
                *ready += usize::from(container.ready);
                continue;
            }
            let waiting = container.state.waiting.as_ref().and_then(|it| some(it.reason.as_ref()));
            return Some(match waiting {
                Some(reason) if reason != "PodInitializing" => format!("Init:{reason}").into(),
                Some(_) | None => format!("Init:{index}/{all}").into(),
            });
        }
        None
    }

    pub(super) fn state(&self, word: &str) -> (TaskState, Health) {
        if self.status.reason.as_deref() == Some("NodeLost") || self.phase() == "Unknown" {
            return (TaskState::Lost, Health::Failing);
        }
        match self.phase() {
            "Succeeded" => return (TaskState::Complete, Health::Idle),
            "Failed" => return (TaskState::Failed, Health::Failing),
            _ if self.deleted() => return (TaskState::Stopping, Health::Progressing),
            _ => {}
        }
        let word = word.strip_prefix("Init:").unwrap_or(word);
        if matches!(word, "CrashLoopBackOff" | "Error" | "OOMKilled" | "ContainerCannotRun" | "StartError") {
            return (TaskState::Failed, Health::Failing);
        }
        if self.spec.node_name.is_none() {
            let refused =
                self.condition("PodScheduled").is_some_and(|it| it.reason.as_deref() == Some("Unschedulable"));
            return (TaskState::Pending, if refused { Health::Failing } else { Health::Progressing });
        }
        if cannot_start(word) {
            return (TaskState::Starting, Health::Failing);
        }
        if !self.containers().any(|container| container.state.running.is_some()) {
            return (TaskState::Starting, Health::Progressing);
        }
        (TaskState::Running, self.readiness())
    }

    /// Whether a pod that runs is ready, on its way there, or not any more: a readiness that went after its
    /// containers had started was there once.
    fn readiness(&self) -> Health {
        let Some(ready) = self.condition("Ready") else { return Health::Unknown };
        if ready.holds() {
            return Health::Healthy;
        }
        let started =
            self.containers().filter_map(|it| it.state.running.as_ref()?.started_at.as_deref().and_then(instant));
        let went = ready.last_transition_time.as_deref().and_then(instant);
        match (went, started.max()) {
            (Some(went), Some(started)) if went > started => Health::Failing,
            (_, _) => Health::Progressing,
        }
    }

    /// The latest end of a container, the current one before the one before it.
    pub(super) fn last_end(&self) -> Option<&Terminated<'a>> {
        let all = || self.status.init_container_statuses.iter().flatten().chain(self.containers());
        let at = |end: &&Terminated| end.finished_at.as_deref().and_then(instant);
        let now = all().filter_map(|it| it.state.terminated.as_ref());
        let before = all().filter_map(|it| it.last_state.terminated.as_ref());
        // A good end beside a bad one (a finished init container) says nothing.
        now.chain(before).max_by_key(|end| (end.exit_code != 0, at(end)))
    }

    /// Why it is as it is.
    pub(super) fn message(&self, word: &str, (ready, total): (usize, usize)) -> Option<Cow<'_, str>> {
        if let Some(unplaced) = self.condition("PodScheduled").filter(|it| !it.holds()) {
            return some(unplaced.message.as_ref()).map(Cow::Borrowed);
        }
        let all = || self.status.init_container_statuses.iter().flatten().chain(self.containers());
        let end = self.last_end().filter(|end| end.exit_code != 0).map(|end| {
            let said = some(end.message.as_ref()).map_or(String::new(), |message| format!(": {message}"));
            format!("{}, exit code {}{said}", end.word(), end.exit_code)
        });
        let waiting = all().filter_map(|it| it.state.waiting.as_ref()).find_map(|it| some(it.message.as_ref()));
        match (some(self.status.message.as_ref()), waiting, end) {
            (Some(message), _, _) => Some(message.into()),
            // The kubelet's own text of a back-off names pod and uid, so no two are alike; the end before it says more.
            (None, _, Some(end)) if word.ends_with("CrashLoopBackOff") => Some(format!("last end: {end}").into()),
            (None, Some(waiting), _) => Some(waiting.into()),
            (None, None, Some(end)) => Some(end.into()),
            (None, None, None) if !self.ended() && ready < total => {
                Some(format!("{ready} of {total} containers ready").into())
            }
            (None, None, None) => None,
        }
    }
}

/// Whether a container that waits for this reason will not start until somebody acts.
fn cannot_start(word: &str) -> bool {
    matches!(
        word,
        "ImagePullBackOff"
            | "ErrImagePull"
            | "ErrImageNeverPull"
            | "InvalidImageName"
            | "ImageInspectError"
            | "CreateContainerConfigError"
            | "CreateContainerError"
            | "RunContainerError"
            | "RegistryUnavailable"
    )
}
