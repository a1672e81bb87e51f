//! Warns where a promotion passes over environments on the promotion path.

use super::{Finding, Weight, names};
use crate::{
    fleet::EnvironmentId,
    operation::{evidence::Evidence, intent::Argument, plan::Plan},
};

pub(super) fn judge(evidence: &Evidence, plan: &Plan) -> Option<Finding> {
    let Argument::Image { from, .. } = &plan.argument else { return None };
    let to = plan.environment.as_ref()?;
    let place =
        |wanted: &EnvironmentId| evidence.environments.0.iter().position(|environment| environment.id == *wanted);
    let between = evidence.environments.0.get(place(from)? + 1..place(to)?)?;
    let skipped = names(between.iter().map(|environment| &*environment.id.0));
    (!between.is_empty()).then(|| Finding {
        guard: "skipped stage".into(),
        weight: Weight::Warn,
        text: format!("this goes from {from} to {to} without {skipped}").into(),
        hint: Some("promote it one stage after the other, so that it is proven in each".into()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        fleet::{Environment, Environments, Image},
        operation::{Verb, guard::sample::plan_for_nodes},
    };

    fn found(from: &str, to: &str) -> Option<String> {
        let path = ["dev", "qa", "staging", "prod"].map(|id| Environment { id: id.into(), protected: false });
        let evidence = Evidence { environments: Environments(path.to_vec()), ..Evidence::default() };
        let mut plan = plan_for_nodes(Verb::Promote, &["web"]);
        plan.argument = Argument::Image { image: Image::parse("app:1"), from: from.into() };
        plan.environment = Some(to.into());
        judge(&evidence, &plan).map(|finding| finding.text.to_string())
    }

    #[test]
    fn a_promotion_that_leaves_stages_out_names_them() {
        assert_eq!(found("dev", "prod").as_deref(), Some("this goes from dev to prod without qa and staging"));
        assert_eq!(found("staging", "prod"), None);
        assert_eq!(found("prod", "dev"), None, "backwards nothing is skipped");
        assert_eq!(found("dev", "elsewhere"), None, "what is not on the path is behind nothing");
    }
}
