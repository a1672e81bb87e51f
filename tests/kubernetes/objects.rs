//! Objects of any kind, held against what `kubectl get` shows of them.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
    process::Command,
    sync::OnceLock,
    time::{Duration, Instant},
};

use futures_util::StreamExt as _;
use quarterdeck::{
    adapters::kubernetes::Kubernetes,
    error::ErrorKind,
    fleet::{Context, Definition, Delta, Field, Kind, Resource, ResourceId, Store, Timestamp, field::Room},
    platform::Adapter as _,
};

use crate::bench::{kubectl, lab, listed, open};

/// Made once, for all tests of this process.
static MADE: OnceLock<()> = OnceLock::new();

/// An adapter on a control plane that has kinds of its own.
fn opened() -> Option<Kubernetes> {
    let kubeconfig = lab()?;
    MADE.get_or_init(|| {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/lab/kubernetes/kinds.sh");
        assert!(Command::new(script).status().expect("bash runs").success());
    });
    Some(open(kubeconfig, "lab", &[]))
}

async fn definition(adapter: &Kubernetes, word: &str) -> Definition {
    let mut store = Store::default();
    let rows = listed(adapter, Kind::Definition).await.expect("discovery is for everybody");
    let scope = quarterdeck::fleet::Scope::whole("lab".into(), Kind::Definition);
    store.apply(Delta::Seen(scope, rows), Timestamp(0), &mut |_| {});
    store.definition(&adapter.profile().connection, word).expect(word).clone()
}

/// Everything of a kind, as a store keeps it.
async fn objects(adapter: &Kubernetes, word: &str) -> Store {
    let mut store = Store::default();
    let mut watch = adapter.objects(definition(adapter, word).await.id);
    loop {
        let delta = watch.next().await.expect("a watch ends only with an error").expect(word);
        let complete = matches!(delta, Delta::Complete(_));
        store.apply(delta, Timestamp(0), &mut |_| {});
        if complete {
            return store;
        }
    }
}

/// Cells by heading, without those that change with time alone.
type Cells = BTreeMap<String, String>;

fn timed(heading: &str) -> bool {
    ["AGE", "RENEWED", "CREATED AT", "LAST SEEN", "FIRST SEEN", "LAST SCHEDULE", "DURATION"].contains(&heading)
}

fn ours(store: &Store) -> BTreeSet<Cells> {
    let context = Context { store, now: Timestamp(0) };
    let fields = context.columns(Kind::Object, Room::Wide);
    let heading = |field: Field| {
        if field == Field::Group { "NAMESPACE".to_owned() } else { context.title(field).to_uppercase() }
    };
    let row = |row: &Resource| {
        let own = fields.iter().filter(|field| !matches!(field, Field::Environment | Field::Connection));
        let cells = own.map(|field| (heading(*field), field.of(row, context).display(context.now).into_owned()));
        cells.filter(|(heading, cell)| !timed(heading) && !cell.is_empty()).collect()
    };
    store.all(Kind::Object).map(row).collect()
}

/// What kubectl prints, cut where its headings begin.
fn theirs(word: &str) -> BTreeSet<Cells> {
    let printed = kubectl(&["get", word, "-A", "-o", "wide"]);
    let mut lines = printed.lines();
    let header = lines.next().unwrap_or_default();
    // Between two columns stand three spaces at least, within a heading one.
    let signs: Vec<char> = header.chars().collect();
    let begins = |at: &usize| {
        let before = at.checked_sub(3).and_then(|from| signs.get(from..*at));
        signs.get(*at) != Some(&' ') && before.is_none_or(|it| it.iter().all(|sign| *sign == ' '))
    };
    let starts: Vec<usize> = (0..signs.len()).filter(|at| *at == 0 || *at > 2).filter(begins).collect();
    let cut = |line: &str| -> Vec<String> {
        let letters: Vec<char> = line.chars().collect();
        let ends = starts.iter().skip(1).copied().chain([usize::MAX]);
        let piece = |(start, end): (&usize, usize)| letters.iter().take(end).skip(*start).collect::<String>();
        starts.iter().zip(ends).map(|it| piece(it).trim().to_owned()).collect()
    };
    let headings = cut(header);
    let row = |line: &str| {
        headings.iter().cloned().zip(cut(line)).filter(|(h, cell)| !timed(h) && !cell.is_empty()).collect()
    };
    lines.map(row).collect()
}

#[tokio::test]
async fn every_kind_has_the_columns_and_cells_that_kubectl_shows() {
    let Some(adapter) = opened() else { return };
    for word in ["widgets", "wd", "racks", "ingress", "crd", "ns", "sc", "clusterroles", "pdb", "cm", "secrets", "svc"]
    {
        // The cluster lives: something may change between the two looks, but not every time.
        for attempt in 1..=5 {
            let (ours, theirs) = (ours(&objects(&adapter, word).await), theirs(word));
            if ours == theirs {
                println!("{word}: {} rows equal", ours.len());
                break;
            }
            assert!(
                attempt < 5,
                "{word}: {:#?} is not {:#?}",
                ours.difference(&theirs).next(),
                theirs.difference(&ours).next()
            );
        }
    }
}

#[tokio::test]
async fn the_kinds_are_those_that_kubectl_lists() {
    let Some(adapter) = opened() else { return };
    let rows = listed(&adapter, Kind::Definition).await.expect("discovery is for everybody");
    let ours: BTreeSet<String> = rows.iter().map(|it| it.id().key.to_string()).collect();
    let theirs: BTreeSet<String> =
        kubectl(&["api-resources", "--verbs=list", "-o", "name"]).lines().map(str::to_owned).collect();
    assert_eq!(ours, theirs);
    let widgets = definition(&adapter, "wd").await;
    assert_eq!((&*widgets.version, widgets.others.len(), widgets.namespaced), ("v1", 1, true));
    assert!(!definition(&adapter, "rack").await.namespaced);
}

#[tokio::test]
async fn a_watch_tells_what_comes_changes_and_goes() {
    let Some(adapter) = opened() else { return };
    let name = format!("passing-{}", std::process::id());
    let mut watch = adapter.objects(definition(&adapter, "widgets").await.id);
    let mut store = Store::default();
    let id = ResourceId::new("lab".into(), Kind::Object, format!("widgets.lab.example/kinds/{name}").into());
    let apply = |yaml: &str| crate::bench::apply(yaml, &["-n", "kinds"]);
    let patch = |size: u32| {
        let spec = format!("{{\"spec\":{{\"size\":{size}}}}}");
        kubectl(&["-n", "kinds", "patch", "widget", &name, "--type=merge", "-p", &spec]);
    };
    let mut step = 0;
    let begun = Instant::now();
    while begun.elapsed() < Duration::from_mins(1) {
        let next = tokio::time::timeout(Duration::from_secs(20), watch.next()).await;
        let delta = next.expect("a sign of life").expect("a watch ends only with an error").expect("it goes on");
        store.apply(delta, Timestamp(0), &mut |_| {});
        let size = store.get(&id).and_then(Resource::as_object).map(|it| it.cell(1, store.columns()).clone());
        let listed = store.scopes().any(|(_, state)| state.listing == quarterdeck::fleet::store::Listing::Complete);
        match (step, size) {
            (0, None) if listed => {
                apply(&format!(
                    "{{apiVersion: lab.example/v1, kind: Widget, metadata: {{name: {name}}}, spec: {{size: 1}}}}"
                ));
                step = 1;
            }
            (1, Some(quarterdeck::fleet::Cell::Number(1))) => {
                patch(2);
                step = 2;
            }
            (2, Some(quarterdeck::fleet::Cell::Number(2))) => {
                kubectl(&["-n", "kinds", "delete", "widget", &name]);
                step = 3;
            }
            (3, None) => return,
            _ => {}
        }
    }
    panic!("it went as far as step {step}");
}

#[tokio::test]
async fn a_custom_resource_is_described_with_its_events_and_without_its_secrets() {
    let Some(adapter) = opened() else { return };
    let id = |key: &str| ResourceId::new("lab".into(), Kind::Object, key.into());
    let document = adapter.describe(id("widgets.lab.example/kinds/second")).await.expect("it exists");
    let text = format!("{:?} {:?}", document.sections, document.raw);
    for wanted in ["TooSmall", "it does not fit", "as the lab says", "lab.example/v1", "•"] {
        assert!(text.contains(wanted), "{wanted}: {text}");
    }
    assert!(!text.contains("hunter2"), "{text}");
    assert!(adapter.describe(id("racks.lab.example/a1")).await.is_ok());
    let missing = adapter.describe(id("widgets.lab.example/kinds/nobody")).await;
    assert_eq!(missing.map(|_| ()).map_err(|error| error.kind), Err(ErrorKind::NotFound));
}

#[tokio::test]
async fn what_is_in_secrets_and_config_maps_never_comes() {
    let Some(adapter) = opened() else { return };
    for (word, key) in [("secrets", "secrets/kinds/canary"), ("configmaps", "configmaps/kinds/canary")] {
        let store = objects(&adapter, word).await;
        let id = ResourceId::new("lab".into(), Kind::Object, key.into());
        let row = store.get(&id).expect("the lab made it");
        let document = adapter.describe(id).await.expect("it exists");
        let text = format!("{row:?} {} {:?}", serde_json::to_string(row).expect("it is data"), document);
        // As it is, and as base64.
        for canary in ["hunter2-canary", "aHVudGVyMi1jYW5hcnk"] {
            assert!(!text.contains(canary), "{text}");
        }
    }
}
