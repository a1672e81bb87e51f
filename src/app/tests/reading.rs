//! Descriptions, help, the clipboard.

use super::{Effect, Kind, Msg, Overlay, Stage, small};
use crate::{
    app::overlay::{Form, HelpLine, Reading},
    error::{Error, ErrorKind},
    fleet::{
        Document,
        document::{Body, Section},
        sample,
    },
};

fn document() -> Document {
    let facts = (0..50).map(|n| (format!("name {n}").into(), format!("value {n}").into())).collect();
    Document {
        id: sample::id(Kind::Service, "api"),
        fetched_at: sample::NOW,
        sections: vec![Section { title: "Facts".into(), body: Body::Facts(facts) }],
        raw: vec!["{".into(), "  \"needle\": 1".into(), "}".into()],
    }
}

fn described() -> Stage {
    let mut stage = Stage::new(small());
    stage.keys("3 d");
    stage.tell(Msg::Described(sample::id(Kind::Service, "api"), Ok(document())));
    stage
}

fn describe(stage: &Stage) -> &crate::app::overlay::Describe {
    let Some(Overlay::Describe(describe)) = stage.overlay() else { panic!("the description lies on top") };
    describe
}

#[test]
fn a_description_is_loading_until_its_answer_comes() {
    let mut stage = Stage::new(small());
    stage.keys("3 d");
    assert!(matches!(stage.wanted().as_slice(), [Effect::Describe(_)]));
    assert_eq!(*describe(&stage).state(), Reading::Loading);
    stage.tell(Msg::Described(sample::id(Kind::Service, "web"), Ok(document())));
    assert_eq!(*describe(&stage).state(), Reading::Loading);
    let error = Error::new(ErrorKind::NotFound, "gone");
    stage.tell(Msg::Described(sample::id(Kind::Service, "api"), Err(error.clone())));
    assert_eq!(*describe(&stage).state(), Reading::Failed(error));
}

#[test]
fn the_platforms_own_answer_is_one_key_away() {
    let mut stage = described();
    assert_eq!(describe(&stage).count(), 51);
    stage.keys("r");
    assert_eq!((describe(&stage).form(), describe(&stage).count()), (Form::Yaml, 1));
    stage.keys("r");
    assert_eq!((describe(&stage).form(), describe(&stage).count()), (Form::Json, 3));
    stage.keys("r");
    assert_eq!(describe(&stage).count(), 51);
}

#[test]
fn a_search_in_a_description_goes_from_match_to_match() {
    let mut stage = described();
    stage.keys("/ 'VALUE space '4 enter");
    let find = describe(&stage).find().expect("a search").clone();
    assert_eq!((find.lines.len(), find.at), (11, 0));
    stage.keys("n n");
    assert_eq!(describe(&stage).find().map(|find| find.at), Some(2));
    stage.keys("N N N");
    assert_eq!(describe(&stage).find().map(|find| find.at), Some(10));
}

#[test]
fn help_shows_the_keys_of_this_pane_and_why_a_verb_is_not_available() {
    let mut lacking = super::profile("lab");
    lacking.verbs.clear();
    let mut stage = Stage::connected(super::settings(), vec![lacking], small());
    stage.keys("3 ?");
    let Some(Overlay::Help(help)) = stage.overlay() else { panic!("help lies on top") };
    let roll = help.lines().iter().find_map(|line| match line {
        HelpLine::Command { keys, name, unavailable, .. } if name == "roll [batch=N]" => {
            Some((keys.as_str(), unavailable.clone()))
        }
        HelpLine::Command { .. } | HelpLine::Heading(_) | HelpLine::Blank => None,
    });
    assert_eq!(roll, Some(("R", Some("roll is not available on lab: Docker Swarm has no roll".to_owned()))));
    stage.keys("esc");
    assert!(stage.overlay().is_none());
}

#[test]
fn the_name_under_the_cursor_is_copied() {
    let mut stage = Stage::new(small());
    stage.keys("3 j y");
    assert!(matches!(stage.wanted().as_slice(), [Effect::Copy(text)] if *text == "auth"));
    assert_eq!(stage.said(), "Copied `auth`.");
}

#[test]
fn overlays_close_from_the_top() {
    let mut stage = described();
    stage.keys("? esc");
    assert!(matches!(stage.overlay(), Some(Overlay::Describe(_))));
    stage.keys("esc");
    assert!(stage.overlay().is_none());
}
