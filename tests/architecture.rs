//! The architecture, as a test: who may use whom, where clocks, colours and changes may be, and how files are kept.
//! ARCHITECTURE.md says why; here is what is enforced. A new rule comes with a source that breaks it (see `caught`).

#[path = "architecture/source.rs"]
mod source;

use std::{
    collections::BTreeSet,
    fmt::Write as _,
    fs,
    path::{Path, PathBuf},
};

use quarterdeck::config::{self, Config};
use source::{Mention, Method, Said, Source, Standing, Then};

/// Rooms, and the rooms each may use. `main` may use all and is not listed.
const MAY_USE: &[(&str, &[&str])] = &[
    ("error", &[]),
    ("fleet", &["error"]),
    ("operation", &["error", "fleet"]),
    ("platform", &["error", "fleet", "operation"]),
    ("config", &["error", "fleet", "operation"]),
    ("cli", &["error", "fleet", "operation", "config"]),
    ("adapters", &["error", "fleet", "operation", "platform"]),
    ("app", &["error", "fleet", "operation", "platform"]),
    ("ui", &["error", "fleet", "operation", "app"]),
    ("report", &["error", "fleet", "operation"]),
    ("runtime", &["error", "fleet", "operation", "platform", "app", "ui", "report"]),
    ("lib", &[]),
];

/// Outside crates that belong to some places only, as prefixes of paths under `src/`.
const CRATES: &[(&[&str], &[&str])] = &[
    (&["tokio", "tokio_rustls"], &["adapters", "runtime", "main"]),
    (&["ratatui"], &["ui", "runtime"]),
    (&["crossterm"], &["runtime", "main"]),
    (&["bollard"], &["adapters/swarm"]),
    (&["kube", "k8s_openapi"], &["adapters/kubernetes"]),
    (&["hyper", "hyper_util", "http_body_util"], &["adapters"]),
    (&["clap", "clap_complete"], &["cli", "main"]),
    (&["color_eyre"], &["main"]),
    (&["toml_edit"], &["config", "ui/theme"]),
];

/// Where clocks and `spawn` may be: the runtime, and the files in which adapters poll and wait.
const CLOCKS: &[&str] = &["runtime", "main", "adapters/feed", "adapters/probe", "adapters/demo/player"];

/// Where colours have names: the theme, which chooses them, and the painter, which writes them as bytes.
const COLOURS: &[&str] = &["ui/theme", "runtime/painter"];

/// Longer files hide a second thing that wants a file of its own.
const LINES: usize = 450;

/// One broken rule.
#[derive(Debug, PartialEq, Eq)]
struct Broken {
    rule: &'static str,
    line: usize,
    what: String,
}

#[test]
fn the_source_keeps_to_the_architecture() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let files = rust_files(&root.join("src"));
    assert!(files.len() > 30, "only {} files found under src", files.len());
    let texts: Vec<(String, String)> = files
        .iter()
        .map(|file| {
            let name = file.strip_prefix(root).expect("files were found below the root").to_string_lossy().into_owned();
            (name, fs::read_to_string(file).expect("source files are UTF-8"))
        })
        .collect();
    let mut tests = BTreeSet::new();
    for (name, text) in &texts {
        let read = source::read(name, text, Standing::Code).expect("what compiles can be read");
        tests.extend(read.test_modules);
    }
    let mut said = String::new();
    for (name, text) in &texts {
        let module = source::module_of(name);
        let of_a_test = (1..=module.len()).any(|depth| tests.contains(module.get(..depth).unwrap_or_default()));
        let standing = if of_a_test { Standing::Test } else { Standing::Code };
        for Broken { rule, line, what } in check(name, text, standing) {
            let _ = writeln!(said, "{name}:{line}: [{rule}] {what}");
        }
    }
    assert!(said.is_empty(), "the architecture is broken (see ARCHITECTURE.md):\n{said}");
}

#[test]
fn the_example_configuration_says_the_defaults() {
    is_what_the_code_says("config.example.toml", &config::example());
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let file = config::File::read(&root.join("config.example.toml"), config::Named::Yes);
    let (read, problems) = Config::load(&config::Sources { file, ..config::Sources::default() });
    assert_eq!((read, problems), (Config::default(), Vec::new()));
}

#[test]
fn the_documentation_of_options_says_what_they_are() {
    is_what_the_code_says("docs/configuration.md", &config::documentation());
}

#[test]
fn the_documentation_of_keys_says_what_they_do() {
    is_what_the_code_says("docs/keys.md", &quarterdeck::app::keys_markdown());
}

#[test]
fn the_documentation_of_commands_says_what_they_do() {
    is_what_the_code_says("docs/commands.md", &quarterdeck::cli::documentation());
}

#[test]
fn every_pane_but_logs_can_be_opened_first() {
    let panes = quarterdeck::app::Pane::ALL.map(quarterdeck::app::Pane::word);
    let mut panes: Vec<&str> = panes.into_iter().filter(|pane| *pane != "logs").collect();
    let mut words = config::StartPane::WORDS.to_vec();
    panes.sort_unstable();
    words.sort_unstable();
    assert_eq!(words, panes);
}

/// Compares a document with the code it is printed from. `BLESS=1 cargo test --test architecture` writes it anew.
fn is_what_the_code_says(file: &str, said: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(file);
    if std::env::var_os("BLESS").is_some() {
        fs::write(&path, said).expect("the document can be written");
    }
    let written = fs::read_to_string(&path).unwrap_or_default();
    let line = written.lines().zip(said.lines()).position(|(written, said)| written != said);
    let line = line.unwrap_or_else(|| written.lines().count().min(said.lines().count())) + 1;
    let rule = "is printed from the code: `BLESS=1 cargo test --test architecture` writes it anew";
    assert!(written == said, "{file}:{line}: [documents] {rule}");
}

/// Every rule over one file.
fn check(file: &str, text: &str, standing: Standing) -> Vec<Broken> {
    let source = source::read(file, text, standing).expect("what compiles can be read");
    let place = file.strip_prefix("src/").unwrap_or(file);
    let mut broken = Vec::new();
    kept(place, text, &source, standing, &mut broken);
    for mention in &source.mentions {
        rooms(place, mention, &mut broken);
        crates(place, mention, &mut broken);
        if mention.standing == Standing::Code {
            clocks(place, mention, &mut broken);
            colours(place, mention, &mut broken);
            bounds(mention, &mut broken);
            authority(place, mention, &mut broken);
            raw_changes(place, mention, &mut broken);
        }
    }
    for method in source.methods.iter().filter(|method| method.standing == Standing::Code) {
        called(place, method, &mut broken);
    }
    for said in source.strings.iter().filter(|said| said.standing == Standing::Code) {
        methods(place, said, &mut broken);
    }
    tickets(place, &source, &mut broken);
    broken
}

/// How a file is kept: what it opens with, how long it is, what it is called, that it is where its name says.
fn kept(place: &str, text: &str, source: &Source, standing: Standing, broken: &mut Vec<Broken>) {
    let mut say = |rule, line, what: String| broken.push(Broken { rule, line, what });
    if !text.starts_with("//!") {
        say("opening", 1, "a file opens with `//!`: what it is for, and what it is not".to_owned());
    }
    let lines = text.lines().count().saturating_sub(source.test_lines);
    if lines > LINES && standing == Standing::Code {
        say(
            "length",
            LINES,
            format!("{lines} lines of code, {LINES} at most: find the second thing in it and move it out"),
        );
    }
    for part in place.trim_end_matches(".rs").split('/') {
        if ["utils", "util", "common", "helpers", "helper", "misc", "types"].contains(&part) {
            say("name", 1, format!("`{part}` names nothing: a function lives beside the type it serves"));
        }
    }
    // The modules of the binary are in `main/`, where the library's cannot be mistaken for them.
    let misplaced = source.misplaced.iter().filter(|(_, path)| place != "main.rs" || !path.starts_with("main/"));
    for (line, _) in misplaced {
        say("place", *line, "`#[path]` and `include!` put code where its file name does not say".to_owned());
    }
}

/// Who may use whom.
fn rooms(place: &str, mention: &Mention, broken: &mut Vec<Broken>) {
    let Some(target) = absolute(mention) else { return };
    let own = room_of(place);
    let Some(used) = target.first().map(String::as_str) else { return };
    if own == "adapters" && used == "adapters" {
        let platform = |path: &str| path.split(['/', '.']).nth(1).map(str::to_owned);
        let (here, there) = (platform(place), target.get(1).cloned());
        let shared = ["http", "feed", "mask", "steps"];
        if let (Some(here), Some(there)) = (here, there)
            && here != there
            && here != "rs"
            && place != "adapters.rs"
            && !shared.contains(&there.as_str())
            && is_lower(&there)
        {
            let what = format!(
                "adapter `{here}` uses adapter `{there}`: a platform stands alone; what is shared is {shared:?}"
            );
            broken.push(Broken { rule: "rooms", line: mention.line, what });
        }
        return;
    }
    if own == "main" || own == used || own == "lib" {
        return;
    }
    let allowed = MAY_USE.iter().find(|(room, _)| *room == own).map(|(_, allowed)| *allowed);
    let known = MAY_USE.iter().any(|(room, _)| *room == used);
    let what = match allowed {
        None => format!("`{own}` is no room of the architecture"),
        Some(_) if !known => format!("`{}` is no room of the architecture", target.join("::")),
        Some(allowed) if !allowed.contains(&used) => {
            format!("`{own}` may not use `{used}` (`{}`); it may use {allowed:?}", mention.segments.join("::"))
        }
        Some(_) => return,
    };
    broken.push(Broken { rule: "rooms", line: mention.line, what });
}

/// Which outside crates belong where.
fn crates(place: &str, mention: &Mention, broken: &mut Vec<Broken>) {
    let Some(first) = mention.segments.first() else { return };
    // A single word is a variable or a field far more often than a crate; a use of a crate has a path.
    if mention.segments.len() < 2 {
        return;
    }
    // `ratatui::crossterm` is crossterm under another name.
    let hidden = first == "ratatui" && mention.segments.get(1).is_some_and(|segment| segment == "crossterm");
    let name = if hidden { "crossterm" } else { first.as_str() };
    // Tests of asynchronous code are driven by tokio wherever they are.
    if name == "tokio" && mention.standing == Standing::Test {
        return;
    }
    let Some((_, places)) = CRATES.iter().find(|(names, _)| names.contains(&name)) else { return };
    if !inside(place, places) {
        let what = format!("`{}` here: `{name}` belongs to {places:?} only", mention.segments.join("::"));
        broken.push(Broken { rule: "crates", line: mention.line, what });
    }
}

/// Clocks, waiting and `spawn`.
fn clocks(place: &str, mention: &Mention, broken: &mut Vec<Broken>) {
    let segments: Vec<&str> = mention.segments.iter().map(String::as_str).collect();
    let found = match segments.as_slice() {
        [_, .., "now"] => "reads a clock",
        ["tokio", "time", ..] | ["std", "thread", "sleep"] | ["thread", "sleep"] => "waits",
        [_, .., "spawn" | "spawn_blocking" | "spawn_local"] => "spawns",
        _ => return,
    };
    if !clock_allowed(place) {
        let what = format!("`{}` {found}: time is an argument outside the runtime and {CLOCKS:?}", segments.join("::"));
        broken.push(Broken { rule: "clocks", line: mention.line, what });
    }
}

/// Colours are named by the theme alone; everything else names roles.
fn colours(place: &str, mention: &Mention, broken: &mut Vec<Broken>) {
    let drawn = inside(place, &["ui", "runtime"]) && !inside(place, COLOURS);
    let coloured = mention.segments.iter().any(|it| ["Color", "Stylize"].contains(&it.as_str()));
    if drawn && coloured {
        let what = format!("`{}`: style by role (`theme.failing`), never by colour", mention.segments.join("::"));
        broken.push(Broken { rule: "colours", line: mention.line, what });
    }
}

/// Every queue has an end.
fn bounds(mention: &Mention, broken: &mut Vec<Broken>) {
    let segments: Vec<&str> = mention.segments.iter().map(String::as_str).collect();
    let endless = match segments.as_slice() {
        [.., "unbounded_channel" | "UnboundedSender" | "UnboundedReceiver" | "unbounded"]
        | ["std", "sync", "mpsc", "channel"] => true,
        [.., "mpsc", "channel"] => mention.then == Then::Call(0),
        _ => false,
    };
    if endless {
        let what = format!("`{}` has no bound: a slow reader would fill the memory", segments.join("::"));
        broken.push(Broken { rule: "bounds", line: mention.line, what });
    }
}

/// Permission is made in one place, and so are tickets.
fn authority(place: &str, mention: &Mention, broken: &mut Vec<Broken>) {
    let segments: Vec<&str> = mention.segments.iter().map(String::as_str).collect();
    let (owner, home) = match segments.as_slice() {
        [.., "Authority", "new"] => ("Authority::new", "main"),
        [.., "Ticket", "issue"] => ("Ticket::issue", "runtime/journal"),
        [.., "Authority" | "Ticket"] if mention.then == Then::Renamed => ("renaming it", "no file"),
        _ => return,
    };
    if !inside(place, &[home]) {
        let what =
            format!("`{}`: {owner} belongs to {home}, so that nobody else can permit a change", segments.join("::"));
        broken.push(Broken { rule: "authority", line: mention.line, what });
    }
}

/// Raw requests that change something, outside `write.rs`.
fn raw_changes(place: &str, mention: &Mention, broken: &mut Vec<Broken>) {
    let segments: Vec<&str> = mention.segments.iter().map(String::as_str).collect();
    let raw = matches!(segments.as_slice(), [.., "Method", "POST" | "PUT" | "PATCH" | "DELETE" | "CONNECT"])
        || matches!(segments.as_slice(), [.., "Request", "post" | "put" | "patch" | "delete"]);
    if raw && inside(place, &["adapters"]) && !writes(place) {
        let what = format!("`{}`: requests that change something are sent by write.rs alone", segments.join("::"));
        broken.push(Broken { rule: "writes", line: mention.line, what });
    }
}

/// The same rules for methods.
fn called(place: &str, method: &Method, broken: &mut Vec<Broken>) {
    let name = method.name.as_str();
    let mut say = |rule, what: String| broken.push(Broken { rule, line: method.line, what });
    let clock = ["elapsed", "spawn", "spawn_blocking", "spawn_local"].contains(&name);
    if clock && !clock_allowed(place) {
        say("clocks", format!("`.{name}()`: time is an argument outside the runtime and {CLOCKS:?}"));
    }
    let drawn = inside(place, &["ui", "runtime"]) && !inside(place, COLOURS);
    if drawn && ["fg", "bg", "underline_color"].contains(&name) {
        say("colours", format!("`.{name}(…)`: style by role (`theme.failing`), never by colour"));
    }
    if !inside(place, &["adapters"]) || writes(place) {
        return;
    }
    let swarm = inside(place, &["adapters/swarm"]) && changes_docker(name);
    let kubernetes = inside(place, &["adapters/kubernetes"]) && changes_kubernetes(method);
    if swarm || kubernetes {
        say("writes", format!("`.{name}(…)`: requests that change something are sent by write.rs alone"));
    }
}

/// HTTP methods that change something, as text. A plan says which one will be sent (`method: "POST"`), and `read.rs` is
/// an allow-list in which a review of one's own rights is a POST.
fn methods(place: &str, said: &Said, broken: &mut Vec<Broken>) {
    let writing = ["POST", "PUT", "PATCH", "DELETE", "CONNECT"].contains(&said.text.as_str());
    // The embedded fleet says what a real platform would be sent, and has no wire to send anything on.
    let played = inside(place, &["adapters/demo"]);
    let listed = place.ends_with("/read.rs") || said.field == "method" || played;
    if writing && inside(place, &["adapters"]) && !writes(place) && !listed {
        let what = format!("\"{}\": requests that change something are sent by write.rs alone", said.text);
        broken.push(Broken { rule: "writes", line: said.line, what });
    }
}

/// Whether a method of that name changes something on a Docker engine: a verb that writes, then a thing of Docker's.
fn changes_docker(name: &str) -> bool {
    const VERBS: &[&str] = &[
        "attach",
        "build",
        "commit",
        "connect",
        "create",
        "delete",
        "disable",
        "disconnect",
        "enable",
        "export",
        "import",
        "init",
        "install",
        "join",
        "kill",
        "leave",
        "load",
        "pause",
        "prune",
        "push",
        "remove",
        "rename",
        "resize",
        "restart",
        "set",
        "start",
        "stop",
        "tag",
        "unpause",
        "update",
        "upgrade",
        "upload",
        "wait",
    ];
    const THINGS: &[&str] = &[
        "container",
        "containers",
        "image",
        "images",
        "network",
        "networks",
        "volume",
        "volumes",
        "exec",
        "service",
        "services",
        "node",
        "nodes",
        "swarm",
        "secret",
        "secrets",
        "config",
        "configs",
        "plugin",
        "plugins",
        "build",
        "checkpoint",
        "stack",
        "task",
        "tasks",
    ];
    let mut words = name.split('_');
    let verb = words.next().is_some_and(|first| VERBS.contains(&first));
    verb && words.any(|word| THINGS.contains(&word))
}

/// Whether a method changes something through the kube client. Names that strings and files share are told apart by
/// how many arguments the client's take.
fn changes_kubernetes(method: &Method) -> bool {
    match method.name.as_str() {
        "replace" | "patch" => method.arguments == 3,
        "create" | "delete" | "evict" | "delete_collection" | "exec" | "attach" => method.arguments >= 2,
        "cordon" | "uncordon" | "restart" | "portforward" | "approve" | "connect" => method.arguments >= 1,
        name => ["create_", "patch_", "replace_"].iter().any(|verb| {
            let rest = name.strip_prefix(verb).unwrap_or_default();
            ["status", "scale", "subresource", "approval", "ephemeral_containers", "metadata"].contains(&rest)
        }),
    }
}

/// Whoever sends a change holds the proof that its journal line is on disk.
fn tickets(place: &str, source: &Source, broken: &mut Vec<Broken>) {
    if !writes(place) {
        return;
    }
    for function in source.functions.iter().filter(|it| it.standing == Standing::Code) {
        let said: String = function.parameters.split_whitespace().collect();
        if !said.contains(":Ticket") {
            let what = format!("`{}` takes no `Ticket` by value: no record on disk, no request", function.name);
            broken.push(Broken { rule: "tickets", line: function.line, what });
        }
    }
}

/// The path from the root of the crate that a mention means, where it says so itself.
fn absolute(mention: &Mention) -> Option<Vec<String>> {
    let mut segments = mention.segments.iter();
    let mut path = match segments.next()?.as_str() {
        "crate" | "quarterdeck" if mention.segments.len() > 1 => Vec::new(),
        "self" if mention.segments.len() > 1 => mention.module.clone(),
        "super" => {
            let mut path = mention.module.clone();
            path.pop();
            path
        }
        _ => return None,
    };
    for segment in segments {
        if segment == "super" {
            path.pop();
        } else {
            path.push(segment.clone());
        }
    }
    Some(path)
}

/// The room a file belongs to.
fn room_of(place: &str) -> &str {
    place.split(['/', '.']).next().unwrap_or(place)
}

/// Whether `place` is one of `places`, or a file or folder whose name begins so.
fn inside(place: &str, places: &[&str]) -> bool {
    places.iter().any(|it| place.strip_prefix(it).is_some_and(|rest| rest.is_empty() || rest.starts_with(['/', '.'])))
}

/// Adapters keep what waits and polls in their `feed` file.
fn clock_allowed(place: &str) -> bool {
    let mut parts = place.split('/');
    let own_feed = parts.next() == Some("adapters")
        && parts.next().is_some()
        && parts.next().is_some_and(|part| part == "feed" || part == "feed.rs");
    own_feed || inside(place, CLOCKS)
}

fn writes(place: &str) -> bool {
    inside(place, &["adapters"]) && (place.ends_with("/write.rs") || place.contains("/write/"))
}

fn is_lower(word: &str) -> bool {
    word.chars().next().is_some_and(char::is_lowercase)
}

fn rust_files(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).expect("src can be listed") {
        let path = entry.expect("src can be listed").path();
        if path.is_dir() {
            files.extend(rust_files(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
    files.sort();
    files
}

/// Each rule catches what it is there for.
mod caught {
    use super::{Standing, check};

    /// The rules that `source`, standing in `file`, breaks.
    fn broken(file: &str, source: &str) -> Vec<&'static str> {
        let text = format!("//! Why.\n{source}");
        check(file, &text, Standing::Code).into_iter().map(|it| it.rule).collect()
    }

    fn breaks(rule: &str, file: &str, source: &str) {
        assert_eq!(broken(file, source), [rule], "{file}: {source}");
    }

    fn keeps(file: &str, source: &str) {
        assert_eq!(broken(file, source), Vec::<&str>::new(), "{file}: {source}");
    }

    #[test]
    fn a_room_that_uses_what_it_may_not() {
        breaks("rooms", "src/fleet/store.rs", "use crate::operation::Plan;");
        breaks("rooms", "src/fleet/store.rs", "use crate::{error::Result, operation::{Plan}};");
        breaks("rooms", "src/fleet/store.rs", "fn f() { crate::ui::draw() }");
        breaks("rooms", "src/fleet/store.rs", "fn f(plan: &crate::operation::Plan) {}");
        breaks("rooms", "src/fleet/store.rs", "use super::super::operation::Plan;");
        breaks("rooms", "src/fleet/attention/quorum.rs", "mod inner { use super::super::super::super::app::App; }");
        breaks("rooms", "src/fleet/store.rs", "fn f() { format!(\"{}\", crate::app::NAME); }");
        breaks("rooms", "src/ui/draw.rs", "use crate::runtime::*;");
        breaks("rooms", "src/runtime/effects.rs", "use crate::adapters::swarm::Swarm;");
        breaks("rooms", "src/adapters/swarm.rs", "use crate::config::Config;");
        breaks("rooms", "src/ui/draw.rs", "use crate::elsewhere::X;");
        breaks("rooms", "src/fleet/store.rs", "fn f() { let x = <crate::app::App as Default>::default(); }");
        keeps("src/fleet/store.rs", "use super::{ids::ResourceId, text::Text}; use crate::error::Result;");
        keeps("src/ui/draw.rs", "use crate::{app::App, fleet::{self, Store}};");
        keeps("src/main.rs", "use quarterdeck::{adapters, config::Config, runtime};");
        keeps("src/main/connect.rs", "use quarterdeck::{adapters, config::Config}; use tokio::sync::mpsc;");
    }

    #[test]
    fn an_adapter_that_leans_on_another() {
        breaks("rooms", "src/adapters/swarm/read.rs", "use crate::adapters::kubernetes::Kubernetes;");
        breaks("rooms", "src/adapters/swarm.rs", "use super::demo::player;");
        keeps("src/adapters/swarm/read.rs", "use crate::adapters::{feed, http::Client, swarm::write};");
        keeps("src/adapters.rs", "use self::swarm::Swarm;");
    }

    #[test]
    fn an_outside_crate_in_the_wrong_place() {
        breaks("crates", "src/fleet/log.rs", "use tokio::sync::mpsc;");
        breaks("crates", "src/app/update.rs", "use ratatui::layout::Rect;");
        breaks("crates", "src/ui/draw.rs", "use ratatui::crossterm::event::KeyCode;");
        breaks("crates", "src/ui/draw.rs", "fn f(key: crossterm::event::KeyEvent) {}");
        breaks("crates", "src/adapters/kubernetes/read.rs", "use bollard::Docker;");
        breaks("crates", "src/adapters/swarm/read.rs", "use ::kube::Client;");
        breaks("crates", "src/app/command.rs", "use clap::Parser;");
        keeps("src/adapters/swarm/read.rs", "use bollard::{Docker, query_parameters::*};");
        keeps("src/app/update.rs", "#[cfg(test)] mod tests { #[tokio::test] async fn it_waits() {} }");
    }

    #[test]
    fn a_file_that_is_not_kept() {
        let none = check("src/fleet/x.rs", "fn f() {}", Standing::Code);
        assert_eq!(none.iter().map(|it| it.rule).collect::<Vec<_>>(), ["opening"]);
        breaks("length", "src/fleet/x.rs", &"const A: u8 = 0;\n".repeat(450));
        keeps("src/fleet/x.rs", &"const A: u8 = 0;\n".repeat(449));
        keeps("src/fleet/x.rs", &format!("#[cfg(test)]\nmod tests {{\n{}}}\n", "const A: u8 = 0;\n".repeat(900)));
        breaks("name", "src/fleet/utils.rs", "");
        breaks("name", "src/ui/common/cell.rs", "");
        breaks("place", "src/ui/draw.rs", "#[path = \"../fleet/ids.rs\"] mod ids;");
        breaks("place", "src/main.rs", "#[path = \"ui/draw.rs\"] mod draw;");
        keeps("src/main.rs", "#[path = \"main/connect.rs\"] mod connect;");
        breaks("place", "src/ui/draw.rs", "include!(\"x.rs\");");
    }

    #[test]
    fn a_clock_outside_the_runtime() {
        breaks("clocks", "src/app/update.rs", "fn f() { std::time::Instant::now(); }");
        breaks("clocks", "src/app/update.rs", "fn f() { SystemTime::now(); }");
        breaks("clocks", "src/report/table.rs", "fn f() { let clock = jiff::Timestamp::now; }");
        breaks("clocks", "src/adapters/swarm/read.rs", "use tokio::time::sleep;");
        breaks("clocks", "src/adapters/swarm/read.rs", "fn f() { tokio::spawn(async {}); }");
        breaks("clocks", "src/adapters/swarm/read.rs", "fn f() { set.spawn(async {}); }");
        breaks("clocks", "src/app/update.rs", "fn f() { started.elapsed(); }");
        keeps("src/adapters/swarm/feed.rs", "use tokio::time::sleep;");
        keeps("src/runtime/supervisor.rs", "fn f() { tokio::spawn(async {}); Instant::now(); }");
        keeps("src/app/update.rs", "use std::time::{Duration, Instant}; fn f(now: Timestamp) {}");
        keeps("src/app/update.rs", "#[cfg(test)] mod tests { fn f() { Instant::now(); } }");
        keeps("src/app/update.rs", "#[test] fn f() { Instant::now(); }");
        breaks("clocks", "src/app/update.rs", "#[cfg(test)] use x::{a, b}; fn f() { Instant::now(); }");
    }

    #[test]
    fn a_colour_outside_the_theme() {
        breaks("colours", "src/ui/nodes.rs", "use ratatui::style::Color;");
        breaks("colours", "src/ui/nodes.rs", "use ratatui::{style::{Style, Stylize}};");
        breaks("colours", "src/ui/nodes.rs", "fn f() { Style::new().fg(x); }");
        keeps("src/ui/theme/palette.rs", "use ratatui::style::Color; fn f() { Style::new().fg(Color::Red); }");
        // The painter chooses no colour: it writes those it is given as bytes.
        keeps("src/runtime/painter.rs", "use ratatui::style::Color; fn f(colour: Color) { colour == Color::Red; }");
    }

    #[test]
    fn a_queue_without_an_end() {
        breaks("bounds", "src/runtime/loop.rs", "use tokio::sync::mpsc::unbounded_channel;");
        breaks("bounds", "src/runtime/loop.rs", "fn f() { let (a, b) = mpsc::channel(); }");
        breaks("bounds", "src/runtime/loop.rs", "fn f() { let (a, b) = mpsc::channel::<u8>(); }");
        breaks("bounds", "src/runtime/loop.rs", "use std::sync::mpsc::{channel, Sender};");
        keeps(
            "src/runtime/loop.rs",
            "fn f() { mpsc::channel(64); oneshot::channel(); std::sync::mpsc::sync_channel(1); }",
        );
    }

    #[test]
    fn permission_made_elsewhere() {
        breaks("authority", "src/runtime/effects.rs", "fn f() { Authority::new(Mode::Interactive); }");
        breaks("authority", "src/adapters/demo/write.rs", "fn f() { crate::platform::Ticket::issue(1); }");
        breaks("authority", "src/runtime/effects.rs", "use crate::operation::Authority as Power;");
        keeps("src/main.rs", "fn f() { Authority::new(Mode::Watch); }");
        keeps("src/runtime/journal.rs", "fn f() { Ticket::issue(1); }");
        keeps("src/adapters/demo.rs", "#[cfg(test)] mod tests { fn f() { Ticket::issue(1); } }");
    }

    #[test]
    fn a_change_sent_from_elsewhere() {
        breaks("writes", "src/adapters/swarm/read.rs", "fn f() { docker.update_service(a, b, c, d); }");
        breaks("writes", "src/adapters/swarm/plan.rs", "fn f() { docker.leave_swarm(None); }");
        breaks("writes", "src/adapters/kubernetes/read.rs", "fn f() { api.evict(a, b); }");
        breaks("writes", "src/adapters/kubernetes/read.rs", "fn f() { api.patch::<Node>(a, b, c); }");
        breaks("writes", "src/adapters/kubernetes/read.rs", "fn f() { pods.replace(a, b, c); }");
        // On the wire these are a GET.
        breaks("writes", "src/adapters/kubernetes/verbs/exec.rs", "fn f() { pods.exec(name, command, &asked); }");
        breaks("writes", "src/adapters/kubernetes/verbs/forward.rs", "fn f() { pods.portforward(name, &[80]); }");
        breaks("writes", "src/adapters/kubernetes/logs.rs", "fn f() { client.connect(request); }");
        keeps("src/adapters/kubernetes/verbs/exec.rs", "fn f() { opening.exec(&wanted); }");
        breaks("writes", "src/adapters/http.rs", "fn f() { http::Method::POST; }");
        breaks("writes", "src/adapters/jenkins/read.rs", "fn f() { Request::post(url); }");
        breaks("writes", "src/adapters/jenkins/runs.rs", "fn f() { request.method(\"PUT\"); }");
        breaks("writes", "src/adapters/jenkins/runs.rs", "const HOW: &str = \"DELETE\";");
        keeps("src/adapters/swarm/verbs/roll.rs", "fn f() { Request { method: \"POST\".into() } }");
        keeps(
            "src/adapters/kubernetes/read.rs",
            "const READS: [(&str, &str); 1] = [(\"POST\", \"/selfsubjectreviews\")];",
        );
        keeps("src/adapters/kubernetes/read.rs", "fn f() { name.replace(a, b); options.create(true); }");
        keeps("src/adapters/swarm/read.rs", "fn f() { docker.list_services(None); rows.remove(&id); }");
        keeps(
            "src/adapters/swarm/write.rs",
            "pub fn f(docker: &Docker, ticket: Ticket) { docker.update_service(a, b); }",
        );
    }

    #[test]
    fn a_change_without_a_ticket() {
        breaks("tickets", "src/adapters/swarm/write.rs", "pub(super) async fn roll(docker: &Docker) {}");
        breaks("tickets", "src/adapters/swarm/write.rs", "pub async fn roll(ticket: &Ticket) {}");
        keeps(
            "src/adapters/swarm/write.rs",
            "pub(super) async fn roll(docker: &Docker, ticket: Ticket) {} fn own() {}",
        );
    }
}
