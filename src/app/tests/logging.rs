//! The logs pane.

use std::time::Duration;

use super::{Effect, Kind, Msg, Redraw, Stage, small};
use crate::{
    app::{
        Areas, Size,
        effect::Contents,
        logs::{Find, Progress},
        msg::LogSearchAnswer,
    },
    fleet::{
        Timestamp,
        log::{LogBatch, LogLine, LogMarker, LogSource, LogStream, Severity},
        sample,
    },
};

fn batch(source: &str, at: i64, lines: &[&str]) -> LogBatch {
    let line = |(n, text): (i64, &&str)| LogLine {
        at: Timestamp(at + n * 10),
        stream: LogStream::Out,
        bytes: text.as_bytes().to_vec(),
    };
    LogBatch {
        source: LogSource { id: sample::id(Kind::Task, source), label: source.into(), group: "".into() },
        lines: (0..).zip(lines).map(line).collect(),
        marker: None,
    }
}

/// The log of `api`, on a screen of ten lines.
fn logged(lines: &[&str]) -> Stage {
    let mut stage = Stage::new(small());
    stage.keys("3 l");
    stage.app.drawn(Areas { body: Size::new(80, 10), ..Areas::default() });
    push(&mut stage, batch("api.1", 1_000, lines));
    stage
}

fn push(stage: &mut Stage, batch: LogBatch) {
    let request = stage.app.logs().requests()[0].clone();
    stage.tell(Msg::Log(request, batch)).pass(Duration::from_millis(200));
}

/// What the screen shows.
fn shown(stage: &Stage) -> Vec<String> {
    let logs = stage.app.logs();
    let line = |index| {
        let line = logs.line(index).expect("a line of the window");
        line.marker()
            .map_or_else(|| String::from_utf8_lossy(line.bytes).into_owned(), |it| format!("-- {}", it.words()))
    };
    logs.window(10).map(line).collect()
}

fn numbered(from: usize, to: usize) -> Vec<String> {
    (from..to).map(|n| format!("line {n}")).collect()
}

fn many(count: usize) -> Stage {
    let lines = numbered(0, count);
    let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
    logged(&lines)
}

/// What the runtime answers to the searches among `effects`.
fn answers(effects: Vec<Effect>) -> Vec<LogSearchAnswer> {
    let searches = effects.into_iter().filter_map(|it| if let Effect::SearchLog(it) = it { Some(it) } else { None });
    searches.flat_map(|it| (0..it.pieces.len()).filter_map(|n| it.look(n, &it.pattern)).collect::<Vec<_>>()).collect()
}

/// Does what the runtime does with a search.
fn search(stage: &mut Stage) {
    for answer in answers(stage.wanted()) {
        stage.tell(Msg::LogFound(answer));
    }
}

#[test]
fn the_newest_lines_are_followed_until_one_goes_up() {
    let mut stage = many(30);
    assert_eq!(shown(&stage), numbered(20, 30));
    stage.keys("k");
    assert_eq!(shown(&stage), numbered(19, 29));
    push(&mut stage, batch("api.1", 9_000, &["new"]));
    assert_eq!(shown(&stage), numbered(19, 29));
    stage.keys("G");
    assert_eq!(shown(&stage).last().map(String::as_str), Some("new"));
    push(&mut stage, batch("api.1", 9_900, &["newer"]));
    assert_eq!(shown(&stage).last().map(String::as_str), Some("newer"));
}

#[test]
fn pausing_keeps_what_is_on_screen() {
    let mut stage = many(30);
    stage.keys("f");
    push(&mut stage, batch("api.1", 9_000, &["new"]));
    assert_eq!(shown(&stage), numbered(20, 30));
    stage.keys("f");
    assert_eq!(shown(&stage).last().map(String::as_str), Some("new"));
}

#[test]
fn where_lines_are_broken_a_page_is_what_was_seen() {
    let mut stage = many(30);
    let three = Areas { body: Size::new(80, 10), body_content: 3, ..Areas::default() };
    stage.keys("W");
    stage.app.drawn(three);
    assert!(stage.app.logs().show().wrap.is_on());
    stage.keys("f");
    assert_eq!(shown(&stage)[0], "line 27", "what was on screen stays there");
    stage.app.drawn(three);
    stage.keys("pageup");
    assert_eq!(shown(&stage)[0], "line 25");
    stage.app.drawn(three);
    stage.keys("pagedown pagedown");
    assert_eq!(shown(&stage)[0], "line 29");
    stage.keys("g");
    stage.app.drawn(three);
    assert_eq!(stage.app.logs().current_line().as_deref(), Some("line 2"), "the last one on screen");
    stage.keys("/ '5$ enter");
    search(&mut stage);
    assert_eq!(shown(&stage)[0], "line 5", "it was below the others");
}

#[test]
fn lines_that_come_late_do_not_move_what_is_read() {
    let mut stage = many(30);
    stage.keys("g j j j j j");
    assert_eq!(shown(&stage), numbered(5, 15));
    push(&mut stage, batch("api.2", 500, &["late", "later"]));
    assert_eq!(shown(&stage), numbered(5, 15));
}

#[test]
fn only_matching_lines_and_markers_are_shown_with_a_filter() {
    let mut stage = logged(&["GET /a", "POST /b", "GET /c"]);
    let marker = LogMarker::Gap { lines: Some(7), reason: "the daemon was too slow".into() };
    push(&mut stage, LogBatch { marker: Some(marker), ..batch("api.1", 2_000, &["POST /d"]) });
    stage.keys("& 'get enter");
    assert_eq!(shown(&stage), ["GET /a", "GET /c", "-- 7 lines are missing here: the daemon was too slow"]);
    push(&mut stage, batch("api.1", 3_000, &["GET /e", "POST /f"]));
    assert_eq!(shown(&stage).last().map(String::as_str), Some("GET /e"));
    stage.keys("esc");
    assert_eq!(shown(&stage).len(), 7);
}

#[test]
fn a_broken_expression_is_explained_and_changes_nothing() {
    let mut stage = logged(&["a", "b"]);
    stage.keys("& 'a( enter");
    let Some(super::Overlay::Prompt(prompt)) = stage.overlay() else { panic!("the filter is still being typed") };
    assert!(prompt.problem.as_deref().is_some_and(|it| it.contains("unclosed group")));
    stage.keys("esc");
    assert_eq!(shown(&stage), ["a", "b"]);
}

#[test]
fn severities_go_round_and_by_name() {
    let mut stage = logged(&["INFO up", "ERROR down", "WARN near"]);
    stage.keys(": 'severity space 'warn enter");
    assert_eq!(shown(&stage), ["ERROR down", "WARN near"]);
    stage.keys("v");
    assert_eq!(stage.app.logs().filter().severity, Severity::Error);
    assert_eq!(shown(&stage), ["ERROR down"]);
}

/// Which match of how many.
fn found(stage: &Stage) -> (Option<usize>, usize) {
    let found = stage.app.logs().found_so_far().expect("something is looked for");
    (found.position, found.count)
}

#[test]
fn matches_that_a_filter_hides_do_not_count() {
    let mut stage = logged(&["INFO needle", "WARN needle", "INFO hay", "ERROR needle", "INFO needle"]);
    stage.keys("/ 'needle enter");
    search(&mut stage);
    assert_eq!(found(&stage), (Some(4), 4));
    stage.keys(": 'severity space 'warn enter");
    assert_eq!(found(&stage), (None, 2), "the one that was gone to is hidden");
    stage.keys("N");
    assert_eq!(found(&stage), (Some(2), 2));
    stage.keys("N");
    assert_eq!(found(&stage), (Some(1), 2));
    assert!(shown(&stage).contains(&"WARN needle".to_owned()));
    stage.keys("& 'hay enter n");
    assert_eq!(found(&stage).1, 0);
    assert_eq!(stage.said(), "`needle` is only in lines that the filter hides.");
}

#[test]
fn a_search_runs_elsewhere_and_goes_from_match_to_match() {
    let mut lines = numbered(0, 50);
    lines[10] = "needle a".into();
    lines[30] = "needle b".into();
    let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
    let mut stage = logged(&lines);
    stage.keys("/ 'needle enter");
    search(&mut stage);
    assert_eq!(found(&stage), (Some(2), 2));
    assert!(shown(&stage).contains(&"needle b".to_owned()), "the nearest one up from the end");
    stage.keys("N");
    assert_eq!(found(&stage), (Some(1), 2));
    assert!(shown(&stage).contains(&"needle a".to_owned()));
    stage.keys("n");
    assert!(shown(&stage).contains(&"needle b".to_owned()));
    stage.keys("n");
    assert_eq!(stage.said(), "There is no match further down.");
    push(&mut stage, batch("api.1", 9_000, &["needle c"]));
    stage.keys("n");
    assert!(shown(&stage).contains(&"needle c".to_owned()), "what came in since is found too");
}

#[test]
fn a_search_goes_to_the_nearest_match_once_nothing_nearer_may_come() {
    let mut lines = numbered(0, 50_000);
    for (number, name) in [(15_000, "needle a"), (39_000, "needle b")] {
        lines[number] = name.into();
    }
    let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
    let mut stage = logged(&lines);
    stage.keys("/ 'needle enter");
    let mut found = answers(stage.wanted());
    assert_eq!(found.len(), 3, "pieces, so that the first screen need not wait for the rest");
    let nearest = found.remove(0);
    for answer in found.into_iter().rev() {
        stage.tell(Msg::LogFound(answer));
    }
    assert_eq!(shown(&stage), numbered(49_990, 50_000), "a nearer match may still come");
    stage.tell(Msg::LogFound(nearest));
    assert!(shown(&stage).contains(&"needle b".to_owned()));
}

#[test]
fn many_lines_that_came_in_since_are_searched_elsewhere() {
    let mut stage = logged(&["needle a"]);
    stage.keys("/ 'needle enter");
    search(&mut stage);
    assert!(shown(&stage).contains(&"needle a".to_owned()));
    let mut lines = numbered(0, 30_000);
    lines[29_000] = "needle b".into();
    let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
    push(&mut stage, batch("api.1", 9_000, &lines));
    stage.keys("n");
    assert!(!shown(&stage).contains(&"needle b".to_owned()), "the key does not wait");
    assert_eq!(stage.app.logs().find().map(Find::progress), Some(Progress::Searching));
    search(&mut stage);
    assert!(shown(&stage).contains(&"needle b".to_owned()));
    stage.keys("N");
    assert!(shown(&stage).contains(&"needle a".to_owned()));
}

#[test]
fn a_match_that_the_filter_hides_is_passed_over() {
    let mut stage = logged(&["GET needle", "POST needle", "GET other", "POST needle"]);
    stage.keys("& 'get enter");
    stage.keys("/ 'needle enter");
    search(&mut stage);
    let logs = stage.app.logs();
    assert_eq!((0..logs.len()).filter(|index| logs.is_spot(*index)).collect::<Vec<usize>>(), [0]);
    stage.keys("n");
    assert_eq!(stage.said(), "There is no match further down.");
}

#[test]
fn a_search_that_nobody_waits_for_stops() {
    let mut stage = logged(&["a", "b"]);
    stage.keys("/ 'a enter");
    let old = stage.wanted();
    stage.keys("/ 'b enter");
    assert_eq!(answers(old), []);
}

#[test]
fn an_answer_to_an_older_search_is_dropped() {
    let mut stage = logged(&["a", "b"]);
    stage.keys("/ 'a enter");
    let old = answers(stage.wanted());
    stage.keys("/ 'b enter");
    for answer in old {
        stage.tell(Msg::LogFound(answer));
    }
    assert_eq!(found(&stage), (None, 0));
}

#[test]
fn errors_are_gone_to_in_both_directions() {
    let mut lines = numbered(0, 50);
    lines[0] = "ERROR first".into();
    lines[25] = "ERROR second".into();
    let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
    let mut stage = logged(&lines);
    stage.keys("E");
    assert!(shown(&stage).contains(&"ERROR second".to_owned()));
    stage.keys("E");
    assert!(shown(&stage).contains(&"ERROR first".to_owned()));
    stage.keys("E");
    assert_eq!(stage.said(), "There is no error further up.");
    stage.keys("e");
    assert!(shown(&stage).contains(&"ERROR second".to_owned()));
}

#[test]
fn what_the_filter_lets_through_is_saved_with_its_markers() {
    let mut stage = logged(&["GET /a", "POST \u{1b}[31m/b\u{1b}[0m"]);
    let marker = LogMarker::Reconnected { complete: false };
    push(&mut stage, LogBatch { marker: Some(marker), ..batch("api.1", 2_000, &[]) });
    stage.keys("& 'post enter w enter");
    let saved = stage.wanted().into_iter().find_map(|effect| {
        let Effect::Save { path, contents } = effect else { return None };
        let Contents::Log(log) = contents else { panic!("a log is saved") };
        Some((path, String::from_utf8(log.bytes()).expect("text")))
    });
    let expected = "1970-01-01T00:00:01.010Z api.1 POST /b\n\
                    1970-01-01T00:00:01.010Z api.1 -- reconnected; lines may be missing here\n";
    assert_eq!(saved, Some(("api.log".to_owned(), expected.to_owned())));
}

#[test]
fn a_flood_of_lines_is_drawn_ten_times_a_second() {
    let mut stage = many(30);
    stage.redrawn();
    let request = stage.app.logs().requests()[0].clone();
    let mut frames = 0;
    for n in 0..1_000 {
        stage.tell(Msg::Log(request.clone(), batch("api.1", 10_000 + n, &["x"])));
        stage.pass(Duration::from_millis(1));
        frames += u32::from(stage.redrawn() != Redraw::Nothing);
    }
    assert!((9..=11).contains(&frames), "{frames}");
}

#[test]
fn lines_of_a_log_that_is_not_asked_for_any_more_are_dropped() {
    let mut stage = logged(&["a"]);
    let request = stage.app.logs().requests()[0].clone();
    stage.keys("esc");
    stage.tell(Msg::Log(request, batch("api.1", 5_000, &["b"])));
    assert_eq!(stage.app.logs().total(), 1);
}

#[test]
fn a_source_that_fails_is_named_until_it_delivers_again() {
    let mut stage = logged(&["a"]);
    let request = stage.app.logs().requests()[0].clone();
    let error = crate::error::Error::new(crate::error::ErrorKind::Unreachable, "cut");
    stage.tell(Msg::LogTrouble(request, error, 4_000));
    assert_eq!(stage.app.logs().troubles().len(), 1);
    push(&mut stage, batch("api.1", 5_000, &["b"]));
    assert_eq!(stage.app.logs().troubles().len(), 0);
}

#[test]
fn a_log_that_was_left_is_streamed_again_when_it_is_looked_at_again() {
    let mut stage = logged(&["one"]);
    let request = stage.app.logs().requests()[0].clone();
    stage.keys("esc");
    assert!(stage.app.logs().requests().is_empty(), "nobody looks");
    stage.keys("7");
    assert_eq!(stage.app.logs().requests(), std::slice::from_ref(&request));
    assert_eq!(shown(&stage), Vec::<String>::new(), "it begins anew");
    push(&mut stage, batch("api.1", 2_000, &["two"]));
    assert_eq!(shown(&stage), ["two"]);
}
