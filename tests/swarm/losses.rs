//! What the console shows when an engine dies, hangs, or the managers lose each other.

use std::{path::PathBuf, process::Command, time::Duration};

use futures_util::StreamExt as _;
use quarterdeck::{
    adapters::swarm::{Swarm, SwarmSettings, Tls},
    error::ErrorKind,
    fleet::{Delta, Health, Kind, Resource},
    platform::Adapter,
};

use crate::bench::{Fault, Lab, Tap, lab, listed, open, until};

#[tokio::test]
async fn an_engine_that_dies_ends_the_watch_and_comes_back() {
    let Some(lab) = lab() else { return };
    let tap = Tap::on(lab.socket("m1"));
    let adapter = open(&tap.path);
    let mut watch = adapter.watch(Kind::Task);
    while !matches!(watch.next().await, Some(Ok(Delta::Complete(_)))) {}
    tap.set(Fault::Dead);
    let error = loop {
        match watch.next().await.expect("a watch ends only with an error") {
            Ok(_) => {}
            Err(error) => break error,
        }
    };
    assert_eq!(error.kind, ErrorKind::Unreachable, "{error}");
    assert!(watch.next().await.is_none());
    tap.set(Fault::None);
    assert!(!listed(&adapter, Kind::Task).await.expect("it is back").is_empty());
}

#[tokio::test]
async fn an_engine_that_hangs_is_an_error_within_its_deadline() {
    let Some(lab) = lab() else { return };
    let tap = Tap::on(lab.socket("m1"));
    tap.set(Fault::Hangs);
    let adapter = open(&tap.path);
    let limit = Duration::from_secs(20);
    let error =
        tokio::time::timeout(limit, listed(&adapter, Kind::Node)).await.expect("a deadline").expect_err("it hangs");
    assert_eq!(error.kind, ErrorKind::TimedOut, "{error}");
    let error = tokio::time::timeout(limit, adapter.check()).await.expect("a deadline").expect_err("it hangs");
    assert_eq!(error.kind, ErrorKind::TimedOut, "{error}");
}

#[tokio::test]
async fn tls_needs_the_right_certificates_and_says_who_we_are() {
    let Some(lab) = lab() else { return };
    let folder = lab.socket("m1").parent().and_then(std::path::Path::parent).expect("sockets are in folders of nodes");
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/lab/swarm.sh");
    let output = Command::new(script).args(["tls", "m1", "24376"]).env("LAB_DIR", folder).output().expect("it runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let certificates = folder.join("tls");
    let mut settings = SwarmSettings::new("tls".into(), Some("tcp://127.0.0.1:24376".to_owned()));
    settings.tls = Some(Tls::of_directory(&certificates));
    let checkup = Swarm::open(settings.clone()).check().await.expect("certificates of the lab's authority");
    assert_eq!(checkup.identity, "CN=lab-client");
    assert_eq!(listed(&Swarm::open(settings.clone()), Kind::Node).await.map(|rows| rows.len()), Ok(5));
    // Without a certificate of ours the engine hangs up.
    settings.tls = Some(Tls { authority: Some(certificates.join("ca.pem")), ..Tls::default() });
    let error = Swarm::open(settings.clone()).check().await.expect_err("it wants a certificate");
    println!("{error}\n  hint: {}", error.hint.as_deref().unwrap_or_default());
    assert_eq!(error.kind, ErrorKind::Auth, "{error:?}");
    // With an authority that did not sign the engine's, we do.
    settings.tls = Some(Tls::default());
    let error = Swarm::open(settings.clone()).check().await.expect_err("an unknown authority");
    println!("{error}\n  hint: {}", error.hint.as_deref().unwrap_or_default());
    assert_eq!(error.kind, ErrorKind::Auth, "{error:?}");
    settings.tls = Some(Tls { authority: Some("/nonexistent/ca.pem".into()), ..Tls::default() });
    let error = Swarm::open(settings).check().await.expect_err("no such file");
    assert_eq!((error.kind, error.message.as_str()), (ErrorKind::Config, "/nonexistent/ca.pem cannot be used"));
}

#[tokio::test]
async fn no_engine_says_where_none_was_found() {
    let adapter = open(&PathBuf::from("/nonexistent/docker.sock"));
    let error = adapter.check().await.expect_err("there is none");
    assert_eq!(error.kind, ErrorKind::Unreachable);
    assert_eq!(error.message, "no Docker engine listens at unix:///nonexistent/docker.sock");
}

/// A lab of its own, since this one is broken on purpose.
struct Broken;

impl Broken {
    fn script(arguments: &[&str]) -> String {
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/lab/swarm.sh");
        let output = Command::new(script)
            .args(arguments)
            .env("LAB_ID", "lost")
            .env("LAB_DIR", "/tmp/quarterdeck-lab-lost")
            .output()
            .expect("the lab's script runs");
        assert!(output.status.success(), "swarm.sh {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).expect("UTF-8")
    }
}

impl Drop for Broken {
    fn drop(&mut self) {
        Self::script(&["down"]);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lost_quorum_is_shown_for_what_it_is_in_both_its_phases() {
    if lab().is_none() {
        return;
    }
    Broken::script(&["down"]);
    let own = Lab::of(&Broken::script(&["up", "3", "0"]));
    let _down = Broken;
    let adapter = open(own.socket("m1"));
    let healthy =
        until(&adapter, Kind::Cluster, |row| row.as_cluster().filter(|it| it.health == Health::Healthy).cloned());
    let before = healthy.await.expect("three managers");
    let mut nodes = adapter.watch(Kind::Node);
    while !matches!(nodes.next().await, Some(Ok(Delta::Complete(_)))) {}
    let mut clusters = adapter.watch(Kind::Cluster);
    let began = std::time::Instant::now();
    Broken::script(&["kill", "m2"]);
    Broken::script(&["kill", "m3"]);
    let mut fault = None;
    while fault.is_none() {
        let delta = tokio::time::timeout(Duration::from_mins(1), clusters.next()).await.expect("it is noticed");
        if let Delta::Seen(_, rows) = delta.expect("the cluster's watch goes on").expect("it goes on") {
            fault = rows.iter().filter_map(Resource::as_cluster).find_map(|row| {
                println!("{:?} after the kill: {:?} {:?}", began.elapsed(), row.quorum, row.fault);
                assert_eq!(row.id, before.id);
                row.fault.clone()
            });
        }
    }
    // Nobody is told that nodes are alive: their watch ends with the reason.
    let error = loop {
        let delta = tokio::time::timeout(Duration::from_mins(1), nodes.next()).await.expect("it is noticed");
        if let Err(error) = delta.expect("a watch ends only with an error") {
            break error;
        }
    };
    println!("{:?} after the kill: {error}", began.elapsed());
    assert_eq!(error.kind, ErrorKind::Platform);
    // The second phase: the leader steps down, and says so.
    loop {
        let delta = tokio::time::timeout(Duration::from_secs(90), clusters.next()).await.expect("it is noticed");
        if let Delta::Seen(_, rows) = delta.expect("it goes on").expect("it goes on")
            && rows.iter().filter_map(Resource::as_cluster).any(|row| {
                println!("{:?} after the kill: {:?} {:?}", began.elapsed(), row.quorum, row.fault);
                row.fault.as_deref().is_some_and(|fault| fault.contains("does not have a leader"))
            })
        {
            break;
        }
    }
    let error = adapter.check().await.expect_err("it cannot decide anything");
    assert!(error.message.contains("does not have a leader"), "{error}");
    Broken::script(&["start", "m2"]);
    Broken::script(&["start", "m3"]);
    loop {
        let delta = tokio::time::timeout(Duration::from_mins(2), clusters.next()).await.expect("it heals");
        match delta.expect("a watch ends only with an error") {
            Ok(Delta::Seen(_, rows)) => {
                if rows.iter().filter_map(Resource::as_cluster).any(|row| row.fault.is_none()) {
                    break;
                }
            }
            Ok(_) => {}
            // The supervisor's part: watch again.
            Err(error) => {
                println!("{:?} after the kill: {error}", began.elapsed());
                clusters = adapter.watch(Kind::Cluster);
                tokio::time::sleep(Duration::from_secs(1)).await;
            }
        }
    }
    println!("{:?} after the kill: healed", began.elapsed());
    assert_eq!(listed(&adapter, Kind::Node).await.map(|rows| rows.len()), Ok(3));
}
