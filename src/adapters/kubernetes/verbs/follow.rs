//! Follows a rollout to its end: what each pod does, what is waited for and why, and how it ended.

use std::{collections::HashMap, time::Duration};

use serde::Deserialize;
use serde_json::Value;

use super::{
    super::{
        pod::Pod,
        read::List,
        rollout::Standing,
        trouble::Undecoded,
        way::{Named, Way},
    },
    Bench, patch,
    workload::Reading,
};
use crate::{
    adapters::{
        feed::{self, Stopwatch},
        steps::{Says, change::Changes, verdict},
    },
    error::{Error, ErrorKind, Result},
    fleet::{Kind, ResourceId, Text, time::brief},
    operation::{Outcome, Progress, Step, Verdict},
    platform::Cancel,
};

/// Between two looks.
const LOOK: Duration = Duration::from_secs(1);
/// Between two looks while the server cannot be heard.
const TROUBLED: Duration = Duration::from_secs(3);
/// For how long the server may be silent before nobody waits for it any more.
const DEAF: Duration = Duration::from_mins(15);
/// For how long nothing at all may change: the deadline a Deployment has by itself. Others have none.
const STILL: Duration = Duration::from_mins(10);

/// What a pod says that will not become ready by itself.
pub(super) const HOPELESS: [&str; 9] = [
    "ImagePullBackOff",
    "ErrImagePull",
    "InvalidImageName",
    "CrashLoopBackOff",
    "CreateContainerConfigError",
    "CreateContainerError",
    "RunContainerError",
    "OOMKilled",
    "Error",
];

/// One rollout being followed.
pub(super) struct Following<'a> {
    bench: &'a Bench,
    step: &'a Step,
    named: Named<'a>,
    /// What names the template as our request made it.
    ours: Option<String>,
    told: HashMap<ResourceId, String>,
    said: Option<(u32, u32, String)>,
    waiting: Option<Text>,
    still: Stopwatch,
    /// For how long nothing may move.
    patience: Duration,
}

impl<'a> Following<'a> {
    /// Follows what a step of `named` began. The first template that is seen is taken to be ours.
    pub(super) fn new(bench: &'a Bench, step: &'a Step, named: Named<'a>) -> Self {
        Self {
            bench,
            step,
            named,
            ours: None,
            told: HashMap::new(),
            said: None,
            waiting: None,
            still: Stopwatch::start(),
            patience: STILL,
        }
    }

    /// Looks until it is over, or until somebody asks to stop looking.
    pub(super) async fn until_over(mut self, cancel: &Cancel, says: &Says) -> Verdict {
        let mut silent: Option<(Stopwatch, Error)> = None;
        loop {
            let pause = match self.look(says).await {
                Ok(Some(verdict)) => return verdict,
                Ok(None) => {
                    silent = None;
                    LOOK
                }
                Err(error) if error.kind == ErrorKind::NotFound => {
                    return verdict(Outcome::Failed, format!("it was removed meanwhile: {error}"));
                }
                Err(error) => {
                    let since = silent.as_ref().map_or_else(Stopwatch::start, |(since, _)| *since);
                    if since.read() > DEAF {
                        let text = format!("the request was accepted, then the server fell silent: {error}");
                        return verdict(Outcome::Unknown, text);
                    }
                    if silent.as_ref().is_none_or(|(_, before)| *before != error) {
                        says.say(Progress::Trouble(error.clone())).await;
                    }
                    silent = Some((since, error));
                    TROUBLED
                }
            };
            if cancel.asked() {
                let mut verdict = verdict(Outcome::Cancelled, "stopped looking");
                verdict.left.push("the rollout goes on; a rollback takes it back".into());
                return verdict;
            }
            tokio::select! {
                () = feed::sleep(pause) => {}
                () = cancel.wait() => {}
            }
        }
    }

    async fn look(&mut self, says: &Says) -> Result<Option<Verdict>> {
        let reading = Reading::of(self.bench, self.named).await?;
        let now = reading.template_hash();
        if *self.ours.get_or_insert_with(|| now.clone()) != now || !patch::holds(&self.step.request, &reading.object)? {
            let mut verdict = verdict(Outcome::Failed, "somebody else changed it before this rollout had ended");
            verdict.left.push("their change goes on".into());
            return Ok(Some(verdict));
        }
        let (stuck, ready) = self.pods(&reading, says).await?;
        let moved = matches!(Way::of(&self.step.request), Ok(Way::Eviction(..)));
        let standing = match Standing::of(self.named.kind, &reading.object)? {
            // A rollout that was held back, or failed, before is none of it.
            Standing::Paused(..) | Standing::OnDelete(..) | Standing::Late(_) if self.is_about_numbers() => {
                Standing::sized(&reading.object)?
            }
            standing => standing,
        };
        self.patience = patience(&reading.object);
        match standing {
            // The numbers above may be from before the pod left.
            Standing::Over(total, _) if moved && ready < total => {
                self.tell((ready, total, format!("{ready} of {total} pods ready")), says).await;
                Ok(self.stalled(stuck, says).await)
            }
            Standing::Over(total, text) => {
                self.tell((total, total, text.clone()), says).await;
                Ok(Some(verdict(Outcome::Completed, text)))
            }
            Standing::Parted(new, held) => {
                let text = format!("all {new} pods from number {held} on are updated and ready");
                self.tell((new, new, text.clone()), says).await;
                Ok(Some(verdict(Outcome::Completed, text)))
            }
            Standing::Paused(updated, wanted) => {
                let mut verdict = verdict(Outcome::Paused, "somebody paused its rollouts meanwhile");
                verdict.left.push(Text::clean(&format!(
                    "{updated} of {wanted} pods are updated; it stays so until it is resumed"
                )));
                Ok(Some(verdict))
            }
            Standing::OnDelete(updated, wanted) => {
                let text = format!("{updated} of {wanted} pods are updated: it replaces them only as they are deleted");
                let mut verdict = verdict(Outcome::Paused, text);
                verdict.left.push("the others run the old version until somebody deletes them".into());
                Ok(Some(verdict))
            }
            Standing::Late(why) => {
                let why = stuck.map_or(why.clone(), |stuck| format!("{why} ({stuck})"));
                let mut verdict = verdict(Outcome::Failed, why);
                verdict.left.push("the controller goes on trying and does not go back by itself; roll it back".into());
                Ok(Some(verdict))
            }
            Standing::Refused(done, total, why) => {
                self.tell((done, total, format!("{done} of {total} pods updated")), says).await;
                Ok(self.stalled(Some(why), says).await)
            }
            Standing::Going(done, total, text) | Standing::Unready(done, total, text) => {
                self.tell((done, total, text), says).await;
                Ok(self.stalled(stuck, says).await)
            }
        }
    }

    /// Whether the request changes no template, but only how many pods there are.
    fn is_about_numbers(&self) -> bool {
        let evicts = matches!(Way::of(&self.step.request), Ok(Way::Eviction(..)));
        let scales = |it: Changes| it.all().len() == 1 && it.to(&["replicas"]).is_some();
        evicts || Changes::of(&self.step.request).is_ok_and(scales)
    }

    async fn tell(&mut self, now: (u32, u32, String), says: &Says) {
        if self.said.as_ref() == Some(&now) {
            return;
        }
        self.still = Stopwatch::start();
        let (done, total, text) = now.clone();
        says.say(Progress::Subject { id: self.step.subject.clone(), done, total, text: Text::clean(&text) }).await;
        self.said = Some(now);
    }

    /// Says what each pod does that it did not do at the last look. Gives one that will not be ready by itself, and how
    /// many are.
    async fn pods(&mut self, reading: &Reading, says: &Says) -> Result<(Option<String>, u32)> {
        #[derive(Deserialize)]
        struct Pods<'a> {
            #[serde(borrow)]
            items: Vec<Pod<'a>>,
        }
        let bytes = reading.selected(self.bench, List::Pods).await?;
        let pods: Pods<'_> = serde_json::from_slice(&bytes).map_err(|cause| {
            Error::new(ErrorKind::Malformed, "the pods were answered in a way that cannot be understood")
                .because(&Undecoded::from(&cause))
        })?;
        let (mut stuck, mut whole) = (None, 0);
        let first = self.told.is_empty();
        for pod in &pods.items {
            let (word, (ready, all)) = pod.word();
            whole += u32::from(word == "Running" && ready == all);
            let node = pod.spec.node_name.as_deref().unwrap_or_default();
            let on = if node.is_empty() { String::new() } else { format!(" on {node}") };
            let text = format!("{word}{on}, {ready} of {all} ready");
            if HOPELESS.contains(&&*word) {
                stuck.get_or_insert_with(|| format!("{} is {word}", &*pod.metadata.name));
            } else if word == "Pending" && node.is_empty() {
                let why = pod.condition("PodScheduled").and_then(|it| it.message.as_deref()).unwrap_or("no node yet");
                stuck.get_or_insert_with(|| format!("{} has no node: {why}", &*pod.metadata.name));
            }
            let Some(id) = task(self.bench, pod) else { continue };
            if self.told.insert(id.clone(), text.clone()).as_ref() != Some(&text) && !first {
                says.say(Progress::Task { id, text: Text::clean(&text) }).await;
            }
        }
        Ok((stuck, whole))
    }

    /// Whether nothing has moved for so long that it never will.
    async fn stalled(&mut self, stuck: Option<String>, says: &Says) -> Option<Verdict> {
        match stuck {
            None => self.waiting = None,
            Some(reason) => {
                let (reason, since) = (Text::clean(&reason), feed::wall_clock());
                if self.waiting.as_ref() != Some(&reason) {
                    let id = self.step.subject.clone();
                    says.say(Progress::Waiting { id, reason: reason.clone(), since }).await;
                    self.waiting = Some(reason);
                }
            }
        }
        let waited = self.still.read();
        if waited < self.patience {
            return None;
        }
        let why = self.waiting.as_ref().map_or_else(String::new, |why| format!(": {why}"));
        let mut verdict = verdict(Outcome::Stalled, format!("nothing has moved for {}{why}", brief(waited)));
        verdict.left.push("the controller goes on trying for as long as it takes; roll it back to give up".into());
        Some(verdict)
    }
}

/// For how long nothing at all may change of a workload: its own deadline is for its controller to judge, which says so a
/// moment after it; and pods that are ready count only a while later.
fn patience(object: &Value) -> Duration {
    let seconds = |path| object.pointer(path).and_then(Value::as_u64);
    // The largest number means that there is none.
    let deadline = seconds("/spec/progressDeadlineSeconds").filter(|it| *it < u64::from(i32::MAX.unsigned_abs()));
    let deadline = deadline.map_or(Duration::ZERO, |it| Duration::from_secs(it) + Duration::from_mins(1));
    let ready = Duration::from_secs(seconds("/spec/minReadySeconds").unwrap_or(0));
    STILL.max(deadline).saturating_add(ready)
}

/// A pod's task.
fn task(bench: &Bench, pod: &Pod<'_>) -> Option<ResourceId> {
    let (namespace, uid) = (pod.metadata.namespace.as_deref()?, pod.metadata.uid.as_deref()?);
    let key = Text::clean(&format!("{namespace}/{}/{uid}", &*pod.metadata.name));
    Some(ResourceId::new(bench.connection.settings().connection.clone(), Kind::Task, key))
}
