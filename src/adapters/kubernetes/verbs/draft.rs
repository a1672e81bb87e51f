//! What every plan on a cluster says, whatever its verb.

use std::time::Duration;

use serde_json::Value;

use super::{super::read::Right, Bench, budgets::denied, workload::Reading};
use crate::{
    adapters::{feed, steps::draft::Touched},
    error::Result,
    fleet::{EnvironmentId, Environments, ResourceId, Task, Text},
    operation::{
        Enforcer, Evidence, Finding, Intent, OperationId, Plan, Precondition, Step, Weight, plan::ServiceImpact,
    },
};

pub(super) use crate::adapters::steps::draft::step;

/// A plan being written.
pub(super) struct Draft {
    pub bench: Bench,
    pub plan: Plan,
    touched: Touched,
    known: Environments,
    expected: Duration,
}

impl Draft {
    /// A plan of `intent` with its target said.
    pub(super) async fn new(
        bench: Bench,
        operation: OperationId,
        intent: &Intent,
        known: Environments,
    ) -> Result<Self> {
        let settings = bench.connection.settings();
        let mut plan = Plan::new(operation, intent, settings.connection.clone(), feed::wall_clock());
        let session = bench.connection.session().await?;
        plan.target = Text::clean(&match &session.context {
            Some(context) => format!("Kubernetes at {}, context {context}", session.server),
            None => format!("Kubernetes at {}", session.server),
        });
        Ok(Self { bench, plan, touched: Touched::default(), known, expected: Duration::ZERO })
    }

    /// The plan touches something in `namespace`: its environment counts.
    pub(super) fn touches(&mut self, namespace: &str) {
        self.belongs(self.bench.rules.of(namespace));
    }

    /// The plan touches something of the cluster as a whole, which belongs somewhere only where no rule tells its
    /// namespaces apart.
    pub(super) fn touches_whole(&mut self) {
        let rules = &self.bench.rules;
        if rules.rules.is_empty() {
            self.belongs(rules.otherwise.clone());
        }
    }

    /// The plan touches an environment.
    pub(super) fn belongs(&mut self, environment: Option<EnvironmentId>) {
        self.touched.add(environment);
    }

    /// A sentence about what will happen.
    pub(super) fn say(&mut self, text: impl AsRef<str>) {
        self.plan.consequences.push(Text::clean(text.as_ref()));
    }

    /// Something that warns of the plan or forbids it.
    pub(super) fn finds(&mut self, guard: &str, weight: Weight, text: impl AsRef<str>, hint: &str) {
        let (guard, text) = (Text::clean(guard), Text::clean(text.as_ref()));
        self.plan.guards.push(Finding { guard, weight, text, hint: Some(Text::clean(hint)) });
    }

    /// How long it takes at least.
    pub(super) fn takes(&mut self, time: Duration) {
        self.expected = self.expected.max(time);
    }

    /// How much longer it takes.
    pub(super) fn lasts(&mut self, longer: Duration) {
        self.expected += self.plan.shared(longer);
    }

    /// Who would take a change of `reading` back, as far as its labels and annotations tell.
    pub(super) fn owners(&mut self, reading: &Reading) {
        self.kept(&reading.title(), &reading.object);
    }

    /// Who would take a change of an object called `title` back.
    pub(super) fn kept(&mut self, title: &str, object: &Value) {
        for owner in owners(object) {
            let text = format!("{title} is kept by {owner}, which may take this back");
            self.finds("another owner", Weight::Warn, text, "change it there too, or first");
        }
    }

    /// Something is to be done to pods of `namespace`: whether we may.
    pub(super) async fn needs(&mut self, right: Right, namespace: &str) {
        if let Some(why) = denied(&self.bench, right, namespace).await
            && !self.plan.guards.iter().any(|it| *it.text == *why)
        {
            let hint = format!("ask for the right to {} there", right.rule());
            self.finds("rights", Weight::Forbid, why, &hint);
        }
    }

    /// What the loss of `leaving` does to the services they are of.
    pub(super) fn loses(&mut self, evidence: &Evidence, leaving: &[ResourceId]) {
        let mut services: Vec<&Text> = Vec::new();
        for task in evidence.tasks.iter().filter(|task| leaving.contains(&task.id)) {
            services.extend(task.service.as_ref().filter(|it| !services.contains(it)));
        }
        for service in services {
            let runs = |task: &&Task| task.service.as_ref() == Some(service) && task.counts_as_running();
            let all = evidence.tasks.iter().filter(runs);
            let (goes, stays): (Vec<&Task>, Vec<&Task>) = all.partition(|task| leaving.contains(&task.id));
            let count = |tasks: &[&Task]| u32::try_from(tasks.len()).unwrap_or(u32::MAX);
            let (before, during) = (count(&goes) + count(&stays), count(&stays));
            let name = Text::clean(service.rsplit('/').next().unwrap_or(service));
            self.plan.impact.services.push(ServiceImpact { name, before, during, after: before });
        }
    }

    /// The plan, named after its only subject `name`, or after the environment of several.
    pub(super) fn finish(mut self, name: &str) -> Plan {
        self.touched.settle(&mut self.plan, &self.known, name);
        self.plan.expected = Some(self.expected);
        self.plan
    }
}

/// Who keeps an object as it is elsewhere.
fn owners(object: &Value) -> Vec<String> {
    let word =
        |place: &str, name: &str| object.pointer("/metadata")?.get(place)?.get(name)?.as_str().map(str::to_owned);
    let label = |name: &str| word("labels", name);
    let note = |name: &str| word("annotations", name);
    let mut found = Vec::new();
    let argo = note("argocd.argoproj.io/tracking-id").and_then(|it| it.split(':').next().map(str::to_owned));
    found.extend(argo.or_else(|| label("argocd.argoproj.io/instance")).map(|it| format!("Argo CD (application {it})")));
    found.extend(label("kustomize.toolkit.fluxcd.io/name").map(|it| format!("Flux (kustomization {it})")));
    match label("helm.toolkit.fluxcd.io/name") {
        Some(release) => found.push(format!("Flux (Helm release {release})")),
        None => found.extend(note("meta.helm.sh/release-name").map(|it| format!("Helm (release {it})"))),
    }
    found
}

/// What must still be so, and the server sees to.
pub(super) fn held(what: &str, value: &str) -> Precondition {
    Precondition { what: Text::clean(what), value: Text::clean(value), enforcer: Enforcer::Platform }
}

/// What must still be so, and only we look at.
pub(super) fn looked_at(what: &str, value: &str) -> Precondition {
    Precondition { what: Text::clean(what), value: Text::clean(value), enforcer: Enforcer::Console }
}

/// The value of a precondition.
pub(super) fn wanted<'a>(step: &'a Step, what: &str) -> Option<&'a str> {
    step.preconditions.iter().find(|it| *it.what == *what).map(|it| it.value.as_str())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn who_keeps_an_object_is_named() {
        let one = |metadata: Value| owners(&json!({"metadata": metadata}));
        assert_eq!(one(json!({"labels": {"app": "web"}})), Vec::<String>::new());
        let argo = json!({"annotations": {"argocd.argoproj.io/tracking-id": "shop:apps/Deployment:team/web"}});
        assert_eq!(one(argo), ["Argo CD (application shop)"]);
        let flux = json!({"labels": {"helm.toolkit.fluxcd.io/name": "shop"}, "annotations": {"meta.helm.sh/release-name": "shop"}});
        assert_eq!(one(flux), ["Flux (Helm release shop)"]);
        assert_eq!(one(json!({"annotations": {"meta.helm.sh/release-name": "shop"}})), ["Helm (release shop)"]);
        assert_eq!(one(json!({"labels": {"kustomize.toolkit.fluxcd.io/name": "apps"}})), ["Flux (kustomization apps)"]);
    }
}
