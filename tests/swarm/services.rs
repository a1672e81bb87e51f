//! Scaling and rolling back, held against what `docker` says.

use quarterdeck::operation::{Argument, Outcome, Verb};

use crate::bench::{Own, act, lab, open, plan_of};

#[tokio::test]
async fn scaling_goes_up_and_back_down() {
    let Some(lab) = lab() else { return };
    let own = Own::create(&lab, "scaled", &["--replicas", "1"], "1.0");
    let adapter = open(lab.socket("m1"));
    let id = own.row(&adapter).await.id;
    let verdict = act(&adapter, Verb::Scale, &id, Argument::Replicas(3)).await;
    assert_eq!((verdict.outcome, &*verdict.text), (Outcome::Completed, "all 3 tasks run and stayed up"));
    let plan = plan_of(&adapter, Verb::Scale, &id, Argument::Replicas(1)).await.expect("it can go back");
    assert_eq!(plan.undo.map(|undo| undo.argument), Some(Argument::Replicas(3)));
    let verdict = act(&adapter, Verb::Scale, &id, Argument::Replicas(1)).await;
    assert_eq!((verdict.outcome, &*verdict.text), (Outcome::Completed, "its only task runs and stayed up"));
    assert_eq!(own.inspect("{{.Spec.Mode.Replicated.Replicas}}"), "1");
    let again = plan_of(&adapter, Verb::Scale, &id, Argument::Replicas(1)).await.expect_err("it is so already");
    assert!(again.message.contains("wants 1 tasks already"), "{again}");
}

#[tokio::test]
async fn a_rollback_leads_one_level_back_and_then_forward() {
    let Some(lab) = lab() else { return };
    let own = Own::create(
        &lab,
        "returned",
        &["--replicas", "2", "--update-monitor", "1s", "--rollback-monitor", "1s"],
        "1.0",
    );
    let adapter = open(lab.socket("m1"));
    let id = own.row(&adapter).await.id;
    let none =
        plan_of(&adapter, Verb::Rollback, &id, Argument::None).await.expect_err("there is nothing to go back to");
    assert!(none.message.contains("never updated"), "{none}");
    lab.docker(&["service", "update", "--quiet", "--image", "10.77.0.1:5000/lab/app:2.0", &own.name]);
    let image = || own.inspect("{{.Spec.TaskTemplate.ContainerSpec.Image}}");
    assert!(image().contains("app:2.0"));
    let verdict = act(&adapter, Verb::Rollback, &id, Argument::None).await;
    assert_eq!(verdict.outcome, Outcome::Completed, "{verdict:?}");
    assert!(image().contains("app:1.0"), "{}", image());
    let verdict = act(&adapter, Verb::Rollback, &id, Argument::None).await;
    assert_eq!(verdict.outcome, Outcome::Completed, "{verdict:?}");
    assert!(image().contains("app:2.0"), "{}", image());
}
