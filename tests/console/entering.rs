//! Going into a container of the embedded fleet: the screen is somebody else's meanwhile, and given back whatever happens.

use std::time::Duration;

use rustix::process::Signal;

use crate::harness::{Console, Home};

const SOON: Duration = Duration::from_secs(4);

/// The console with a shell open in the first task of a service of the embedded cluster that is not protected.
fn inside(home: &Home) -> Console {
    let console = home.console(&["--demo"]).size(140, 40).open();
    console.until("the fleet", |screen| screen.alternate && screen.has("DEMO") && screen.has("services"));
    console.keys("4");
    console.shows("Tasks  ");
    console.keys("/env:dev\r");
    console.until("the tasks of dev", |screen| screen.has("of 123   /env:dev") && screen.has("running"));
    console.keys("E");
    console.shows("y agrees");
    console.keys("y");
    console.until("the played shell", |screen| !screen.alternate && screen.has("A played shell"));
    console
}

#[test]
fn keys_go_to_the_container_and_the_screen_comes_back_as_it_was() {
    let home = Home::new();
    let console = inside(&home);
    console.shows("If nothing answers any more");
    console.keys("echo q and 3 are letters here\r");
    console.shows("q and 3 are letters here");
    console.keys("\x03");
    console.shows("^C");
    console.keys("exit 7\r");
    console.until("the console again", |screen| screen.alternate && screen.has("exit code 7"));
    console.keys("8");
    console.shows("it ended with exit code 7");
    console.keys("q");
    assert_eq!(console.ends(SOON), Some(0));
    assert_eq!(console.left_behind(), Vec::<String>::new());
    let recorded = home.run(&["--demo", "ops", "-o", "json"]);
    assert!(recorded.well().contains("\"exec\""), "who was where is recorded");
    assert!(!recorded.well().contains("letters here"), "what was typed is not");
}

#[test]
fn a_tilde_and_a_dot_leave_without_the_other_side() {
    let home = Home::new();
    let console = inside(&home);
    console.keys("\r~.");
    console.until("the console again", |screen| screen.alternate && screen.has("left without waiting"));
}

#[test]
fn whatever_ends_the_console_gives_the_terminal_back() {
    for signal in [Signal::TERM, Signal::HUP] {
        let home = Home::new();
        let console = inside(&home);
        console.signal(signal);
        assert_eq!(console.ends(SOON), Some(0));
        assert_eq!(console.left_behind(), Vec::<String>::new(), "{signal:?}");
    }
}
