//! The kinds that a platform has by itself, and the objects of one of them.

use super::{newsroom, sizes::at_every_size, snapshot};
use crate::{
    app::{Msg, sample::Sample},
    fleet::{
        Cell, Delta, Health, Kind, Resource, Scope,
        sample::{CONNECTION, NOW, definition, object},
    },
};

fn kinds() -> Sample {
    let mut all = newsroom();
    let mut widgets = definition("widgets", "lab.example");
    widgets.others = vec!["v1beta1".into()];
    let mut namespaces = definition("namespaces", "");
    namespaces.namespaced = false;
    all.extend([widgets, definition("ingresses", "networking.k8s.io"), namespaces].map(Resource::from));
    Sample::with(all)
}

fn widgets() -> Sample {
    let mut sample = kinds();
    sample.press(":").write("widgets").press("enter");
    let widget = |(name, ready): (&str, &str)| {
        let cells = [("Size", "3"), ("Ready", ready), ("Owner", "team-00"), ("Age", "")];
        let mut it = object("widgets.lab.example", name, &cells);
        let columns = std::sync::Arc::make_mut(&mut it.columns);
        columns.all[2].wide = true;
        it.cells[3] = Cell::When(crate::fleet::sample::minutes_ago(70));
        it.health = if ready == "True" { Health::Healthy } else { Health::Degraded };
        Resource::from(it)
    };
    let scope = Scope { connection: CONNECTION.into(), kind: Kind::Object, part: "widgets.lab.example".into() };
    let rows = [("front", "True"), ("store-of-everything", "False"), ("back", "True")].map(widget).to_vec();
    let deltas = vec![Delta::Begin(scope.clone()), Delta::Seen(scope.clone(), rows), Delta::Complete(scope)];
    sample.tell(Msg::Deltas(deltas, NOW)).later(1_000);
    sample
}

#[test]
fn every_kind_the_platform_has() {
    let mut sample = kinds();
    sample.press("0");
    snapshot("kinds_of_a_platform", &mut sample);
}

#[test]
fn objects_stand_in_the_columns_of_their_platform() {
    snapshot("objects_with_one_unwell", &mut widgets());
}

#[test]
fn objects_are_drawn_at_every_size() {
    at_every_size(&mut widgets());
}
