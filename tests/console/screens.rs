//! Keys in, screen out: what a person sees of the frozen fleet.

use std::time::Duration;

use crate::{
    harness::{Console, ENTER, ESCAPE, Home, PATIENCE, Screen},
    open,
};

const PANES: [(&str, &str); 10] = [
    ("1", "Overview"),
    ("2", "Nodes"),
    ("3", "Services"),
    ("4", "Tasks"),
    ("5", "Health"),
    ("6", "Pipelines"),
    ("7", "Logs"),
    ("8", "Operations"),
    ("9", "Stacks"),
    ("0", "Objects"),
];

/// The line above the pane: where one is.
fn title(screen: &Screen) -> &str {
    screen.rows.get(2).map_or("", |row| row.trim())
}

fn at(console: &Console, place: &str) -> Screen {
    console.until(place, |screen| title(screen).starts_with(place))
}

/// The row under the cursor.
fn cursor(screen: &Screen) -> Option<String> {
    screen.row("▸").map(|row| row.trim().to_owned())
}

/// The rows of a table, without the strip below it.
fn rows_with<'a>(screen: &'a Screen, word: &'a str) -> impl Iterator<Item = &'a String> {
    screen.rows.iter().skip(4).filter(move |row| row.contains(word))
}

/// Filters by `text`, and waits until the line in which it is typed is gone: the rows are narrowed while one types.
fn filter(console: &Console, text: &str) {
    console.keys("/");
    console.keys(text);
    console.keys(ENTER);
    let typed = format!("/{text}");
    console.until("the filter", |screen| {
        let typing = screen.rows.last().is_some_and(|row| row.trim_start().starts_with(&typed));
        title(screen).contains(&typed) && !typing
    });
}

#[test]
fn every_pane_is_one_key_away() {
    let home = Home::new();
    let console = open(&home);
    for (key, name) in PANES.iter().chain(PANES.iter().rev()) {
        console.keys(key);
        let screen = at(&console, name);
        assert!(screen.has("DEMO"), "{}", screen.text());
    }
}

#[test]
fn tab_goes_through_all_panes_and_back() {
    let home = Home::new();
    let console = open(&home);
    at(&console, "Overview");
    for (_, name) in PANES.iter().skip(1) {
        console.keys("\t");
        at(&console, name);
    }
    console.keys("\t");
    at(&console, "Overview");
    console.keys("\x1b[Z");
    at(&console, "Objects");
}

#[test]
fn the_overview_shows_lanes_attention_and_connections() {
    let home = Home::new();
    let console = open(&home);
    let screen = at(&console, "Overview");
    for word in ["ATTENTION", "rollout stalled", "test stack was never removed", "newswatch_ml", "prod", "staging"] {
        assert!(screen.has(word), "{word}:\n{}", screen.text());
    }
    console.until("the connections", |screen| screen.has("CONNECTIONS") && screen.has("embedded://newswatch"));
}

#[test]
fn the_overview_does_not_say_that_all_is_well_before_it_has_looked() {
    let home = Home::new();
    let console = open(&home);
    let written = String::from_utf8_lossy(&console.stream()).into_owned();
    assert!(!written.contains("Nothing needs attention"), "eighteen things do");
}

#[test]
fn tables_have_rows_and_headings() {
    let home = Home::new();
    let console = open(&home);
    for (key, name, words) in [
        ("2", "Nodes", ["newswatch-leader", "newswatch-spot-"]),
        ("3", "Services", ["auth", "prod"]),
        ("4", "Tasks", ["running", "api-"]),
        ("5", "Health", ["/health", "prod"]),
        ("6", "Pipelines", ["newswatch", "absolute"]),
        ("9", "Stacks", ["newswatch", "registry"]),
        ("0", "Objects", ["certificates", "ingresses"]),
    ] {
        console.keys(key);
        at(&console, name);
        for word in words {
            console
                .until(&format!("{word} in {name}"), |screen| screen.rows.iter().skip(3).any(|row| row.contains(word)));
        }
    }
}

#[test]
fn help_says_what_the_keys_of_this_place_do() {
    let home = Home::new();
    let console = open(&home);
    console.keys("3");
    at(&console, "Services");
    console.keys("?");
    let help = console.shows("Moving");
    assert!(help.has("go in: service to tasks to logs"), "{}", help.text());
    console.keys("G");
    // What goes by name only stands last.
    console.shows("choose the theme");
    console.keys(ESCAPE);
    console.hides("Moving");
    at(&console, "Services");
}

#[test]
fn the_palette_finds_commands_by_a_few_letters() {
    let home = Home::new();
    let console = open(&home);
    console.keys(":");
    console.shows("Commands");
    console.keys("nod");
    console.until("nodes first", |screen| screen.has(":nod") && screen.has("machines: role"));
    console.keys(ENTER);
    at(&console, "Nodes");
    console.keys(":services env:prod auth");
    console.rests(Duration::from_millis(200));
    console.keys(ENTER);
    let services = at(&console, "Services");
    assert!(title(&services).contains("env:prod auth"), "{}", title(&services));
    console.keys(":qqqq");
    console.shows("No command is called that");
    console.keys(ESCAPE);
    console.hides("No command is called that");
    console.keys(":quit");
    console.rests(Duration::from_millis(200));
    console.keys(ENTER);
    assert_eq!(console.ends(PATIENCE), Some(0));
}

#[test]
fn a_filter_narrows_and_survives_and_is_cleared() {
    let home = Home::new();
    let console = open(&home);
    console.keys("3");
    let all = at(&console, "Services");
    filter(&console, "env:prod auth");
    let narrowed = at(&console, "Services");
    assert!(title(&narrowed).contains(" of "), "{}", title(&narrowed));
    assert!(rows_with(&narrowed, "auth").count() > 0);
    assert_eq!(rows_with(&narrowed, "webservice").count(), 0, "{}", narrowed.text());
    console.keys("2");
    at(&console, "Nodes");
    console.keys("3");
    console.until("the same rows", |screen| *screen == narrowed);
    console.resize(100, 30);
    console.until("the filter at another size", |screen| title(screen).contains("/env:prod auth"));
    console.resize(140, 40);
    console.until("the same rows again", |screen| *screen == narrowed);
    console.keys(ESCAPE);
    console.until("all rows", |screen| title(screen) == title(&all));
}

#[test]
fn a_filter_that_is_wrong_says_so_while_it_is_typed() {
    let home = Home::new();
    let console = open(&home);
    console.keys("3");
    at(&console, "Services");
    console.keys("/bogus:x");
    console.until("what is wrong", |screen| screen.rows.last().is_some_and(|row| row.contains('▲')));
    console.keys(ESCAPE);
    console.until("no filter", |screen| !title(screen).contains("bogus"));
}

#[test]
fn a_filter_that_hides_everything_says_so() {
    let home = Home::new();
    let console = open(&home);
    console.keys("3");
    at(&console, "Services");
    filter(&console, "nothing-is-called-that");
    console.shows("The filter hides all");
}

#[test]
fn sorting_keeps_the_row_under_the_cursor() {
    let home = Home::new();
    let console = open(&home);
    console.keys("3");
    at(&console, "Services");
    filter(&console, "env:prod");
    console.keys("jjj");
    console.rests(Duration::from_millis(300));
    let name = |screen: &Screen| cursor(screen).map(|row| row.split_whitespace().take(3).collect::<Vec<_>>().join(" "));
    let before = console.screen();
    let chosen = name(&before).expect("a row under the cursor");
    let order =
        |screen: &Screen| screen.rows.get(3).map(|row| (row.contains('↑'), row.contains('↓'))).unwrap_or_default();
    console.keys("o");
    let turned = console.until("another order", |screen| order(screen) != order(&before));
    assert_eq!(name(&turned).as_ref(), Some(&chosen), "{}", turned.text());
    console.keys("s");
    console.shows("Sort by");
    console.keys("j");
    console.rests(Duration::from_millis(150));
    console.keys(ENTER);
    let sorted = console.hides("Sort by");
    assert_eq!(name(&sorted).as_ref(), Some(&chosen), "{}", sorted.text());
    console.keys(">");
    console.rests(Duration::from_millis(300));
    assert_eq!(name(&console.screen()).as_ref(), Some(&chosen));
}

#[test]
fn service_to_tasks_to_logs_takes_three_keys_and_escape_leads_back() {
    let home = Home::new();
    let console = open(&home);
    console.keys("3");
    at(&console, "Services");
    filter(&console, "auth env:prod");
    // What is compared later is a screen that has come to rest.
    console.rests(Duration::from_millis(300));
    let services = console.screen();
    console.keys(ENTER);
    console.until("the tasks of auth", |screen| title(screen).starts_with("Services › newswatch_auth"));
    console.rests(Duration::from_millis(300));
    let tasks = console.screen();
    assert!(rows_with(&tasks, "auth").count() >= 3, "{}", tasks.text());
    console.keys(ENTER);
    let logs = console.until("the log of a task", |screen| title(screen).starts_with("Services › newswatch_auth ›"));
    assert!(logs.text() != tasks.text());
    console.keys(ESCAPE);
    console.until("the tasks again", |screen| *screen == tasks);
    console.keys(ESCAPE);
    console.until("the services again", |screen| *screen == services);
}

#[test]
fn l_shows_the_log_lines_of_a_service() {
    let home = Home::new();
    let console = open(&home);
    console.keys("3");
    at(&console, "Services");
    filter(&console, "auth env:prod");
    console.keys("l");
    console.until("log lines", |screen| {
        title(screen).starts_with("Services › newswatch_auth")
            && screen.rows.iter().skip(3).filter(|row| !row.is_empty()).count() > 10
    });
}

#[test]
fn describe_shows_sections_and_the_platforms_own_answer() {
    let home = Home::new();
    let console = open(&home);
    console.keys("3");
    at(&console, "Services");
    filter(&console, "auth env:prod");
    console.keys("d");
    let sections = console.shows("service newswatch_auth");
    console.keys("r");
    let yaml = console.shows("as YAML");
    console.keys("r");
    let json = console.shows("as JSON");
    assert!(json.has("\": ") && !yaml.has("\": "), "{}", json.text());
    console.keys("r");
    console.until("sections again", |screen| screen.has("service newswatch_auth") && !screen.has("as JSON"));
    assert!(sections.text() != yaml.text() && yaml.text() != json.text());
    console.keys(ESCAPE);
    console.hides("service newswatch_auth");
    at(&console, "Services");
}

#[test]
fn rows_can_be_marked() {
    let home = Home::new();
    let console = open(&home);
    console.keys("3");
    at(&console, "Services");
    filter(&console, "env:prod");
    console.keys(" ");
    console.shows("◆ 1 marked");
    console.keys("*");
    console.until("all of them", |screen| screen.has("marked") && !screen.has("◆ 1 marked"));
    console.keys(ESCAPE);
    console.until("no filter", |screen| !title(screen).contains("env:prod"));
    assert!(title(&console.screen()).contains("marked"), "the filter goes first");
    console.keys(ESCAPE);
    console.until("none", |screen| !title(screen).contains("marked"));
}

#[test]
fn the_theme_can_be_changed_while_it_runs() {
    let home = Home::new();
    let console = open(&home);
    let before = console.screen();
    let written = console.stream().len();
    console.keys(":theme light");
    console.rests(Duration::from_millis(200));
    console.keys(ENTER);
    console.rests(Duration::from_millis(400));
    console.until("the same text", |screen| screen.rows.get(3..30) == before.rows.get(3..30));
    assert!(console.stream().len() - written > 2_000, "everything is painted in other colours");
}

#[test]
fn connections_and_messages_are_lists() {
    let home = Home::new();
    let console = open(&home);
    console.keys("c");
    console.until("connections", |screen| screen.has("absolute") && screen.has("newswatch") && screen.has("embedded"));
    console.keys(ESCAPE);
    console.rests(Duration::from_millis(200));
    console.keys("m");
    console.shows("What was said so far");
    console.keys(ESCAPE);
    console.hides("What was said so far");
}

#[test]
fn with_nothing_configured_or_found_the_embedded_fleet_opens() {
    let home = Home::new();
    home.configure("[console]\ndiscover = false\n");
    let console = home.console(&[]).size(140, 40).open();
    console.until("the embedded fleet", |screen| screen.has("DEMO") && screen.has("newswatch"));
}

#[test]
fn a_platform_that_fails_is_shown_failing_and_never_replaced_by_the_embedded_fleet() {
    let home = Home::new();
    let socket = home.path("no.sock");
    home.configure(&format!(
        "[[connections]]\nname = \"lab\"\nplatform = \"swarm\"\nhost = \"unix://{}\"\n",
        socket.display()
    ));
    let console = home.console(&[]).size(140, 40).open();
    let screen = console.until("the connection down", |screen| screen.has("lab") && screen.has("retry"));
    assert!(!screen.has("DEMO"), "{}", screen.text());
    console.keys("3");
    console.shows("no.sock");
    console.keys("q");
    assert_eq!(console.ends(PATIENCE), Some(0));
}

#[test]
fn a_platform_that_hangs_delays_neither_frame_nor_key_nor_end() {
    let home = Home::new();
    let socket = home.path("hangs.sock");
    let _listener = std::os::unix::net::UnixListener::bind(&socket).expect("a socket");
    home.configure(&format!(
        "[[connections]]\nname = \"lab\"\nplatform = \"swarm\"\nhost = \"unix://{}\"\n",
        socket.display()
    ));
    let console = home.console(&[]).size(140, 40).open();
    console.shows("lab");
    console.keys("3");
    at(&console, "Services");
    console.shows("Waiting for services of lab");
    console.keys("q");
    assert_eq!(console.ends(Duration::from_secs(4)), Some(0));
}

#[test]
fn a_fleet_that_opened_because_nothing_was_found_stands_still_too() {
    let asked = Home::new();
    let expected = open(&asked).screen();
    let home = Home::new();
    home.configure("[demo]\ndeltas = 0\n");
    let console = home.console(&[]).size(140, 40).open();
    console.until("the screen of --demo=deltas=0", |screen| screen.rows == expected.rows);
}
