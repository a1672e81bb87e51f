//! The adapter against a server that says exactly what it is told to.

mod changing;
mod losing;
mod measuring;
mod objects;
mod reaching;

use std::{io::Write as _, time::Duration};

use futures_util::StreamExt as _;

use kube::config::Kubeconfig;

use super::*;
use crate::{
    adapters::http::wire::{Heard, Reply, Wire, serve},
    fleet::{Amount, Resource, TaskState, Timestamp},
    operation::Verb,
};

/// No timing is tested with it: nothing that is waited for ever comes.
const AT_ONCE: Pace = Pace {
    watch_seconds: 0,
    jitter_seconds: 0,
    slack: Duration::from_millis(1),
    pause: Duration::ZERO,
    longest: Duration::ZERO,
    page: Duration::from_secs(10),
    refused: Duration::ZERO,
    elsewhere: Duration::MAX,
    usage: None,
};

struct Bench {
    wire: Wire,
    adapter: Kubernetes,
    _folder: tempfile::TempDir,
}

async fn bench(answer: impl Fn(&Heard) -> Reply + Send + Sync + 'static) -> Bench {
    let wire = serve(answer).await;
    let (folder, file) = kubeconfig(&format!("http://{}", wire.address), "token: sesame");
    let mut adapter = Kubernetes::open(settings(file));
    // Answers are told apart by their number: what is measured would come in between.
    adapter.pace.usage = None;
    Bench { wire, adapter, _folder: folder }
}

fn kubeconfig(server: &str, user: &str) -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("config");
    let mut file = std::fs::File::create(&path).expect("a file in it");
    let text = format!(
        "apiVersion: v1\nkind: Config\ncurrent-context: lab\nclusters: [{{name: lab, cluster: {{server: '{server}'}}}}]\n\
         contexts: [{{name: lab, context: {{cluster: lab, user: ann, namespace: team-00}}}}]\n\
         users: [{{name: ann, user: {{{user}}}}}]\n"
    );
    file.write_all(text.as_bytes()).expect("a line in it");
    (folder, path)
}

fn settings(kubeconfig: PathBuf) -> KubernetesSettings {
    KubernetesSettings {
        connection: "lab".into(),
        kubeconfig: Some(kubeconfig),
        context: None,
        environments: EnvironmentRules { rules: vec![("team-*".into(), "staging".into())], otherwise: None },
        namespaces: Vec::new(),
        focus: None,
        read_only: false,
    }
}

fn pod(name: &str, version: u32) -> String {
    format!(
        r#"{{"metadata":{{"name":"{name}","namespace":"team-00","uid":"u-{name}","resourceVersion":"{version}",
        "creationTimestamp":"2026-11-21T10:00:00Z","managedFields":[{{"manager":"x","fieldsV1":{{"f:a":{{}}}}}}],
        "labels":{{"app":"web","pod-template-hash":"7d4b"}},
        "ownerReferences":[{{"apiVersion":"apps/v1","kind":"ReplicaSet","name":"web-7d4b","uid":"r","controller":true}}]}},
        "spec":{{"nodeName":"n1","containers":[{{"name":"main","image":"registry.example/web:1"}}]}},
        "status":{{"phase":"Running","startTime":"2026-11-21T10:00:01Z",
        "conditions":[{{"type":"Ready","status":"True","lastTransitionTime":"2026-11-21T10:00:03Z"}}],
        "containerStatuses":[{{"name":"main","ready":true,"restartCount":2,
        "imageID":"registry.example/web@sha256:0123456789abcdef","state":{{"running":{{"startedAt":"2026-11-21T10:00:02Z"}}}},
        "lastState":{{}}}}]}}}}"#
    )
    .replace('\n', "")
}

fn list(version: u32, next: &str, pods: &[String]) -> String {
    let pods = pods.join(",");
    format!(r#"{{"kind":"PodList","metadata":{{"resourceVersion":"{version}","continue":"{next}"}},"items":[{pods}]}}"#)
}

fn event(kind: &str, object: &str) -> String {
    format!(r#"{{"type":"{kind}","object":{object}}}"#)
}

/// A delta in a few words, so that whole streams can be compared.
fn brief(delta: Result<Delta>) -> String {
    match delta {
        Ok(Delta::Begin(scope)) => format!("begin {scope}"),
        Ok(Delta::Seen(_, resources)) => {
            format!("seen {}", resources.iter().map(|it| it.name().to_string()).collect::<Vec<_>>().join(" "))
        }
        Ok(Delta::Used(_, samples)) => {
            let one = |(key, used): (Text, Option<Amount>)| match used {
                Some(used) => format!(" {key} {}m {}", used.cpu_millis, used.memory_bytes),
                None => format!(" {key} nothing"),
            };
            format!("used{}", samples.into_iter().map(one).collect::<String>())
        }
        Ok(Delta::Complete(_)) => "complete".to_owned(),
        Ok(Delta::Gone(ids)) => format!("gone {}", ids.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ")),
        Ok(Delta::Denied(_, error)) => format!("denied {:?}", error.kind),
        Err(error) => format!("error {:?}", error.kind),
    }
}

async fn first(bench: &Bench, count: usize) -> Vec<String> {
    bench.adapter.watch(Kind::Task).take(count).map(brief).collect().await
}

#[tokio::test]
async fn pages_are_listed_and_then_watched_from_their_version() {
    let bench = bench(|heard| match heard.number {
        0 => Reply::json(list(7, "a/b", &[pod("web-1", 3)])),
        1 => Reply::json(list(7, "", &[pod("web-2", 4)])),
        _ => Reply::open(&[
            &event("MODIFIED", &pod("web-2", 8)),
            &event("DELETED", &pod("web-1", 9)),
            &event("BOOKMARK", r#"{"kind":"Pod","metadata":{"resourceVersion":"12"}}"#),
        ]),
    })
    .await;
    let deltas = first(&bench, 7).await;
    assert_eq!(
        deltas,
        [
            "begin tasks of lab",
            "seen web-1 web-2",
            "complete",
            "complete",
            "seen web-2",
            "gone lab/task/team-00/web-1/u-web-1",
            "complete"
        ]
    );
    let asked = bench.wire.asked();
    assert_eq!(asked.first().map(String::as_str), Some("GET /api/v1/pods?limit=500"));
    assert_eq!(asked.get(1).map(String::as_str), Some("GET /api/v1/pods?limit=500&continue=a%2Fb"));
    assert!(
        asked.get(2).is_some_and(|it| it.ends_with("&resourceVersion=7") && it.contains("allowWatchBookmarks=true"))
    );
    assert!(bench.wire.heard().iter().all(|it| it.head.contains("authorization: Bearer sesame")), "{asked:?}");
}

#[tokio::test]
async fn a_refused_list_is_denied_and_asked_for_again() {
    let mut bench = bench(|heard| match heard.number {
        0 => Reply::whole(
            "403 Forbidden",
            "",
            r#"{"kind":"Status","code":403,"reason":"Forbidden","message":"pods is forbidden"}"#,
        ),
        // The namespace of the context is no better.
        1 => Reply::whole("403 Forbidden", "", "{}"),
        2 => Reply::json(list(7, "", &[])),
        _ => Reply::silence(),
    })
    .await;
    bench.adapter.pace = AT_ONCE;
    assert_eq!(first(&bench, 3).await, ["denied Denied", "begin tasks of lab", "complete"]);
}

#[tokio::test]
async fn namespaces_of_the_configuration_are_lists_of_their_own() {
    let wire = serve(|heard| match heard.target.as_str() {
        "/api/v1/namespaces/team-00/pods?limit=500" => Reply::json(list(7, "", &[pod("web-1", 3)])),
        "/api/v1/namespaces/secret/pods?limit=500" => Reply::whole("403 Forbidden", "", "{}"),
        _ => Reply::silence(),
    })
    .await;
    let (_folder, file) = kubeconfig(&format!("http://{}", wire.address), "token: sesame");
    let adapter =
        Kubernetes::open(KubernetesSettings { namespaces: vec!["team-00".into(), "secret".into()], ..settings(file) });
    let adapter = Kubernetes { pace: Pace { usage: None, ..adapter.pace }, ..adapter };
    let mut deltas: Vec<String> = adapter.watch(Kind::Task).take(4).map(brief).collect().await;
    deltas.sort();
    assert_eq!(deltas, ["begin tasks of lab (team-00)", "complete", "denied Denied", "seen web-1"]);
}

#[tokio::test]
async fn refusals_and_failures_are_errors_of_their_kind() {
    let cases = [
        (Reply::whole("401 Unauthorized", "", "{}"), ErrorKind::Auth),
        (
            Reply::whole("429 Too Many Requests", "retry-after: 3\r\n", "{}"),
            ErrorKind::Throttled(Some(Duration::from_secs(3))),
        ),
        (Reply::whole("500 Internal Server Error", "", r#"{"message":"etcd is gone"}"#), ErrorKind::Platform),
        (Reply::whole("503 Service Unavailable", "", ""), ErrorKind::Platform),
        (Reply::json("<html>Please log in</html>"), ErrorKind::Malformed),
        (Reply::json(r#"{"items":[{"metadata":{"name":7}}]}"#), ErrorKind::Malformed),
        (Reply::raw("HTTP/1.1 200 OK\r\ncontent-length: 50\r\n\r\n{\"items\":["), ErrorKind::Unreachable),
        (Reply::raw("what?"), ErrorKind::Unreachable),
    ];
    for (reply, kind) in cases {
        let said = format!("{reply:?}");
        let bench = bench(move |_| reply.clone()).await;
        let last = bench.adapter.watch(Kind::Task).collect::<Vec<_>>().await.pop();
        let error = last.expect("a stream ends with an error").expect_err(&said);
        assert_eq!(error.kind, kind, "{said}: {error}");
        // Nothing is sent twice: the supervisor decides about that.
        assert_eq!(bench.wire.asked().len(), 1, "{said}");
    }
}

#[tokio::test]
async fn nobody_listening_is_unreachable_and_names_the_address() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    let server = format!("http://{}", listener.local_addr().expect("its address"));
    drop(listener);
    let (_folder, file) = kubeconfig(&server, "token: sesame");
    let error = Kubernetes::open(settings(file)).check().await.expect_err("nobody listens");
    assert_eq!(error.kind, ErrorKind::Unreachable);
    assert_eq!(error.message, format!("{server} cannot be reached"));
    assert!(error.hint.as_deref().is_some_and(|hint| hint.starts_with("nothing listens there")), "{error:?}");
}

#[tokio::test]
async fn a_kubeconfig_that_cannot_be_used_is_a_configuration_error() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let error = Kubernetes::open(settings(folder.path().join("none"))).check().await.expect_err("there is no file");
    assert_eq!(error.kind, ErrorKind::Config);
    let (_folder, file) = kubeconfig("http://127.0.0.1:1", "token: sesame");
    let other = KubernetesSettings { context: Some("prod".into()), ..settings(file) };
    let error = Kubernetes::open(other).check().await.expect_err("there is no such context");
    assert!(error.kind == ErrorKind::Config && error.to_string().contains("prod"), "{error}");
}

#[tokio::test]
async fn a_credential_plugin_gets_no_terminal_and_its_failure_names_the_login() {
    let (folder, file) = kubeconfig(
        "http://127.0.0.1:1",
        "exec: {apiVersion: client.authentication.k8s.io/v1, command: ./plugin, args: [get-token], interactiveMode: IfAvailable}",
    );
    let plugin = folder.path().join("plugin");
    // Standard input is at its end, there is no terminal, and what it prints on standard output stays secret.
    let script = "#!/bin/sh\nif read -r line; then echo \"read $line\" >&2; exit 3; fi\n\
        if (: </dev/tty) 2>/dev/null; then echo 'has a terminal' >&2; exit 4; fi\n\
        echo 'canary-token'; echo 'token has expired' >&2; exit 1\n";
    std::fs::write(&plugin, script).expect("a script");
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    std::fs::set_permissions(&plugin, mode).expect("a script that can be run");
    let error = Kubernetes::open(settings(file)).check().await.expect_err("the plugin fails");
    assert_eq!(error.kind, ErrorKind::Auth);
    assert!(error.message.ends_with("token has expired"), "{error}");
    assert!(!format!("{error:?}").contains("canary"), "{error:?}");
    assert!(error.hint.as_deref().is_some_and(|hint| hint.contains("plugin get-token`")), "{error:?}");
}

#[tokio::test]
async fn an_expired_login_to_aws_names_the_command_and_profile() {
    let user = "exec: {apiVersion: client.authentication.k8s.io/v1, command: sh, args: [-c, 'exit 1', --profile, ops], interactiveMode: Never}";
    let (_folder, file) = kubeconfig("http://127.0.0.1:1", user);
    let text = std::fs::read_to_string(&file).expect("the kubeconfig").replace("command: sh", "command: aws");
    let kubeconfig = Kubeconfig::from_yaml(&text).expect("a kubeconfig");
    let info = kubeconfig.auth_infos.first().and_then(|it| it.auth_info.as_ref()).expect("a user");
    let hint = login::login_hint(info, "ann");
    assert_eq!(hint, "renew the credentials with `aws sso login --profile ops` in another terminal, then try again");
}

#[tokio::test]
async fn dropping_a_watch_ends_its_connection() {
    let mut bench =
        bench(|heard| if heard.number == 0 { Reply::json(list(7, "", &[])) } else { Reply::open(&[]) }).await;
    let mut stream = bench.adapter.watch(Kind::Task);
    for _ in 0..3 {
        assert!(stream.next().await.is_some());
    }
    drop(stream);
    drop(bench.adapter);
    bench.wire.deserted().await;
}

#[tokio::test]
async fn a_check_says_who_we_are() {
    let bench = bench(|heard| match heard.target.as_str() {
        "/version" => Reply::json(r#"{"major":"1","minor":"36","gitVersion":"v1.36.0"}"#),
        _ => Reply::whole(
            "201 Created",
            "",
            r#"{"status":{"userInfo":{"username":"ann","groups":["viewers","system:authenticated"]}}}"#,
        ),
    })
    .await;
    let checkup = bench.adapter.check().await.expect("the server answers");
    assert_eq!((&*checkup.identity, &*checkup.version), ("ann", "v1.36.0"));
    assert_eq!(checkup.notes.get(1).map(|it| &**it), Some("groups viewers, system:authenticated"));
}

#[tokio::test]
async fn a_control_plane_that_is_not_ready_is_a_fault() {
    let bench = bench(|heard| match heard.target.as_str() {
        "/version" => Reply::json(r#"{"gitVersion":"v1.36.0"}"#),
        _ => Reply::whole(
            "500 Internal Server Error",
            "",
            "[+]ping ok\n[-]etcd failed: reason withheld\nreadyz check failed",
        ),
    })
    .await;
    let deltas: Vec<Delta> =
        bench.adapter.watch(Kind::Cluster).take(3).filter_map(|it| async { it.ok() }).collect().await;
    let Some(Delta::Seen(_, seen)) = deltas.get(1) else { panic!("{deltas:?}") };
    let cluster = seen.first().and_then(Resource::as_cluster).expect("a cluster");
    assert_eq!((cluster.health, &*cluster.version), (Health::Failing, "v1.36.0"));
    assert!(cluster.fault.as_deref().is_some_and(|it| it.contains("etcd")), "{cluster:?}");
}

#[tokio::test]
async fn a_pod_becomes_a_task_with_all_a_row_needs() {
    let bench = bench(|_| Reply::json(list(7, "", &[pod("web-7d4b-1", 3)]))).await;
    let deltas: Vec<Delta> = bench.adapter.watch(Kind::Task).take(2).filter_map(|it| async { it.ok() }).collect().await;
    let Some(Delta::Seen(_, seen)) = deltas.get(1) else { panic!("{deltas:?}") };
    let task = seen.first().and_then(Resource::as_task).expect("a task").clone();
    let at = |second: i64| Some(Timestamp(1_795_255_200_000 + second * 1_000));
    let wanted = crate::fleet::Task {
        id: ResourceId::new("lab".into(), Kind::Task, "team-00/web-7d4b-1/u-web-7d4b-1".into()),
        name: "web-7d4b-1".into(),
        group: "team-00".into(),
        environment: Some("staging".into()),
        service: Some("team-00/Deployment/web".into()),
        node: Some("n1".into()),
        node_name: Some("n1".into()),
        state: TaskState::Running,
        native_state: "Running".into(),
        wanted: true,
        health: Health::Healthy,
        restarts: 2,
        requested: Amount::default(),
        limit: Amount::default(),
        used: None,
        image: Some(Arc::new(crate::fleet::Image {
            reference: "registry.example/web:1".into(),
            digest: Some("sha256:0123456789abcdef".into()),
        })),
        message: None,
        exit_code: None,
        created_at: at(0),
        started_at: at(1),
        changed_at: at(3),
    };
    assert_eq!(task, wanted);
}

fn task_id(key: &str) -> ResourceId {
    ResourceId::new("lab".into(), Kind::Task, key.into())
}

fn evicting(key: &str) -> Intent {
    Intent::new(Verb::Evict, vec![task_id(key)], crate::operation::Argument::None)
}

/// A server with one pod and these budgets.
async fn with_pod(pod: &'static str, budgets: &'static str) -> Bench {
    bench(move |heard| match heard.target.as_str() {
        "/api/v1/namespaces/team-00/pods/web-1" => Reply::json(pod),
        "/apis/policy/v1/namespaces/team-00/poddisruptionbudgets" => Reply::json(budgets),
        _ => Reply::whole("404 Not Found", "", "{}"),
    })
    .await
}

async fn planned(bench: &Bench, key: &str) -> Result<Plan> {
    bench.adapter.plan(OperationId("t-1".into()), evicting(key), Evidence::default()).await
}

const POD: &str = r#"{"metadata":{"name":"web-1","namespace":"team-00","uid":"u-1","labels":{"app":"web"},
    "ownerReferences":[{"kind":"ReplicaSet","name":"web-7d4b","controller":true}]},
    "spec":{"nodeName":"n1","terminationGracePeriodSeconds":45,"volumes":[{"name":"cache","emptyDir":{}},{"name":"c","configMap":{"name":"x"}}]},
    "status":{"phase":"Running","conditions":[{"type":"Ready","status":"True"}]}}"#;

const BLOCKING: &str = r#"{"items":[
    {"metadata":{"name":"web"},"spec":{"selector":{"matchLabels":{"app":"web"}}},
     "status":{"disruptionsAllowed":0,"currentHealthy":6,"desiredHealthy":6,"expectedPods":6}},
    {"metadata":{"name":"other"},"spec":{"selector":{"matchLabels":{"app":"other"}}},"status":{}}]}"#;

#[tokio::test]
async fn an_eviction_is_planned_with_its_uid_its_budget_and_what_is_lost() {
    let bench = with_pod(POD, BLOCKING).await;
    let plan = planned(&bench, "team-00/web-1/u-1").await.expect("a plan");
    let step = plan.steps.first().expect("one step");
    assert_eq!(step.request.path, "/api/v1/namespaces/team-00/pods/web-1/eviction");
    assert_eq!(step.request.change.pointer("/deleteOptions/preconditions/uid"), Some(&"u-1".into()));
    let wanted = [("uid", "u-1"), ("node", "n1")].map(|(what, value)| crate::operation::Precondition {
        what: what.into(),
        value: value.into(),
        enforcer: crate::operation::Enforcer::Platform,
    });
    assert_eq!(step.preconditions, wanted);
    let findings: Vec<String> = plan.guards.iter().map(|it| format!("{}: {}", it.guard, it.text)).collect();
    assert_eq!(
        findings,
        [
            "disruption budget: budget web will block (0 of 0 allowed): the server answers 429 until it allows a disruption, \
             and the eviction is tried again until then",
            "local data: what is in its emptyDir volumes is lost: cache",
        ]
    );
    let said: Vec<&str> = plan.consequences.iter().map(|it| &**it).collect();
    assert_eq!(
        said,
        [
            "its containers get SIGTERM, and SIGKILL after 45s",
            "budget web: 6 of 6 pods healthy, 6 wanted, 0 may be missing now",
            "ReplicaSet web-7d4b makes another one",
        ]
    );
    // Planning only reads.
    assert!(bench.wire.heard().iter().all(|it| allowed(&it.method, it.target.split('?').next().unwrap_or_default())));
}

#[tokio::test]
async fn a_deletion_is_rehearsed_and_says_what_it_passes_over() {
    let bench = bench(|heard| match heard.target.as_str() {
        "/apis/policy/v1/namespaces/team-00/poddisruptionbudgets" => Reply::json(BLOCKING),
        it if it.starts_with("/api/v1/namespaces/team-00/pods?") => Reply::json(format!(r#"{{"items":[{POD}]}}"#)),
        it if it.starts_with("/api/v1/namespaces/team-00/pods/web-1") => Reply::json(POD),
        "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews" => {
            Reply::json(r#"{"status":{"allowed":false,"reason":"no rule"}}"#)
        }
        _ => Reply::whole("404 Not Found", "", "{}"),
    })
    .await;
    let plan = async |argument| {
        let intent = Intent { verb: Verb::Delete, argument, ..evicting("team-00/web-1/u-1") };
        bench.adapter.plan(OperationId("t-1".into()), intent, Evidence::default()).await.expect("a plan")
    };
    let own = plan(crate::operation::Argument::None).await;
    let findings: Vec<String> =
        own.guards.iter().map(|it| format!("{:?} {}: {}", it.weight, it.guard, it.text)).collect();
    assert_eq!(
        findings,
        [
            "Forbid rights: the server does not let us delete pods of team-00: no rule",
            "Warn disruption budget: team-00/web-1: a deletion does not ask budget web, which lets nothing go now (0 of 0 allowed)",
            "Warn local data: what is in its emptyDir volumes is lost: cache",
        ]
    );
    let said: Vec<&str> = own.consequences.iter().map(|it| &**it).collect();
    let sentences =
        ["team-00/web-1: its containers get SIGTERM, and SIGKILL after 45s", "ReplicaSet web-7d4b makes another one"];
    assert_eq!(said, sentences);
    let hurried = plan(crate::operation::Argument::Grace(0)).await;
    assert!(hurried.guards.iter().any(|it| *it.guard == *"no grace"), "{:?}", hurried.guards);
    let heard = bench.wire.heard();
    let deletions: Vec<_> = heard.iter().filter(|it| it.method == "DELETE").collect();
    assert_eq!(deletions.len(), 2, "each plan asks once");
    for it in deletions {
        assert!(rehearsed("DELETE", &it.target, &it.body), "{} {:?}", it.target, it.body);
    }
}

#[tokio::test]
async fn a_pod_that_was_made_again_is_not_the_one_that_was_meant() {
    let bench = with_pod(POD, r#"{"items":[]}"#).await;
    let error = planned(&bench, "team-00/web-1/u-0").await.expect_err("another uid");
    assert_eq!(error.kind, ErrorKind::Conflict);
    assert!(planned(&bench, "team-00/web-1").await.is_ok(), "a name without uid means whichever pod has it");
    assert_eq!(planned(&bench, "team-00/none/u").await.expect_err("no such pod").kind, ErrorKind::NotFound);
}

#[tokio::test]
async fn what_drain_would_skip_or_refuse_is_found() {
    let found = async |pod: &'static str, budgets: &'static str| -> Vec<String> {
        let plan = planned(&with_pod(pod, budgets).await, "team-00/web-1").await.expect("a plan");
        plan.guards.iter().map(|it| format!("{:?} {}", it.weight, it.guard)).collect()
    };
    let none = r#"{"items":[]}"#;
    let bare =
        r#"{"metadata":{"name":"web-1","namespace":"team-00","uid":"u"},"spec":{},"status":{"phase":"Running"}}"#;
    assert_eq!(found(bare, none).await, ["Warn unmanaged pod"]);
    let mirror = r#"{"metadata":{"name":"web-1","namespace":"team-00","uid":"u","annotations":{"kubernetes.io/config.mirror":"x"},
        "ownerReferences":[{"kind":"Node","name":"n1","controller":true}]},"status":{"phase":"Running"}}"#;
    assert_eq!(found(mirror, none).await, ["Forbid static pod"]);
    // The server of these tests knows no DaemonSet.
    let daemon = r#"{"metadata":{"name":"web-1","namespace":"team-00","uid":"u","ownerReferences":[{"kind":"DaemonSet","name":"d","controller":true}]},
        "status":{"phase":"Running"}}"#;
    assert_eq!(found(daemon, none).await, ["Warn unmanaged pod"]);
    let done = r#"{"metadata":{"name":"web-1","namespace":"team-00","uid":"u"},"spec":{"volumes":[{"name":"a","emptyDir":{}}]},"status":{"phase":"Succeeded"}}"#;
    assert_eq!(found(done, BLOCKING).await, Vec::<String>::new());
    let two = r#"{"items":[{"metadata":{"name":"a"},"spec":{"selector":{}}},{"metadata":{"name":"b"},"spec":{"selector":{}}}]}"#;
    assert_eq!(found(POD, two).await, ["Forbid disruption budget", "Warn local data"]);
}

#[tokio::test]
async fn a_verb_that_is_not_offered_is_unsupported_and_says_why() {
    let bench = bench(|_| Reply::silence()).await;
    let profile = bench.adapter.profile();
    assert!(!profile.verbs.contains(&Verb::RotateToken));
    let intent = Intent { verb: Verb::RotateToken, ..evicting("a/b") };
    let error = bench.adapter.plan(OperationId("t-1".into()), intent, Evidence::default()).await.expect_err("no token");
    assert_eq!((error.kind, bench.wire.asked().len()), (ErrorKind::Unsupported, 0));
    assert_eq!(profile.lacks.len() + profile.verbs.len(), Verb::ALL.len());
    assert!(profile.lacks.iter().all(|(verb, _)| !profile.verbs.contains(verb)));
}

#[tokio::test]
async fn a_described_pod_shows_everything_but_secrets() {
    let pod = r#"{"kind":"Pod","metadata":{"name":"web-1","namespace":"team-00","uid":"u-1","managedFields":[{"manager":"canary"}]},
        "spec":{"nodeName":"n1","containers":[{"name":"main","image":"web:1","env":[{"name":"DB_PASSWORD","value":"canary"}]}]},
        "status":{"phase":"Running","containerStatuses":[{"name":"main","restartCount":3,"ready":false,
        "state":{"waiting":{"reason":"CrashLoopBackOff"}},"lastState":{"terminated":{"reason":"OOMKilled","exitCode":137}}}]}}"#;
    let events = r#"{"items":[{"type":"Normal","reason":"Pulled","message":"first","lastTimestamp":"2026-11-21T10:00:00Z"},
        {"type":"Warning","reason":"BackOff","message":"second\u001b[2J","count":7,"lastTimestamp":"2026-11-21T11:00:00Z"}]}"#;
    let bench =
        bench(move |heard| if heard.target.contains("/events?") { Reply::json(events) } else { Reply::json(pod) })
            .await;
    let document = bench.adapter.describe(task_id("team-00/web-1/u-1")).await.expect("a document");
    let titles: Vec<&str> = document.sections.iter().map(|it| &*it.title).collect();
    assert_eq!(titles, ["Why", "Pod", "Containers", "Conditions", "Volumes", "Labels", "Annotations", "Events"]);
    let text = format!("{document:?}");
    assert!(!text.contains("canary") && !text.contains('\u{1b}'), "{text}");
    assert!(
        text.contains("waiting: CrashLoopBackOff") && text.contains("terminated: OOMKilled, exit code 137"),
        "{text}"
    );
    assert!(text.find("first") < text.find("second"), "newest last: {text}");
    let asked = bench.wire.asked();
    assert!(asked.iter().any(|it| it.contains("involvedObject.name%3Dweb-1")), "{asked:?}");
}

async fn told(bench: &Bench, request: LogRequest, count: usize) -> Vec<String> {
    let batches = bench.adapter.logs(request).take(count);
    let told = batches.map(|batch| match batch {
        Ok(LogBatch { marker: Some(marker), .. }) => format!("{marker:?}"),
        Ok(LogBatch { source, lines, .. }) => {
            let lines: Vec<String> = lines.iter().map(|it| String::from_utf8_lossy(&it.bytes).into_owned()).collect();
            format!("{}: {}", source.label, lines.join("|"))
        }
        Err(error) => format!("{:?}", error.kind),
    });
    told.collect().await
}

fn following(container: Option<&str>) -> LogRequest {
    LogRequest {
        of: task_id("team-00/web-1/u-1"),
        tail: Some(10),
        since: None,
        follow: true,
        container: container.map(str::to_owned),
    }
}

#[tokio::test]
async fn a_cut_log_goes_on_after_its_last_line() {
    let bench = bench(|heard| match heard.number {
        0 => Reply::raw(
            "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n\
             20\r\n2026-11-21T10:00:00.000000001Z a\r\n1\r\n\n\r\n",
        ),
        1 => Reply::lines(&["2026-11-21T10:00:00.000000001Z a", "2026-11-21T10:00:00.000000002Z b"]),
        _ => Reply::whole("404 Not Found", "", "{}"),
    })
    .await;
    let said = told(&bench, following(Some("main")), 4).await;
    assert_eq!(said, ["web-1: a", "Reconnected { complete: true }", "web-1: b", "Ended(\"the pod is gone\")"]);
    let asked = bench.wire.asked();
    assert_eq!(
        asked.first().map(String::as_str),
        Some("GET /api/v1/namespaces/team-00/pods/web-1/log?container=main&timestamps=true&follow=true&tailLines=10")
    );
    assert!(asked.get(1).is_some_and(|it| it.ends_with("follow=true&sinceTime=2026-11-21T10%3A00%3A00Z")), "{asked:?}");
}

#[tokio::test]
async fn every_container_of_a_pod_is_a_source() {
    let pod = r#"{"metadata":{"name":"web-1"},"spec":{"containers":[{"name":"main"},{"name":"proxy"}]}}"#;
    let bench = bench(move |heard| match heard.target.as_str() {
        it if it.contains("container=main") => Reply::open(&["2026-11-21T10:00:00Z from main"]),
        it if it.contains("container=proxy") => Reply::open(&["2026-11-21T10:00:00Z from proxy"]),
        _ => Reply::json(pod),
    })
    .await;
    let mut said = told(&bench, following(None), 2).await;
    said.sort();
    assert_eq!(said, ["web-1/main: from main", "web-1/proxy: from proxy"]);
}

#[tokio::test]
async fn logs_that_cannot_be_had_end_with_the_reason() {
    let bench =
        bench(|_| Reply::whole("400 Bad Request", "", r#"{"message":"container main is waiting to start"}"#)).await;
    assert_eq!(told(&bench, following(Some("main")), 9).await, ["Unsupported"]);
    let of = ResourceId::new("lab".into(), Kind::Node, "n1".into());
    assert_eq!(told(&bench, LogRequest { of, ..following(None) }, 9).await, ["Unsupported"]);
}

#[tokio::test]
async fn one_log_that_fails_keeps_nobody_waiting_for_those_of_the_others() {
    let bench = bench(|heard| match heard.target.as_str() {
        it if it.contains("/pods/web-1/log?") => Reply::whole("500 Internal Server Error", "", "{}"),
        it if it.contains("/log?") => Reply::lines(&["2026-11-21T10:00:00Z a line"]),
        it if it.ends_with("/deployments/web") => Reply::json(
            r#"{"metadata":{"name":"web","namespace":"team-00"},"spec":{"selector":{"matchLabels":{"app":"web"}}}}"#,
        ),
        it if it.contains("/pods?") => {
            Reply::json(list(7, "", &(1..60).map(|n| pod(&format!("web-{n}"), n)).collect::<Vec<_>>()))
        }
        it => Reply::json(pod(it.rsplit('/').next().unwrap_or_default(), 3)),
    })
    .await;
    let of = ResourceId::new("lab".into(), Kind::Service, "team-00/Deployment/web".into());
    let told = told(&bench, LogRequest { of, follow: false, ..following(None) }, 99);
    let told = tokio::time::timeout(Duration::from_secs(20), told).await.expect("it ends");
    assert_eq!(told, ["Platform"]);
}

#[tokio::test]
async fn whatever_is_looked_at_sends_only_what_is_on_the_list() {
    let bench = bench(|heard| match heard.target.as_str() {
        it if it.contains("watch=true") => Reply::open(&[]),
        it if it.contains("/log?") => Reply::lines(&["2026-11-21T10:00:00Z a line"]),
        it if it.ends_with("/deployments/web") => Reply::json(
            r#"{"metadata":{"name":"web","namespace":"team-00"},"spec":{"selector":{"matchLabels":{"app":"web"}}}}"#,
        ),
        it if it.ends_with("/pods/web-1") => Reply::json(pod("web-1", 3)),
        it if it.contains("/pods?") => Reply::json(list(7, "", &[pod("web-1", 3)])),
        _ => Reply::json(
            r#"{"metadata":{"resourceVersion":"7"},"items":[{"metadata":{"name":"it","namespace":"team-00"}}]}"#,
        ),
    })
    .await;
    for kind in [Kind::Node, Kind::Task, Kind::Backing] {
        drop(bench.adapter.watch(kind).take(3).collect::<Vec<_>>().await);
    }
    // Nine lists, each told as begun, seen or not, and complete.
    drop(bench.adapter.watch(Kind::Service).take(30).collect::<Vec<_>>().await);
    let service = |kind, key: &str| ResourceId::new("lab".into(), kind, key.into());
    let ids = [
        service(Kind::Service, "team-00/Deployment/web"),
        service(Kind::Backing, "team-00/secret/it"),
        service(Kind::Node, "n1"),
        task_id("team-00/web-1/u-web-1"),
    ];
    for id in ids {
        drop(bench.adapter.describe(id.clone()).await);
        drop(bench.adapter.logs(LogRequest { of: id, follow: false, ..following(None) }).collect::<Vec<_>>().await);
    }
    let heard = bench.wire.heard();
    assert!(heard.len() > 30, "{} requests", heard.len());
    for it in heard {
        let method = it.head.split_whitespace().next().unwrap_or_default().to_owned();
        let path = it.target.split('?').next().unwrap_or_default();
        assert!(allowed(&method, path), "{method} {}", it.target);
        // Of what may hold secrets only the metadata is asked for.
        let secretive = path.ends_with("/secrets") || path.ends_with("/configmaps");
        assert!(!secretive || it.head.contains("as=PartialObjectMetadata"), "{}", it.head);
    }
}

#[tokio::test]
async fn every_list_of_services_begins_before_one_is_complete() {
    let bench = bench(|heard| match heard.target.as_str() {
        it if it.contains("watch=true") => Reply::open(&[]),
        it if it.contains("/cronjobs") => Reply::whole("403 Forbidden", "", "{}"),
        _ => Reply::json(list(7, "", &[])),
    })
    .await;
    let deltas: Vec<String> = bench.adapter.watch(Kind::Service).take(10).map(brief).collect().await;
    let begun = deltas.iter().take(9).filter(|it| it.starts_with("begin services of lab (")).count();
    assert_eq!((begun, deltas.get(4).map(String::as_str)), (8, Some("denied Denied")), "{deltas:?}");
    assert_eq!(deltas.last().map(String::as_str), Some("complete"));
}
