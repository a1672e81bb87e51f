//! However the console ends or stops, the terminal is given back; and it ends soon.

use std::time::Duration;

use rustix::process::Signal;

use crate::{
    frozen,
    harness::{Home, Process, Session},
    listed, open,
};

/// A console that is asked to end has a second for it; the rest is for a machine that is busy with other tests.
const SOON: Duration = Duration::from_secs(4);

fn ends_well_by(act: impl Fn(&crate::harness::Console)) {
    let home = Home::new();
    let console = open(&home);
    assert_ne!(console.left_behind(), Vec::<String>::new(), "the console has the terminal");
    act(&console);
    assert_eq!(console.ends(SOON), Some(0));
    assert_eq!(console.left_behind(), Vec::<String>::new());
    assert_eq!(console.screen().text().trim(), "", "nothing is printed where the shell goes on");
}

#[test]
fn q_ends_the_console_and_gives_the_terminal_back() {
    ends_well_by(|console| console.keys("q"));
}

#[test]
fn control_c_ends_the_console_and_gives_the_terminal_back() {
    ends_well_by(|console| console.keys("\x03"));
}

#[test]
fn sigterm_ends_the_console_and_gives_the_terminal_back() {
    ends_well_by(|console| console.signal(Signal::TERM));
}

#[test]
fn sigint_ends_the_console_and_gives_the_terminal_back() {
    ends_well_by(|console| console.signal(Signal::INT));
}

#[test]
fn sigquit_ends_the_console_and_gives_the_terminal_back() {
    ends_well_by(|console| console.signal(Signal::QUIT));
}

#[test]
fn sighup_ends_the_console_and_gives_the_terminal_back() {
    ends_well_by(|console| console.signal(Signal::HUP));
}

#[test]
fn a_signal_before_the_fleet_is_listed_still_gives_the_terminal_back() {
    let home = Home::new();
    let console = frozen(&home).open();
    console.until("the alternate screen", |screen| screen.alternate);
    console.signal(Signal::TERM);
    console.ends(SOON);
    assert_eq!(console.left_behind(), Vec::<String>::new());
}

#[test]
fn a_terminal_that_goes_away_ends_the_console() {
    let home = Home::new();
    let mut console = open(&home);
    console.hang_up();
    console.dies(SOON);
}

#[test]
fn a_terminal_that_goes_away_without_a_signal_ends_the_console_too() {
    let home = Home::new();
    let mut console = frozen(&home).session(Session::None).open();
    listed(&console);
    console.hang_up();
    console.dies(SOON);
}

#[test]
fn a_terminal_that_does_not_read_does_not_hold_up_the_end() {
    let home = Home::new();
    let console = open(&home);
    console.stall();
    // More frames than any terminal's buffer holds.
    for pane in ["2", "3", "4", "5", "1"].iter().cycle().take(60) {
        console.keys(pane);
        console.keys("\x0c");
    }
    console.signal(Signal::TERM);
    console.dies(SOON);
    assert_eq!(console.changed_modes(), Vec::<String>::new(), "the modes need no reader");
}

#[test]
fn a_terminal_that_reads_again_shows_the_newest_frame_whole() {
    let home = Home::new();
    let console = open(&home);
    console.stall();
    for pane in ["2", "3", "4", "5"].iter().cycle().take(60) {
        console.keys(pane);
        console.keys("\x0c");
    }
    console.keys("3");
    console.flow();
    let after = console.rests(Duration::from_millis(600));
    console.keys("\x0c");
    assert_eq!(console.rests(Duration::from_millis(600)), after, "a full repaint shows the same");
}

fn stops_and_goes_on(stop: impl Fn(&crate::harness::Console)) {
    let home = Home::new();
    let console = open(&home);
    let before = console.screen();
    stop(&console);
    console.stops();
    console.wait("the shell's screen", SOON, |screen, _| (!screen.alternate).then_some(()));
    assert_eq!(console.left_behind(), Vec::<String>::new(), "while stopped the terminal is the shell's");
    let written = console.stream().len();
    console.signal(Signal::CONT);
    console.until("the same screen", |screen| *screen == before);
    assert_eq!(console.process(), Process::Runs);
    console.rests(Duration::from_millis(300));
    let repaint = console.stream().split_off(written);
    assert!(repaint.windows(4).any(|bytes| bytes == b"\x1b[2J"), "whatever the shell left is cleared");
    assert_ne!(console.changed_modes(), Vec::<String>::new(), "keys come one by one again");
    console.keys("?");
    console.until("keys are heard", |screen| *screen != before);
    console.signal(Signal::TERM);
    console.ends(SOON);
    assert_eq!(console.left_behind(), Vec::<String>::new());
}

#[test]
fn sigtstp_gives_the_terminal_to_the_shell_until_sigcont() {
    stops_and_goes_on(|console| console.signal(Signal::TSTP));
}

#[test]
fn control_z_gives_the_terminal_to_the_shell_until_sigcont() {
    stops_and_goes_on(|console| console.keys("\x1a"));
}

#[test]
fn stopping_twice_is_as_good_as_once() {
    let home = Home::new();
    let console = open(&home);
    let before = console.screen();
    for _ in 0..2 {
        console.signal(Signal::TSTP);
        console.stops();
        console.wait("the shell's screen", SOON, |screen, _| (!screen.alternate).then_some(()));
        assert_eq!(console.left_behind(), Vec::<String>::new());
        console.signal(Signal::CONT);
        console.until("the same screen", |screen| *screen == before);
    }
}

#[test]
fn a_stop_that_cannot_be_caught_is_repainted_after() {
    let home = Home::new();
    let console = open(&home);
    let before = console.screen();
    let written = console.stream().len();
    console.signal(Signal::STOP);
    console.stops();
    console.signal(Signal::CONT);
    console.writes_beyond(written);
    console.until("the same screen", |screen| *screen == before);
}

#[test]
fn a_size_that_changed_while_it_was_stopped_is_heeded() {
    let home = Home::new();
    let console = open(&home);
    console.signal(Signal::TSTP);
    console.stops();
    console.resize(90, 25);
    console.signal(Signal::CONT);
    let smaller = console.until("the console again", |screen| screen.alternate && screen.has("DEMO"));
    assert_eq!(smaller.rows.len(), 25);
    console.until("a footer in the last row", |screen| screen.rows.last().is_some_and(|row| !row.is_empty()));
}
