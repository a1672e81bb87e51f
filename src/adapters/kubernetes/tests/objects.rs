//! Kinds and their objects, from a server that says exactly what it is told to.

use futures_util::StreamExt as _;

use super::*;
use crate::fleet::Definition;

const KINDS: &str = r#"{"kind":"APIGroupDiscoveryList","items":[{"metadata":{"name":"lab.example"},"versions":[
    {"version":"v1","resources":[{"resource":"widgets","responseKind":{"kind":"Widget"},"scope":"Namespaced",
    "singularResource":"widget","verbs":["get","list","watch"],"shortNames":["wd"]}]}]}]}"#;
const NONE: &str = r#"{"kind":"APIGroupDiscoveryList","items":[]}"#;

fn table(version: u32, columns: &str, rows: &str) -> String {
    format!(
        r#"{{"kind":"Table","metadata":{{"resourceVersion":"{version}"}},"columnDefinitions":{columns},"rows":[{rows}]}}"#
    )
}

fn row(name: &str, size: u32) -> String {
    format!(r#"{{"cells":["{name}",{size}],"object":{{"metadata":{{"name":"{name}","namespace":"team-00"}}}}}}"#)
}

const COLUMNS: &str = r#"[{"name":"Name","type":"string","format":"name"},{"name":"Size","type":"integer"}]"#;

fn id(key: &str) -> ResourceId {
    ResourceId::new("lab".into(), Kind::Definition, key.into())
}

async fn definitions(bench: &Bench) -> Vec<Definition> {
    let mut found = Vec::new();
    let mut watch = bench.adapter.watch(Kind::Definition);
    loop {
        match watch.next().await.expect("it goes on").expect("the server answers") {
            Delta::Seen(_, rows) => found.extend(rows.iter().filter_map(Resource::as_definition).cloned()),
            Delta::Complete(_) => return found,
            Delta::Begin(_) | Delta::Gone(_) | Delta::Used(..) | Delta::Denied(..) => {}
        }
    }
}

#[tokio::test]
async fn objects_are_listed_and_watched_as_rows_once_their_kind_is_known() {
    let bench = bench(|heard| match heard.target.as_str() {
        "/api" => Reply::json(NONE),
        "/apis" => Reply::json(KINDS),
        list if !list.contains("watch=true") => Reply::json(table(7, COLUMNS, &row("a", 1))),
        _ => Reply::open(&[
            &event("ADDED", &table(9, COLUMNS, &row("b", 3))),
            &event("DELETED", &table(10, "null", &row("a", 2))),
            &event("BOOKMARK", &table(12, "null", r#"{"cells":["",null],"object":{"metadata":{}}}"#)),
        ]),
    })
    .await;
    let deltas: Vec<String> = bench.adapter.objects(id("widgets.lab.example")).take(7).map(brief).collect().await;
    assert_eq!(
        deltas,
        [
            "begin objects of lab (widgets.lab.example)",
            "seen a",
            "complete",
            "complete",
            "seen b",
            "gone lab/object/widgets.lab.example/team-00/a",
            "complete",
        ]
    );
    for it in bench.wire.heard() {
        let path = it.target.split('?').next().unwrap_or_default();
        assert!(allowed(&it.method, path), "{} {}", it.method, it.target);
    }
    let asked = bench.wire.asked();
    assert!(asked.iter().any(|it| it.ends_with("/apis/lab.example/v1/widgets?limit=500&includeObject=Metadata")));
    assert!(asked.iter().any(|it| it.contains("resourceVersion=7")), "{asked:?}");
}

#[tokio::test]
async fn a_kind_that_the_server_does_not_have_is_asked_for_anew_and_then_missed() {
    let bench = bench(|_| Reply::json(NONE)).await;
    let said: Vec<String> = bench.adapter.objects(id("gadgets")).map(brief).collect().await;
    assert_eq!(said, ["error NotFound"]);
    assert_eq!(bench.wire.asked().len(), 2);
}

#[tokio::test]
async fn an_old_server_is_asked_group_by_group_and_one_that_is_down_hides_no_other() {
    let bench = bench(|heard| match heard.target.as_str() {
        "/api" => Reply::json(r#"{"kind":"APIVersions","versions":["v1"]}"#),
        "/apis" => Reply::json(
            r#"{"kind":"APIGroupList","groups":[
            {"name":"down","versions":[{"groupVersion":"down/v1"}],"preferredVersion":{"groupVersion":"down/v1"}},
            {"name":"lab.example","versions":[{"groupVersion":"lab.example/v1beta1"},{"groupVersion":"lab.example/v1"}],
             "preferredVersion":{"groupVersion":"lab.example/v1"}}]}"#,
        ),
        "/api/v1" => Reply::json(
            r#"{"kind":"APIResourceList","resources":[
            {"name":"pods","kind":"Pod","namespaced":true,"singularName":"","verbs":["list"],"shortNames":["po"]},
            {"name":"pods/log","kind":"Pod","namespaced":true,"verbs":["get"]}]}"#,
        ),
        "/apis/down/v1" => Reply::whole("503 Service Unavailable", "", "{}"),
        _ => Reply::json(
            r#"{"kind":"APIResourceList","resources":[
            {"name":"widgets","kind":"Widget","namespaced":false,"singularName":"widget","verbs":["list"]}]}"#,
        ),
    })
    .await;
    let said: Vec<String> = definitions(&bench)
        .await
        .iter()
        .map(|it| format!("{} {} {:?} {} {}", it.id.key, it.place(), it.others, it.singular, it.rank))
        .collect();
    assert_eq!(said, ["pods v1 [] pod 0", "widgets.lab.example lab.example/v1 [\"v1beta1\"] widget 1"]);
}
