//! Where the pods of a template may be placed, in the words of the fleet: what the scheduler requires, not what it prefers.

use std::collections::BTreeMap;

use serde::{Deserialize, de::IgnoredAny};

use super::pod::{Str, some};

/// Labels that a node must have.
pub(super) type NodeSelector<'a> = BTreeMap<Str<'a>, Str<'a>>;

/// What draws pods to nodes.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Affinity<'a> {
    #[serde(borrow)]
    node_affinity: Option<NodeAffinity<'a>>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct NodeAffinity<'a> {
    #[serde(borrow)]
    required_during_scheduling_ignored_during_execution: Option<Required<'a>>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Required<'a> {
    #[serde(borrow, default)]
    node_selector_terms: Vec<Term<'a>>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Term<'a> {
    #[serde(borrow)]
    match_expressions: Option<Vec<Expression<'a>>>,
    match_fields: Option<Vec<IgnoredAny>>,
}

#[derive(Debug, Deserialize)]
struct Expression<'a> {
    #[serde(borrow)]
    key: Str<'a>,
    #[serde(borrow)]
    operator: Str<'a>,
    #[serde(borrow)]
    values: Option<Vec<Str<'a>>>,
}

/// A taint that pods bear.
#[derive(Debug, Deserialize)]
pub(super) struct Toleration<'a> {
    #[serde(borrow)]
    key: Option<Str<'a>>,
    #[serde(borrow)]
    operator: Option<Str<'a>>,
    #[serde(borrow)]
    value: Option<Str<'a>>,
    #[serde(borrow)]
    effect: Option<Str<'a>>,
}

/// What labels of nodes must be, as constraints are written. What they cannot say is said so that nobody takes it for
/// understood.
pub(super) fn constraints(selector: Option<&NodeSelector<'_>>, affinity: Option<&Affinity<'_>>) -> Vec<String> {
    let equal = selector.into_iter().flatten();
    let mut found: Vec<String> = equal.map(|(key, value)| format!("node.labels.{}=={}", &**key, &**value)).collect();
    let required = affinity.and_then(|it| it.node_affinity.as_ref());
    let required = required.and_then(|it| it.required_during_scheduling_ignored_during_execution.as_ref());
    match required.map_or(&[][..], |it| &it.node_selector_terms) {
        [] => {}
        [term] => found.extend(term.constraints()),
        several => found.push(format!("one of {} node affinities", several.len())),
    }
    found
}

/// Which taints pods bear, as tolerations are written.
pub(super) fn tolerations(tolerations: &[Toleration<'_>]) -> Vec<String> {
    tolerations.iter().map(Toleration::text).collect()
}

impl Term<'_> {
    fn constraints(&self) -> Vec<String> {
        let fields = self.match_fields.as_ref().is_some_and(|it| !it.is_empty());
        let fields = fields.then(|| "a node affinity by fields".to_owned());
        let said = self.match_expressions.iter().flatten().flat_map(|it| {
            let (key, values) = (&*it.key, it.values.as_deref().unwrap_or_default());
            match (&*it.operator, values) {
                ("In", [value]) => vec![format!("node.labels.{key}=={}", &**value)],
                ("NotIn", values) => values.iter().map(|value| format!("node.labels.{key}!={}", &**value)).collect(),
                (operator, values) => {
                    let values: Vec<&str> = values.iter().map(|it| &**it).collect();
                    vec![format!("{key} {operator} {}", values.join(", ")).trim_end().to_owned()]
                }
            }
        });
        fields.into_iter().chain(said).collect()
    }
}

impl Toleration<'_> {
    fn text(&self) -> String {
        let exists = self.operator.as_deref() == Some("Exists");
        let pair = match (some(self.key.as_ref()), some(self.value.as_ref())) {
            (None, _) => "*".to_owned(),
            (Some(key), _) if exists => format!("{key}=*"),
            (Some(key), None) => key.to_owned(),
            (Some(key), Some(value)) => format!("{key}={value}"),
        };
        match some(self.effect.as_ref()) {
            None => pair,
            Some(effect) => format!("{pair}:{effect}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Spec<'a> {
        #[serde(borrow)]
        node_selector: Option<NodeSelector<'a>>,
        #[serde(borrow)]
        affinity: Option<Affinity<'a>>,
        #[serde(borrow, default)]
        tolerations: Vec<Toleration<'a>>,
    }

    impl Spec<'_> {
        fn constraints(&self) -> Vec<String> {
            constraints(self.node_selector.as_ref(), self.affinity.as_ref())
        }
    }

    #[test]
    fn what_the_scheduler_requires_is_written_in_the_words_of_the_fleet() {
        let spec: Spec = serde_json::from_str(
            r#"{"nodeSelector":{"disk":"ssd"},"affinity":{"nodeAffinity":{"requiredDuringSchedulingIgnoredDuringExecution":
                {"nodeSelectorTerms":[{"matchExpressions":[{"key":"zone","operator":"In","values":["a"]},
                {"key":"old","operator":"NotIn","values":["yes","no"]},{"key":"arch","operator":"In","values":["x","y"]},
                {"key":"gpu","operator":"Exists"}]}]},"preferredDuringSchedulingIgnoredDuringExecution":[{"weight":1}]}},
                "tolerations":[{"key":"gpu","operator":"Exists","effect":"NoSchedule"},{"key":"spot","value":"true"},
                {"operator":"Exists"},{"key":"old","operator":"Equal","effect":"NoExecute","tolerationSeconds":3}]}"#,
        )
        .expect("a spec");
        assert_eq!(
            spec.constraints(),
            [
                "node.labels.disk==ssd",
                "node.labels.zone==a",
                "node.labels.old!=yes",
                "node.labels.old!=no",
                "arch In x, y",
                "gpu Exists",
            ]
        );
        assert_eq!(tolerations(&spec.tolerations), ["gpu=*:NoSchedule", "spot=true", "*", "old:NoExecute"]);
        let terms = r#"{"affinity":{"nodeAffinity":{"requiredDuringSchedulingIgnoredDuringExecution":{"nodeSelectorTerms":[{},{}]}}}}"#;
        let several: Spec = serde_json::from_str(terms).expect("a spec");
        assert_eq!(several.constraints(), ["one of 2 node affinities"]);
    }
}
