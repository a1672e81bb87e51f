//! What the console writes to a terminal: whole frames and nothing between them, nothing while nothing changes, at
//! every size and on every kind of terminal.

use std::time::Duration;

use crate::{
    frozen,
    harness::{Console, FRAME_BEGINS, FRAME_ENDS, Home},
    listed, open,
};

const SOON: Duration = Duration::from_secs(4);
/// Without these the terminal would not be ours; they cannot be within a frame.
const TAKEN: &[u8] = b"\x1b[?1049h\x1b[?2004h\x1b[?25l";
const GIVEN_BACK: &[u8] = b"\x1b[?1049l";

fn find(stream: &[u8], mark: &[u8]) -> Option<usize> {
    stream.windows(mark.len()).position(|window| window == mark)
}

/// The frames in `stream`, and what stands before, between and behind them.
fn frames(mut stream: &[u8]) -> (Vec<Vec<u8>>, Vec<Vec<u8>>) {
    let (mut frames, mut outside) = (Vec::new(), Vec::new());
    while let Some(begin) = find(stream, FRAME_BEGINS) {
        let (before, rest) = stream.split_at(begin);
        outside.push(before.to_vec());
        let rest = &rest[FRAME_BEGINS.len()..];
        let end = find(rest, FRAME_ENDS).expect("a frame that begins ends");
        frames.push(rest[..end].to_vec());
        stream = &rest[end + FRAME_ENDS.len()..];
    }
    outside.push(stream.to_vec());
    (frames, outside)
}

/// The numbers of every SGR sequence in `stream`.
fn sgr(stream: &[u8]) -> Vec<Vec<u16>> {
    let text = String::from_utf8_lossy(stream);
    let pieces = text.split("\x1b[").skip(1);
    pieces
        .filter_map(|piece| {
            let end = piece.find(|c: char| !(c.is_ascii_digit() || c == ';' || c == ':'))?;
            let (numbers, rest) = piece.split_at(end);
            rest.starts_with('m').then(|| numbers.split([';', ':']).map(|it| it.parse().unwrap_or(0)).collect())
        })
        .collect()
}

/// Visits everything a person can look at without changing anything.
fn look_around(console: &Console) {
    for keys in ["2", "3", "j", "j", "d"] {
        console.keys(keys);
        console.rests(Duration::from_millis(150));
    }
    console.keys("\x1b");
    console.rests(Duration::from_millis(200));
    for keys in ["4", "5", "6", "7", "8", "9", "1", "?"] {
        console.keys(keys);
        console.rests(Duration::from_millis(150));
    }
    console.keys("\x1b");
    console.rests(Duration::from_millis(200));
}

#[test]
fn every_byte_belongs_to_a_frame() {
    let home = Home::new();
    let console = open(&home);
    look_around(&console);
    console.resize(90, 20);
    console.rests(Duration::from_millis(300));
    console.keys("q");
    console.ends(SOON);
    let (frames, outside) = frames(&console.stream());
    assert!(frames.len() > 10, "only {} frames", frames.len());
    let (first, rest) = outside.split_first().expect("something stands before the first frame");
    let (last, between) = rest.split_last().expect("something stands behind the last");
    assert_eq!(first, TAKEN, "before the first frame the terminal is taken over, and nothing else");
    assert!(last.ends_with(GIVEN_BACK), "after the last one it is given back: {:?}", String::from_utf8_lossy(last));
    let between: Vec<&Vec<u8>> = between.iter().filter(|bytes| !bytes.is_empty()).collect();
    assert_eq!(between, Vec::<&Vec<u8>>::new(), "nothing is written between frames");
    for frame in &frames {
        assert!(!frame.is_empty(), "no frame is empty");
        assert!(find(frame, b"\x1b[?1049").is_none(), "no frame leaves the screen");
    }
}

#[test]
fn nothing_is_written_while_nothing_changes() {
    let home = Home::new();
    let console = open(&home);
    for pane in ["1", "2", "3", "4", "5", "6", "7", "8", "9"] {
        console.keys(pane);
        console.rests(Duration::from_millis(400));
        assert_eq!(console.written_within(Duration::from_secs(3)), 0, "on pane {pane}");
    }
}

/// How much processor time a process has used, in ticks of the kernel: a hundredth of a second.
fn ticks(process: u32) -> u64 {
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).expect("the process is there");
    let (_, fields) = stat.rsplit_once(')').expect("its name stands in brackets");
    let field = |number: usize| fields.split_whitespace().nth(number).and_then(|field| field.parse::<u64>().ok());
    field(11).zip(field(12)).map(|(user, system)| user + system).expect("user and system time")
}

#[test]
fn a_console_that_nothing_happens_to_does_nothing() {
    let home = Home::new();
    let frozen = open(&home);
    // And one whose platform cannot be reached: it waits for the next try, and does not spin.
    let away = Home::new();
    away.configure("[[connections]]\nname = \"lab\"\nplatform = \"swarm\"\nhost = \"unix:///nowhere/docker.sock\"\n");
    let alone = away.console(&[]).size(140, 40).open();
    alone.until("the connection down", |screen| screen.has("lab") && screen.has("retry"));
    for console in [&frozen, &alone] {
        console.rests(Duration::from_millis(500));
        let before = ticks(console.id());
        console.written_within(Duration::from_secs(4));
        let used = ticks(console.id()) - before;
        assert!(used <= 8, "{used} hundredths of a second in four seconds, without optimisation");
    }
}

#[test]
fn a_key_that_means_nothing_writes_nothing() {
    let home = Home::new();
    let console = open(&home);
    console.keys("3");
    console.rests(Duration::from_millis(400));
    console.keys("\x1b[24~");
    assert_eq!(console.written_within(Duration::from_secs(1)), 0);
}

#[test]
fn a_cursor_that_moves_costs_little() {
    let home = Home::new();
    let console = frozen(&home).size(200, 50).variable("COLORTERM", "truecolor").open();
    listed(&console);
    // A table repaints what it tells of the row besides the row itself.
    for (pane, most) in [("1", 600), ("4", 1_000)] {
        console.keys(pane);
        console.rests(Duration::from_millis(400));
        let before = console.stream().len();
        console.keys("j");
        console.rests(Duration::from_millis(300));
        let moved = console.stream().len() - before;
        assert!((1..=most).contains(&moved), "one line down on pane {pane} wrote {moved} bytes");
    }
}

#[test]
fn a_locale_without_unicode_gets_ascii() {
    let home = Home::new();
    let console = frozen(&home).variable("LC_ALL", "C").open();
    listed(&console);
    look_around(&console);
    let stream = console.stream();
    let beyond =
        stream.iter().position(|byte| !byte.is_ascii()).map(|at| stream[at..].iter().take(40).collect::<Vec<_>>());
    assert_eq!(beyond, None);
}

#[test]
fn every_size_has_a_screen() {
    let home = Home::new();
    let console = frozen(&home).size(2, 2).open();
    console.until("the alternate screen", |screen| screen.alternate);
    console.rests(Duration::from_millis(700));
    for columns in [1, 2, 3, 5, 9, 17, 33, 60, 79, 80, 120, 200, 300] {
        for rows in [1, 2, 3, 4, 5, 7, 12, 24, 50, 100] {
            let before = console.stream().len();
            console.resize(columns, rows);
            console.writes_beyond(before);
        }
    }
    console.shows("DEMO");
    for pane in ["1", "2", "3", "4", "5", "6", "7", "8", "9", "?"] {
        console.keys(pane);
        for (columns, rows) in [(1, 1), (3, 2), (7, 1), (1, 40), (20, 5), (40, 10), (300, 100)] {
            let before = console.stream().len();
            console.resize(columns, rows);
            console.writes_beyond(before);
        }
    }
    console.keys("\x1b");
    console.rests(Duration::from_millis(300));
    console.keys("q");
    assert_eq!(console.ends(SOON), Some(0));
}

#[test]
fn what_lies_over_a_pane_fits_every_size_too() {
    let home = Home::new();
    let console = open(&home);
    for keys in ["3d", "3R", "?", ":", "3/", "3s", "m", "c", ":theme "] {
        for key in keys.chars() {
            console.keys(&key.to_string());
            console.rests(Duration::from_millis(120));
        }
        for (columns, rows) in [(1, 1), (2, 9), (11, 3), (30, 8), (80, 24), (5, 60), (140, 40)] {
            let before = console.stream().len();
            console.resize(columns, rows);
            console.writes_beyond(before);
        }
        for _ in 0..3 {
            console.keys("\x1b");
            console.rests(Duration::from_millis(120));
        }
    }
    console.keys("q");
    assert_eq!(console.ends(SOON), Some(0));
}

#[test]
fn a_storm_of_sizes_ends_in_the_screen_of_the_last() {
    let home = Home::new();
    let console = open(&home);
    let before = console.screen();
    for step in 0..400_u16 {
        console.resize(1 + step * 37 % 300, 1 + step * 23 % 100);
    }
    console.resize(140, 40);
    console.until("the screen as it was", |screen| *screen == before);
}

fn opens_and_ends(console: &Console) {
    listed(console);
    console.keys("3");
    console.until("the services", |screen| screen.has("auth"));
    console.keys("q");
    assert_eq!(console.ends(SOON), Some(0));
    assert_eq!(console.left_behind(), Vec::<String>::new());
}

#[test]
fn every_kind_of_terminal_has_a_screen() {
    for term in ["xterm", "xterm-256color", "screen", "screen-256color", "tmux-256color", "linux", "vt100", "dumb", ""]
    {
        let home = Home::new();
        opens_and_ends(&frozen(&home).variable("TERM", term).open());
    }
    let home = Home::new();
    opens_and_ends(&frozen(&home).without("TERM").open());
}

/// Colours as SGR numbers them: the eight, the bright eight, and those of 256 or 24 bits.
fn is_colour(number: u16) -> bool {
    matches!(number, 30..=38 | 40..=48 | 90..=97 | 100..=107)
}

#[test]
fn no_color_means_no_colour_at_all() {
    let home = Home::new();
    let console = frozen(&home).variable("NO_COLOR", "1").variable("COLORTERM", "truecolor").open();
    listed(&console);
    look_around(&console);
    let coloured: Vec<Vec<u16>> =
        sgr(&console.stream()).into_iter().filter(|numbers| numbers.iter().copied().any(is_colour)).collect();
    assert_eq!(coloured, Vec::<Vec<u16>>::new());
}

#[test]
fn colours_are_as_many_as_the_terminal_has() {
    let deepest = |term: &str, colorterm: &str| {
        let home = Home::new();
        let console = frozen(&home).variable("TERM", term).variable("COLORTERM", colorterm).open();
        listed(&console);
        let numbers = sgr(&console.stream());
        let has = |depth: u16| {
            numbers.iter().any(|numbers| numbers.windows(2).any(|two| matches!(two, [38 | 48, d] if *d == depth)))
        };
        match (has(2), has(5)) {
            (true, _) => "24 bits",
            (false, true) => "256",
            (false, false) => "16",
        }
    };
    assert_eq!(deepest("xterm-256color", "truecolor"), "24 bits");
    assert_eq!(deepest("xterm-256color", ""), "256");
    assert_eq!(deepest("linux", ""), "16");
}
