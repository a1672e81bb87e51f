//! The same answers without a screen: what goes to standard output, what to standard error, and how it exits.

use std::{
    io::{BufRead as _, BufReader, Read as _},
    process::Stdio,
    time::Duration,
};

use serde_json::Value;

use crate::{
    FROZEN,
    harness::{Answer, Home},
};

/// What an answer in JSON says about one thing, by its key.
fn text<'a>(item: &'a Value, key: &str) -> &'a str {
    item[key].as_str().unwrap_or_default()
}

/// Every service of the frozen fleet.
pub fn services(home: &Home) -> Vec<Value> {
    let answer = home.run(&["get", "services", "-o", "json", FROZEN]).json();
    answer["items"].as_array().expect("an object with items").clone()
}

/// The id of the service called `name` in `environment`.
pub fn service(home: &Home, environment: &str, name: &str) -> String {
    let all = services(home);
    let found = all.iter().find(|item| text(item, "environment") == environment && text(item, "name") == name);
    text(found.unwrap_or_else(|| panic!("there is no {name} in {environment}: {all:?}")), "id").to_owned()
}

fn first_line(text: &str) -> &str {
    text.lines().next().unwrap_or_default()
}

#[test]
fn version_and_help_go_to_standard_output() {
    let home = Home::new();
    let version = home.run(&["--version"]);
    assert_eq!(version.well(), format!("quarterdeck {}\n", env!("CARGO_PKG_VERSION")));
    assert_eq!(version.err, "");
    let help = home.run(&["--help"]);
    for word in
        ["Usage: quarterdeck", "watch", "get", "describe", "logs", "doctor", "wait", "roll", "ops", "Exit codes"]
    {
        assert!(help.well().contains(word), "{word} is not in:\n{}", help.out);
    }
    for command in ["get", "describe", "logs", "doctor", "wait", "roll", "ops", "config", "watch"] {
        assert!(home.run(&[command, "--help"]).well().contains("Usage: quarterdeck"), "{command}");
    }
}

#[test]
fn a_command_line_that_is_wrong_says_what_was_meant_and_exits_with_2() {
    let home = Home::new();
    for (arguments, said) in [
        (&["gett"][..], "get"),
        (&["get", "servces"], "services"),
        (&["get", "stakcs"], "`stacks`"),
        (&["get", "ingreses", FROZEN], "`ingresses`"),
        (&["get", "objects", FROZEN], "objects of which kind?"),
        (&["get", "tasks", "age<2x", FROZEN], "`2x` does not compare with `age`: write a duration such as 90s"),
        (&["get", "services", "-e", "nope", FROZEN], "the environments are dev, qa, rc, staging, prod"),
        (&["-c", "nope", "get", "nodes", FROZEN], "no connection is called `nope`; there is absolute, newswatch"),
        (&["logs", "newswatch-leader", FROZEN], "nodes have no logs, and `newswatch-leader` is one of them"),
        (&["--theme", "drak", "get", "services", FROZEN], "Did you mean `dark`?"),
        (&["--themme", "dark"], "--theme"),
        (&["get", "services", "-o", "jsn"], "json"),
        (&["wait", "x", "happy"], "healthy"),
        (&["--demo=size=3"], "none of tasks, deltas, logs, seed"),
        (&["--demo=tasks=many", "get", "services"], "demo.tasks"),
        (&["get", "services", "bogus:x", FROZEN], "bogus"),
        (&["logs", "auth", "--grep", "(", FROZEN], "--grep"),
    ] {
        let answer = home.run(arguments);
        assert_eq!((answer.code, &*answer.out), (Some(2), ""), "{arguments:?}: {answer:?}");
        assert!(answer.err.contains(said), "{arguments:?} does not say `{said}`: {}", answer.err);
    }
}

#[test]
fn completions_are_a_script() {
    let home = Home::new();
    for shell in ["bash", "zsh", "fish"] {
        let answer = home.run(&["completions", shell]);
        assert!(answer.well().contains("quarterdeck"), "{shell}");
    }
    let bash = home.run(&["completions", "bash"]);
    // Longer than one argument of a command may be.
    let script = home.path("completions.bash");
    std::fs::write(&script, bash.well()).expect("a script");
    let mut check = std::process::Command::new("bash");
    check.arg("-n").arg(&script);
    assert_eq!(crate::harness::answer(&mut check).code, Some(0), "bash can read it");
}

#[test]
fn themes_are_listed() {
    let themes = Home::new().run(&["themes"]);
    for name in ["dark", "light", "mono"] {
        assert!(themes.well().lines().any(|line| line.starts_with(name)), "{name}: {}", themes.out);
    }
}

#[test]
fn a_console_without_a_terminal_says_so_and_exits_with_2() {
    let answer = Home::new().run(&[FROZEN]);
    assert_eq!((answer.code, &*answer.out), (Some(2), ""));
    assert!(answer.err.contains("terminal") && answer.err.contains("quarterdeck get"), "{}", answer.err);
}

#[test]
fn every_service_is_an_item_with_the_same_first_fields() {
    let home = Home::new();
    let answer = home.run(&["get", "services", "-o", "json", FROZEN]).json();
    assert_eq!(answer["kind"], "services");
    let items = answer["items"].as_array().expect("items");
    assert!(items.len() > 20, "only {}", items.len());
    let mut ids: Vec<&str> = items.iter().map(|item| text(item, "id")).collect();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), items.len(), "ids are unique");
    for item in items {
        for key in ["id", "kind", "name", "connection", "health", "seen_at"] {
            assert!(!text(item, key).is_empty(), "{key} of {item}");
        }
        assert!(item.get("environment").is_some(), "{item}");
        assert_eq!(text(item, "kind"), "service");
        assert!(["absolute", "newswatch"].contains(&text(item, "connection")), "{item}");
        assert!(item["replicas"]["desired"].is_number(), "its own fields: {item}");
        assert!(text(item, "seen_at").ends_with('Z'), "{item}");
    }
}

#[test]
fn every_kind_can_be_listed() {
    let home = Home::new();
    for kind in
        ["clusters", "nodes", "services", "tasks", "pipelines", "endpoints", "backing", "locks", "stacks", "health"]
    {
        let answer = home.run(&["get", kind, "-o", "json", FROZEN]);
        assert_eq!(answer.json()["kind"].as_str().map(str::is_empty), Some(false), "{kind}");
    }
}

#[test]
fn what_runs_in_several_environments_is_listed_with_its_own() {
    let home = Home::new();
    let headings = |kind| first_line(home.run(&["get", kind, FROZEN]).well()).to_owned();
    for kind in ["services", "tasks", "nodes", "stacks", "health"] {
        assert!(headings(kind).contains(" ENV "), "{kind}: {}", headings(kind));
    }
    assert!(!headings("locks").contains(" ENV "), "a lock is called like what it locks");
}

#[test]
fn a_filter_may_ask_for_what_other_kinds_tell_in_any_format() {
    let home = Home::new();
    let count = |kind, filter, format| {
        let answer = home.run(&["get", kind, filter, "-o", format, FROZEN]);
        answer.well().lines().filter(|line| !line.starts_with("NAME")).count()
    };
    for (kind, filter) in
        [("nodes", "tasks>3"), ("services", "spread:nodes"), ("tasks", "zone:eu-west-1a"), ("tasks", "service:auth")]
    {
        let lines = count(kind, filter, "ndjson");
        assert!(lines > 0, "{kind} {filter}");
        assert_eq!(count(kind, filter, "table"), lines, "{kind} {filter}");
    }
}

#[test]
fn an_environment_is_not_one_whose_name_contains_its_own() {
    let home = Home::new();
    let path = home.configure("[[environments]]\nname = \"preprod\"\n[[environments]]\nname = \"prod\"\n");
    let path = path.to_str().expect("a path in words");
    let of = |name| home.run(&["get", "services", "-e", name, "-o", "json", "--config", path, FROZEN]).json();
    let both = of("preprod")["items"].as_array().map(Vec::len);
    assert!(both.is_some_and(|count| count > 0));
    for item in of("prod")["items"].as_array().expect("items") {
        assert_eq!(item["environment"], "prod");
    }
}

#[test]
fn the_frozen_fleet_answers_the_same_twice() {
    let home = Home::new();
    let ask = || {
        let mut answer = home.run(&["get", "tasks", "-o", "json", FROZEN]).json();
        for item in answer["items"].as_array_mut().expect("items") {
            // When it was heard is the one thing that differs.
            item.as_object_mut().expect("an object").remove("seen_at");
        }
        answer
    };
    assert_eq!(ask(), ask());
}

#[test]
fn the_other_formats_say_the_same() {
    let home = Home::new();
    let names = |items: &[Value]| -> Vec<String> {
        let mut names: Vec<String> = items.iter().map(|item| text(item, "id").to_owned()).collect();
        names.sort();
        names
    };
    let wanted = names(&services(&home));
    let lines = home.run(&["get", "services", "-o", "ndjson", FROZEN]);
    let items: Vec<Value> = lines.well().lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    assert_eq!(names(&items), wanted);
    let yaml = home.run(&["get", "services", "-o", "yaml", FROZEN]);
    for id in &wanted {
        assert!(yaml.well().contains(id.as_str()), "{id}");
    }
    let table = home.run(&["get", "services", FROZEN]);
    assert_eq!(table.well().lines().count(), wanted.len() + 1, "one row each, below the headings");
    assert!(first_line(&table.out).contains("NAME"), "{}", first_line(&table.out));
    let wide = home.run(&["get", "services", "-o", "wide", FROZEN]);
    assert!(first_line(wide.well()).len() > first_line(&table.out).len(), "{}", first_line(&wide.out));
    assert!(!table.out.contains('\x1b') && !wide.out.contains('\x1b'), "a pipe gets no escapes");
}

#[test]
fn a_filter_and_an_environment_narrow_the_list() {
    let home = Home::new();
    let ask = |arguments: &[&str]| -> Vec<Value> {
        let mut all = vec!["get", "services", "-o", "json", FROZEN];
        all.extend(arguments);
        home.run(&all).json()["items"].as_array().expect("items").clone()
    };
    let prod = ask(&["env:prod"]);
    assert!(!prod.is_empty() && prod.iter().all(|item| text(item, "environment") == "prod"));
    assert_eq!(ask(&["--environment", "prod"]).len(), prod.len());
    assert_eq!(ask(&["--environment", "prod", "auth"]).len(), ask(&["env:prod", "auth"]).len());
    assert!(ask(&["-c", "newswatch"]).iter().all(|item| text(item, "connection") == "newswatch"));
    assert_eq!(ask(&["nothing-is-called-that"]), Vec::<Value>::new());
}

#[test]
fn doctor_says_of_every_connection_how_it_is() {
    let home = Home::new();
    let people = home.run(&["doctor", FROZEN]);
    for word in ["ok   absolute", "ok   newswatch", "reachable in", "version", "as "] {
        assert!(people.well().contains(word), "{word}: {}", people.out);
    }
    let data = home.run(&["doctor", "-o", "json", FROZEN]).json();
    let items = data.as_array().or_else(|| data["items"].as_array()).expect("a list").clone();
    let names: Vec<&str> = items.iter().map(|item| text(item, "connection")).collect();
    assert_eq!(names, ["absolute", "newswatch"]);
    for item in &items {
        assert_eq!(item["reachable"], Value::Bool(true), "{item}");
        assert!(item["latency_ms"].is_number() && item["identity"].is_string(), "{item}");
    }
}

#[test]
fn doctor_without_anything_to_look_at_fails_and_says_what_to_do() {
    let home = Home::new();
    home.configure("[console]\ndiscover = false\n");
    let answer = home.run(&["doctor"]);
    assert_eq!(answer.code, Some(1), "{answer:?}");
    assert!(answer.out.contains("--demo"), "{answer:?}");
    let get = home.run(&["get", "services"]);
    assert_eq!((get.code, &*get.out), (Some(1), ""), "{get:?}");
    assert!(get.err.contains("--demo"), "{get:?}");
}

#[test]
fn describe_tells_everything_about_one_thing() {
    let home = Home::new();
    let id = service(&home, "prod", "newswatch_auth");
    let people = home.run(&["describe", &id, FROZEN]);
    assert!(people.well().contains("auth"), "{}", people.out);
    let data = home.run(&["describe", &id, "-o", "json", FROZEN]).json();
    assert!(data["sections"].as_array().is_some_and(|sections| !sections.is_empty()), "{data}");
    assert!(data["raw"].is_object(), "the platform's own answer: {data}");
    let yaml = home.run(&["describe", &id, "-o", "yaml", FROZEN]);
    assert!(yaml.well().contains("sections:"), "{}", yaml.out);
}

#[test]
fn a_name_that_means_nothing_or_too_much_is_told() {
    let home = Home::new();
    let nothing = home.run(&["describe", "newswatch_auht", FROZEN]);
    assert_eq!((nothing.code, &*nothing.out), (Some(1), ""), "{nothing:?}");
    assert!(nothing.err.contains("newswatch_auht"), "{nothing:?}");
    let several = home.run(&["describe", "service/api", FROZEN]);
    assert_eq!((several.code, &*several.out), (Some(2), ""), "{several:?}");
    assert!(several.err.contains("say which"), "{several:?}");
}

#[test]
fn a_service_goes_by_its_application_where_that_is_enough() {
    let home = Home::new();
    let described = |name: &str| home.run(&["describe", name, FROZEN]).well().to_owned();
    assert_eq!(described("jenkins"), described("platform_jenkins"));
    // Production has one and the test stack of a build has another.
    let several = home.run(&["describe", "auth", FROZEN]);
    assert_eq!((several.code, &*several.out), (Some(2), ""), "{several:?}");
    assert!(several.err.contains("say which"), "{several:?}");
}

#[test]
fn logs_are_as_many_lines_as_asked_for() {
    let home = Home::new();
    let id = service(&home, "prod", "newswatch_auth");
    let five = home.run(&["logs", &id, "--tail", "5", FROZEN]);
    assert_eq!(five.well().lines().count(), 5, "{}", five.out);
    let stamped = home.run(&["logs", &id, "--tail", "5", "--timestamps", FROZEN]);
    assert!(stamped.well().lines().all(|line| line.starts_with("20") && line.contains('Z')), "{}", stamped.out);
    let none = home.run(&["logs", &id, "--tail", "5", "--grep", "nobody writes this", FROZEN]);
    assert_eq!(none.well(), "");
}

#[test]
fn wait_ends_when_it_is_so_and_with_4_when_it_is_not_in_time() {
    let home = Home::new();
    let well = service(&home, "prod", "newswatch_auth");
    let healthy = home.run(&["wait", &well, "healthy", "--timeout", "30s", FROZEN]);
    assert_eq!(healthy.well(), format!("{well} is healthy\n"));
    let stable = home.run(&["wait", &well, "stable", "--timeout", "30s", FROZEN]);
    assert_eq!(stable.well(), format!("{well} is stable\n"));
    let all = services(&home);
    let sick = all.iter().find(|item| !["healthy", "idle", "progressing"].contains(&text(item, "health")));
    let sick = text(sick.expect("something is always wrong somewhere"), "id");
    let late = home.run(&["wait", sick, "healthy", "--timeout", "2s", FROZEN]);
    assert_eq!((late.code, &*late.out), (Some(4), ""), "{late:?}");
    assert!(late.err.contains("is not healthy after 2s"), "{late:?}");
}

#[test]
fn a_reader_that_leaves_early_is_no_error() {
    let home = Home::new();
    for arguments in [
        &["get", "tasks", "-o", "json", FROZEN][..],
        &["get", "tasks", FROZEN],
        &["logs", "newswatch_auth", "--tail", "2000", FROZEN],
        &["config", "example"],
        &["--help"],
        &["completions", "bash"],
    ] {
        let mut command = home.command(arguments);
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the binary starts");
        let mut out = BufReader::new(child.stdout.take().expect("a pipe"));
        let mut line = String::new();
        out.read_line(&mut line).expect("a line");
        assert_ne!(line, "", "{arguments:?}");
        drop(out);
        let mut said = String::new();
        child.stderr.take().expect("a pipe").read_to_string(&mut said).expect("text");
        let status = child.wait().expect("it ends");
        assert_eq!((status.code(), said.as_str()), (Some(0), ""), "{arguments:?}");
    }
}

#[test]
fn a_reader_that_never_reads_is_no_error_either() {
    let home = Home::new();
    let mut command = home.command(&["get", "tasks", FROZEN]);
    let (reader, writer) = std::io::pipe().expect("a pipe");
    drop(reader);
    let status = command.stdout(writer).stderr(Stdio::null()).status().expect("the binary runs");
    assert_eq!(status.code(), Some(0));
}

#[test]
fn watch_in_a_pipe_is_one_line_of_json_for_each_change() {
    let home = Home::new();
    let mut command = home.command(&["watch", "--demo=deltas=50"]);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the binary starts");
    let mut out = BufReader::new(child.stdout.take().expect("a pipe"));
    for _ in 0..3 {
        let mut line = String::new();
        out.read_line(&mut line).expect("a line");
        let change: Value = serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error}: {line}"));
        for key in ["at", "event", "id", "kind", "name", "connection"] {
            assert!(!text(&change, key).is_empty(), "{key} of {change}");
        }
        assert!(["appeared", "changed", "gone"].contains(&text(&change, "event")), "{change}");
        assert!(change.get("before").is_some() && change.get("after").is_some(), "{change}");
    }
    drop(out);
    let status = child.wait().expect("it ends when its reader leaves");
    assert_eq!(status.code(), Some(0));
}

#[test]
fn watch_in_a_pipe_ends_on_sigterm() {
    let home = Home::new();
    let mut command = home.command(&["watch", "--demo=deltas=50"]);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().expect("the binary starts");
    let mut out = BufReader::new(child.stdout.take().expect("a pipe"));
    out.read_line(&mut String::new()).expect("a line");
    rustix::process::kill_process(rustix::process::Pid::from_child(&child), rustix::process::Signal::TERM)
        .expect("it runs");
    let rest = std::thread::spawn(move || out.read_to_end(&mut Vec::new()));
    assert_eq!(child.wait().expect("it ends").code(), Some(0));
    rest.join().expect("the reader ends").expect("the rest can be read");
}

#[test]
fn what_cannot_be_reached_is_said_and_fails() {
    let home = Home::new();
    let socket = home.path("no.sock");
    home.configure(&format!(
        "[[connections]]\nname = \"lab\"\nplatform = \"swarm\"\nhost = \"unix://{}\"\n",
        socket.display()
    ));
    let Answer { code, out, err } = home.run(&["get", "services"]);
    assert_eq!(code, Some(1), "{out}{err}");
    assert!(err.contains("lab") && err.contains("no.sock"), "{err}");
    let doctor = home.run(&["doctor"]);
    assert_eq!(doctor.code, Some(1), "{doctor:?}");
    assert!(doctor.out.contains("FAIL lab"), "{doctor:?}");
}

#[test]
fn a_platform_that_hangs_is_given_up() {
    let home = Home::new();
    let socket = home.path("hangs.sock");
    // It takes connections into its queue and never answers.
    let _listener = std::os::unix::net::UnixListener::bind(&socket).expect("a socket");
    home.configure(&format!(
        "[[connections]]\nname = \"lab\"\nplatform = \"swarm\"\nhost = \"unix://{}\"\n",
        socket.display()
    ));
    let begun = std::time::Instant::now();
    let doctor = home.run(&["doctor"]);
    assert_eq!(doctor.code, Some(1), "{doctor:?}");
    assert!(doctor.out.contains("FAIL lab"), "{doctor:?}");
    assert!(begun.elapsed() < Duration::from_secs(20));
}
