//! A configuration full of mistakes: every one is told with its place, and the console opens all the same.

use std::fs;

use crate::{FROZEN, frozen, harness::Home, listed};

/// Line 2 column 1, line 3 column 9, line 5 column 8, line 7 column 12.
const MISTAKES: &str = "[console]\nthemme = \"light\"\nmouse = \"no\"\n[demo]\nseed = \"x\"\n[[connections]]\nplatform = \"docker\"\n[keys]\nrol = [\"Z\"]\n";

#[test]
fn every_mistake_is_told_with_line_and_column() {
    let home = Home::new();
    let file = home.configure(MISTAKES);
    let check = home.run(&["config", "check"]);
    assert_eq!(check.code, Some(2), "{check:?}");
    for place in ["2:1", "3:9", "5:8", "7:12", "9:1"] {
        let place = format!("{}:{place}", file.display());
        assert!(check.out.contains(&place), "{place} is not in:\n{}", check.out);
    }
    assert!(check.out.contains("Did you mean `theme`?"), "{}", check.out);
    assert!(check.out.contains("no command `rol`") && check.out.contains("Did you mean `roll`?"), "{}", check.out);
}

#[test]
fn the_console_opens_in_spite_of_mistakes_and_shows_them() {
    let home = Home::new();
    home.configure(MISTAKES);
    let console = frozen(&home).open();
    listed(&console);
    console.keys("m");
    console.shows("config.toml:3:9: `console.mouse` wants true or false");
    console.keys("\x1b");
    console.hides("console.mouse");
    console.keys("q");
    assert_eq!(console.ends(crate::harness::PATIENCE), Some(0));
    let left = console.screen();
    assert!(left.text().replace('\n', "").contains("3:9"), "errors outlive the screen:\n{}", left.text());
}

#[test]
fn commands_work_in_spite_of_mistakes_and_tell_them_on_standard_error() {
    let home = Home::new();
    home.configure(MISTAKES);
    let answer = home.run(&["get", "services", "-o", "json", FROZEN]);
    assert!(answer.json()["items"].as_array().is_some_and(|items| !items.is_empty()));
    assert!(answer.err.contains("config.toml:3:9"), "{}", answer.err);
}

#[test]
fn what_is_no_toml_is_told_with_its_place_and_costs_only_itself() {
    let home = Home::new();
    home.configure("[console\ntheme = \"light\"\n");
    let check = home.run(&["config", "check"]);
    assert_eq!(check.code, Some(2), "{check:?}");
    assert!(check.out.contains("config.toml:1:"), "{}", check.out);
    let console = frozen(&home).open();
    listed(&console);
    console.keys("m");
    console.shows("not TOML");
}

#[test]
fn a_file_that_cannot_be_read_is_told_and_means_read_only() {
    let home = Home::new();
    let file = home.configure("");
    fs::write(&file, [0xff, 0xfe, 0x00]).expect("bytes that are no text");
    let check = home.run(&["config", "check"]);
    assert_eq!(check.code, Some(2), "{check:?}");
    assert!(check.out.contains("UTF-8"), "{}", check.out);
    let named = home.run(&["config", "check", "--config", "/nowhere/at.toml"]);
    assert_eq!(named.code, Some(2), "{named:?}");
    assert!(named.out.contains("/nowhere/at.toml"), "{}", named.out);
    let console = frozen(&home).open();
    listed(&console);
    console.shows("READ-ONLY");
}

#[test]
fn no_file_is_in_order() {
    let home = Home::new();
    let check = home.run(&["config", "check"]);
    assert_eq!((check.code, &*check.err), (Some(0), ""), "{check:?}");
}

#[test]
fn files_are_where_xdg_says() {
    let home = Home::new();
    let path = home.run(&["config", "path"]);
    assert!(path.well().contains(&home.path("config/quarterdeck/config.toml").display().to_string()), "{}", path.out);
    assert!(path.out.contains(&home.path("state/quarterdeck/journal").display().to_string()), "{}", path.out);
    let mut plain = home.command(&["config", "path"]);
    plain.env_remove("XDG_CONFIG_HOME").env_remove("XDG_STATE_HOME");
    let plain = crate::harness::answer(&mut plain);
    assert!(plain.well().contains(&home.path(".config/quarterdeck/config.toml").display().to_string()), "{plain:?}");
    assert!(plain.out.contains(&home.path(".local/state/quarterdeck/journal").display().to_string()), "{plain:?}");
}

#[test]
fn the_example_is_a_configuration_in_order() {
    let home = Home::new();
    let example = home.run(&["config", "example"]);
    home.configure(example.well());
    let check = home.run(&["config", "check"]);
    assert_eq!(check.code, Some(0), "{check:?}");
    assert!(check.out.contains("is in order"), "{check:?}");
}

#[test]
fn variables_and_flags_are_read_and_their_mistakes_told() {
    let home = Home::new();
    let mut wrong = home.command(&["config", "check"]);
    let wrong = crate::harness::answer(wrong.env("QUARTERDECK_CONSOLE_MOUSE", "perhaps"));
    assert_eq!(wrong.code, Some(2), "{wrong:?}");
    assert!(wrong.out.contains("QUARTERDECK_CONSOLE_MOUSE"), "{}", wrong.out);
    let mut theme = home.command(&["config", "check"]);
    let theme = crate::harness::answer(theme.env("QUARTERDECK_CONSOLE_THEME", "lihgt"));
    assert_eq!(theme.code, Some(2), "{theme:?}");
    assert!(theme.out.contains("no theme `lihgt`") && theme.out.contains("Did you mean `light`?"), "{}", theme.out);
    let flag = home.run(&["--theme", "nosuch", "get", "services", FROZEN]);
    assert_eq!(flag.code, Some(2), "{flag:?}");
    assert!(flag.err.contains("no theme `nosuch`") && flag.err.contains("dark, light, mono"), "{}", flag.err);
    home.configure("[console]\ntheme = \"mine\"\n");
    assert!(home.run(&["config", "check"]).out.contains("config.toml:2:9"));
    fs::create_dir_all(home.path("config/quarterdeck/themes")).expect("a folder");
    fs::write(home.path("config/quarterdeck/themes/mine.toml"), "").expect("a theme");
    assert_eq!(home.run(&["config", "check"]).code, Some(0));
}

#[test]
fn a_safety_with_a_mistake_is_told_as_the_reason_why_nothing_can_be_changed() {
    let home = Home::new();
    home.configure("[safety]\nbulk_limit = 0\n");
    let refused = home.run(&["cordon", "newswatch-leader", "--yes", FROZEN]);
    assert_eq!(refused.code, Some(3), "{refused:?}");
    assert!(refused.err.contains("hint: correct the configuration: [safety] has a mistake"), "{}", refused.err);
    assert!(!refused.err.contains("without `watch`"), "{}", refused.err);
}
