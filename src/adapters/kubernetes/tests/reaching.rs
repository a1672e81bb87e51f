//! Getting in: credential plugins that misbehave, tokens that end, contexts that are turned elsewhere, and lists that are
//! refused where others are not.

use std::{
    os::unix::fs::PermissionsExt as _,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use super::*;

const PLUGIN: &str = "exec: {apiVersion: client.authentication.k8s.io/v1, command: ./plugin, args: [get-token], interactiveMode: IfAvailable}";

/// Puts `script` where the kubeconfig in `folder` has its plugin.
fn plugin(folder: &Path, script: &str) {
    let path = folder.join("plugin");
    std::fs::write(&path, format!("#!/bin/sh\n{script}\n")).expect("a script");
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).expect("a script that can be run");
}

fn credential(token: &str) -> String {
    let status = format!(r#"{{"token":"{token}"}}"#);
    format!(r#"echo '{{"apiVersion":"client.authentication.k8s.io/v1","kind":"ExecCredential","status":{status}}}'"#)
}

async fn refused(script: &str) -> Error {
    let (folder, file) = kubeconfig("http://127.0.0.1:1", PLUGIN);
    plugin(folder.path(), script);
    Kubernetes::open(settings(file)).check().await.expect_err("the plugin gives no credentials")
}

#[tokio::test]
async fn a_plugin_that_prints_something_else_is_a_login_that_failed_and_what_it_printed_stays_secret() {
    for script in ["echo 'Open https://login.example/ and enter CANARY'", "echo '{\"token\":\"CANARY\"}'", "true"] {
        let error = refused(script).await;
        assert_eq!(error.kind, ErrorKind::Auth, "{script}: {error}");
        assert!(!format!("{error:?}").contains("CANARY"), "{script}: {error:?}");
        assert!(error.hint.as_deref().is_some_and(|hint| hint.contains("plugin get-token`")), "{script}: {error:?}");
    }
}

#[tokio::test]
async fn a_plugin_that_wants_to_ask_finds_nobody_and_does_not_wait() {
    let error = refused("printf 'Password: ' >&2; read -r word || { echo 'no answer' >&2; exit 1; }").await;
    assert_eq!(error.kind, ErrorKind::Auth);
    assert!(error.message.ends_with("no answer"), "{error}");
}

#[tokio::test]
async fn a_plugin_that_hangs_is_given_up_with_the_command_to_run() {
    let (folder, file) = kubeconfig("http://127.0.0.1:1", PLUGIN);
    plugin(folder.path(), "sleep 1");
    let mut connection = Connection::new(settings(file));
    connection.login = Duration::from_millis(50);
    let error = connection.session().await.expect_err("nothing comes");
    assert_eq!(error.kind, ErrorKind::Auth);
    assert!(error.message.starts_with("the credential plugin gave no answer within"), "{error}");
    assert!(error.hint.as_deref().is_some_and(|hint| hint.contains("plugin get-token`")), "{error:?}");
}

#[tokio::test]
async fn a_token_that_ends_in_mid_flight_is_renewed_by_the_plugin() {
    let (sent, ended) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicBool::new(false)));
    let (first, over) = (Arc::clone(&sent), Arc::clone(&ended));
    let wire = serve(move |heard| {
        let old = heard.head.contains("Bearer one");
        if old && over.load(Ordering::SeqCst) {
            return Reply::whole("401 Unauthorized", "", "{}");
        }
        first.fetch_or(old, Ordering::SeqCst);
        Reply::json(r#"{"major":"1","minor":"36","gitVersion":"v1.36.0"}"#)
    })
    .await;
    let (folder, file) = kubeconfig(&format!("http://{}", wire.address), PLUGIN);
    let used = folder.path().join("used").display().to_string();
    let (one, two) = (credential("one"), credential("two"));
    plugin(folder.path(), &format!("if [ -e '{used}' ]; then {two}; else touch '{used}'; {one}; fi"));
    let adapter = Kubernetes::open(settings(file));
    version(&adapter.connection).await.expect("the first token is good");
    ended.store(true, Ordering::SeqCst);
    let error = version(&adapter.connection).await.expect_err("it has ended");
    assert_eq!(error.kind, ErrorKind::Auth);
    version(&adapter.connection).await.expect("the plugin was asked for another");
    assert!(sent.load(Ordering::SeqCst) && wire.heard().last().is_some_and(|it| it.head.contains("Bearer two")));
}

/// Two contexts, of which the first is the current one.
fn two(folder: &Path, servers: [&str; 2], current: &str) -> PathBuf {
    let path = folder.join("config");
    let [a, b] = servers;
    let text = format!(
        "apiVersion: v1\nkind: Config\ncurrent-context: {current}\n\
         clusters: [{{name: a, cluster: {{server: '{a}'}}}}, {{name: b, cluster: {{server: '{b}'}}}}]\n\
         contexts: [{{name: one, context: {{cluster: a, user: ann}}}}, {{name: two, context: {{cluster: b, user: ann}}}}]\n\
         users: [{{name: ann, user: {{token: sesame}}}}]\n"
    );
    std::fs::write(&path, text).expect("a kubeconfig");
    path
}

#[tokio::test]
async fn a_connection_stays_with_the_context_it_began_with_when_another_becomes_the_current_one() {
    let answers = || {
        serve(|heard| match heard.number {
            1 | 3 => Reply::whole("401 Unauthorized", "", "{}"),
            _ => Reply::json(r#"{"major":"1","minor":"36","gitVersion":"v1.36.0"}"#),
        })
    };
    let (here, there) = (answers().await, answers().await);
    let addresses = [format!("http://{}", here.address), format!("http://{}", there.address)];
    let folder = tempfile::tempdir().expect("a temporary folder");
    let [a, b] = &addresses;
    let adapter = Kubernetes::open(settings(two(folder.path(), [a, b], "one")));
    version(&adapter.connection).await.expect("an answer");
    // Somebody turns to the other context in another terminal, and then our login ends.
    two(folder.path(), [a, b], "two");
    version(&adapter.connection).await.expect_err("401: the kubeconfig is read again");
    version(&adapter.connection).await.expect("an answer");
    assert_eq!((here.asked().len(), there.asked().len()), (3, 0));
    // The context itself leads elsewhere now: that is another cluster under an old name.
    two(folder.path(), [b, a], "one");
    version(&adapter.connection).await.expect_err("401: the kubeconfig is read again");
    let error = version(&adapter.connection).await.expect_err("it leads elsewhere");
    assert_eq!((error.kind, there.asked().len()), (ErrorKind::Config, 0), "{error}");
}

fn forbidden() -> Reply {
    Reply::whole(
        "403 Forbidden",
        "",
        r#"{"kind":"Status","code":403,"reason":"Forbidden","message":"pods is forbidden"}"#,
    )
}

#[tokio::test]
async fn where_all_namespaces_are_refused_that_of_the_context_is_listed_and_another_once_it_is_named() {
    let bench = bench(|heard| match heard.target.as_str() {
        path if path.contains("watch=true") => Reply::open(&[]),
        "/api/v1/namespaces/team-00/pods?limit=500" => Reply::json(list(7, "", &[pod("web-1", 3)])),
        "/api/v1/namespaces/team-01/pods?limit=500" => Reply::json(list(7, "", &[pod("api-1", 3)])),
        _ => forbidden(),
    })
    .await;
    let expected = |namespace: &str, pod: &str| {
        vec![
            format!("begin tasks of lab ({namespace})"),
            "denied Denied".to_owned(),
            format!("seen {pod}"),
            "complete".to_owned(),
        ]
    };
    assert_eq!(first(&bench, 4).await, expected("team-00", "web-1"));
    assert!(bench.adapter.focus(Some(&"team-01".into())), "its lists are others now");
    assert_eq!(first(&bench, 4).await, expected("team-01", "api-1"));
    assert!(!bench.adapter.focus(Some(&"team-01".into())), "nothing changed");
}

#[tokio::test]
async fn where_all_namespaces_may_be_listed_a_focus_changes_nothing() {
    let bench = bench(|heard| if heard.number == 0 { Reply::json(list(7, "", &[])) } else { Reply::open(&[]) }).await;
    assert_eq!(first(&bench, 2).await, ["begin tasks of lab", "complete"]);
    assert!(!bench.adapter.focus(Some(&"team-00".into())));
}

#[test]
fn contexts_are_told_with_where_they_lead_and_as_whom() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let file = two(folder.path(), ["https://a.example/", "https://b.example"], "two");
    let found = contexts(Some(&file)).expect("a kubeconfig");
    let expected = |name: &str, cluster: &str, current| FoundContext {
        name: name.to_owned(),
        cluster: cluster.to_owned(),
        server: format!("https://{cluster}.example").into(),
        user: "ann".to_owned(),
        namespace: String::new(),
        current,
    };
    assert_eq!(found, [expected("one", "a", false), expected("two", "b", true)]);
    let error = contexts(Some(&folder.path().join("none"))).expect_err("there is no such file");
    assert_eq!(error.kind, ErrorKind::Config);
}
