//! Two consoles and a command line at once, on one machine and in one journal folder.

use std::process::Stdio;

use crate::{
    agreeing::plan,
    answers::service,
    harness::{Console, ESCAPE, Home, files},
    recorded::{chained, events},
};

fn console(home: &Home) -> Console {
    let console = home.console(&["--demo"]).size(140, 40).open();
    console.shows("57 services");
    console
}

/// Rolls a service in production that `filter` finds, and leaves it under way.
fn roll(console: &Console, filter: &str, name: &str) {
    plan(console, filter);
    console.shows(&format!("Type {name} and enter to agree"));
    console.keys(&format!("{name}\r"));
    console.until("the operation", |screen| screen.has(&format!("roll {name}")) && !screen.has("Plan: roll"));
}

#[test]
fn all_act_and_each_sees_what_the_others_do() {
    let home = Home::new();
    let (first, second) = (console(&home), console(&home));
    roll(&first, "auth env:prod", "newswatch_auth");

    // What one does, the others may not do as well, and they are told who does it.
    plan(&second, "auth env:prod");
    second.shows("another operation");
    second.until("who and what", |screen| screen.has("roll newswatch_auth (20") && screen.has("by ada@"));
    second.keys(ESCAPE);
    second.hides("Plan: roll");
    let auth = service(&home, "prod", "newswatch_auth");
    let refused = home.run(&["roll", &auth, "--yes", "--wait", "--demo"]);
    assert_eq!((refused.code, &*refused.out), (Some(3), ""), "{refused:?}");
    assert!(refused.err.contains("roll newswatch_auth (20") && refused.err.contains("by ada@"), "{refused:?}");

    // What is not in the way of anything goes on beside it.
    second.keys(ESCAPE);
    second.hides("/auth env:prod");
    roll(&second, "webservice env:prod", "newswatch_webservice");
    let docs = service(&home, "dev", "docs");
    let mut command = home.command(&["roll", &docs, "--yes", "--wait", "--demo"]);
    let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the binary starts");
    let output = child.wait_with_output().expect("it ends");
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));

    // Each file is whole by itself, and every listing tells of all three.
    for (console, name) in [(&first, "newswatch_auth"), (&second, "newswatch_webservice")] {
        console.shows(&format!("roll {name}: completed"));
    }
    let journals = files(&home.journal(), ".jsonl");
    assert_eq!(journals.len(), 3, "{journals:?}");
    for file in &journals {
        assert_eq!(events(&chained(file)), ["approved", "sending", "answered", "verdict"], "{}", file.display());
    }
    let ops = home.run(&["ops", "-o", "json", "--demo"]).json();
    let rows = ops["items"].as_array().expect("items");
    let mut names: Vec<&str> = rows.iter().filter_map(|row| row["plan"]["name"].as_str()).collect();
    names.sort_unstable();
    assert_eq!(names, ["docs", "newswatch_auth", "newswatch_webservice"], "{ops}");
    assert!(rows.iter().all(|row| row["verdict"]["outcome"] == "completed"), "{ops}");
    for console in [&first, &second] {
        console.keys(ESCAPE);
        console.keys("8");
        console.until("all three", |screen| names.iter().all(|name| screen.has(&format!("roll {name}"))));
    }
}
