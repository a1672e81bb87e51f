//! What an answer, or none, says about an address. Pure.

use http::header::LOCATION;

use super::{Body, ProbeSettings};
use crate::{
    adapters::http::{Answer, Outcome},
    error::ErrorKind,
    fleet::{Endpoint, Health, Purpose, TestReport, Text, Timestamp},
};

/// How many answer times a row keeps.
const LATENCIES: usize = 60;
/// How much of a body a message quotes.
const QUOTED: usize = 120;

/// How well an address is that was asked with this outcome, and why.
pub(super) fn judge(settings: &ProbeSettings, outcome: &Outcome) -> (Health, Option<Text>) {
    let distrust = outcome.certificate.as_ref().and_then(|it| it.distrust.clone());
    match &outcome.answer {
        // It was never asked: nothing is known about it.
        Err(error) if error.kind == ErrorKind::Config => (Health::Unknown, Some(Text::clean(&error.message))),
        Err(error) => (Health::Failing, Some(Text::clean(&error.message))),
        Ok(answer) => match fault(settings, answer) {
            Some(fault) => (Health::Failing, Some(fault.into())),
            // Configured to be taken as it is; said all the same.
            None => (Health::Healthy, distrust),
        },
    }
}

fn fault(settings: &ProbeSettings, answer: &Answer) -> Option<String> {
    if !settings.status.contains(&answer.status) {
        let target = answer.headers.get(LOCATION).map(|it| String::from_utf8_lossy(it.as_bytes()));
        return Some(match target {
            Some(target) if (300..400).contains(&answer.status) => {
                format!("status {}: redirects to {} (not followed)", answer.status, without_login(&target))
            }
            Some(_) | None => format!("status {}{}", answer.status, quoted(&answer.body)),
        });
    }
    let body = String::from_utf8_lossy(&answer.body);
    let beyond = if answer.cut { " in its first 64 KiB" } else { "" };
    match &settings.body {
        Some(Body::Contains(words)) if !body.contains(words.as_str()) => {
            Some(format!("body lacks {words:?}{beyond}{}", quoted(&answer.body)))
        }
        Some(Body::Matches(expression)) if !expression.is_match(&body) => {
            Some(format!("body does not match /{expression}/{beyond}{}", quoted(&answer.body)))
        }
        Some(Body::Contains(_) | Body::Matches(_)) | None => None,
    }
}

/// The first line of a body that says something, in brief.
fn quoted(body: &[u8]) -> String {
    let body = String::from_utf8_lossy(body);
    let line = body.lines().map(str::trim).find(|line| !line.is_empty()).unwrap_or_default();
    match line.char_indices().nth(QUOTED) {
        _ if line.is_empty() => String::new(),
        Some((end, _)) => format!(": {}…", line.get(..end).unwrap_or_default()),
        None => format!(": {line}"),
    }
}

/// An address from outside without the credentials it may hold.
fn without_login(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://") else { return url.to_owned() };
    let (authority, path) = rest.find('/').map_or((rest, ""), |at| rest.split_at(at));
    let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    // A query may hold a token.
    let path = path.split_once('?').map_or(path, |(path, _)| path);
    format!("{scheme}://{host}{path}")
}

/// Takes what came of asking into the row.
pub(super) fn note(row: &mut Endpoint, settings: &ProbeSettings, outcome: &Outcome, now: Timestamp) {
    let (health, message) = judge(settings, outcome);
    if row.health != health {
        row.changed_at = Some(now);
    }
    (row.health, row.message) = (health, message);
    row.status = outcome.answer.as_ref().ok().map(|answer| answer.status);
    row.checked_at = Some(now);
    if let Some(certificate) = &outcome.certificate {
        row.certificate_until = certificate.until;
    }
    let took = u32::try_from(outcome.took.as_millis()).unwrap_or(u32::MAX);
    row.latency_ms.push(outcome.answer.is_ok().then_some(took));
    let surplus = row.latency_ms.len().saturating_sub(LATENCIES);
    row.latency_ms.drain(..surplus);
}

/// Takes what a run of tests came to into the row of a test address, whose health is that of its tests.
pub(super) fn note_tests(row: &mut Endpoint, report: Option<TestReport>) {
    let Some(report) = report.filter(|_| row.purpose == Purpose::Test) else { return };
    if report.failed > 0 {
        let all = report.passed.saturating_add(report.failed);
        row.health = Health::Failing;
        row.message = Some(format!("{} of {all} tests failed", report.failed).into());
    }
    row.report = Some(report);
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use http::HeaderMap;

    use super::*;
    use crate::{adapters::probe::tests::probe, error::Error};

    fn answered(status: u16, body: &str) -> Outcome {
        let answer = Answer { status, headers: HeaderMap::new(), body: body.as_bytes().to_vec(), cut: false };
        Outcome { answer: Ok(answer), certificate: None, took: Duration::from_millis(7) }
    }

    fn said(settings: &ProbeSettings, outcome: &Outcome) -> (Health, String) {
        let (health, message) = judge(settings, outcome);
        (health, message.map(|it| it.to_string()).unwrap_or_default())
    }

    #[test]
    fn an_answer_is_healthy_by_status_and_body() {
        let plain = probe("http://a/");
        assert_eq!(said(&plain, &answered(204, "")), (Health::Healthy, String::new()));
        let why = "status 503: {\"reason\":\"no database\"}";
        assert_eq!(said(&plain, &answered(503, "\n{\"reason\":\"no database\"}\nmore")), (Health::Failing, why.into()));
        let words = ProbeSettings { body: Some(Body::Contains("ok".into())), ..plain.clone() };
        assert_eq!(said(&words, &answered(200, "all ok")).0, Health::Healthy);
        assert_eq!(said(&words, &answered(200, "no")), (Health::Failing, "body lacks \"ok\": no".into()));
        let match_ = ProbeSettings { body: Body::parse("/^\\{\"status\":\"ok\"/").ok(), ..plain };
        assert_eq!(said(&match_, &answered(200, "{\"status\":\"ok\"}")).0, Health::Healthy);
        let why = "body does not match /^\\{\"status\":\"ok\"/";
        assert_eq!(said(&match_, &answered(200, "")), (Health::Failing, why.into()));
    }

    #[test]
    fn redirects_are_named_and_their_secrets_are_not() {
        let mut outcome = answered(302, "");
        if let Ok(answer) = &mut outcome.answer {
            let target = "https://me:secret@login.example/start?token=secret";
            answer.headers.insert(LOCATION, target.parse().expect("a value"));
        }
        let why = "status 302: redirects to https://login.example/start (not followed)";
        assert_eq!(said(&probe("http://a/"), &outcome), (Health::Failing, why.into()));
    }

    #[test]
    fn a_long_or_hostile_body_is_quoted_in_brief_and_harmless() {
        let outcome = answered(500, &format!("\u{1b}[2J{}", "é".repeat(500)));
        let (_, message) = judge(&probe("http://a/"), &outcome);
        let message = message.expect("a message");
        assert!(!message.contains('\u{1b}') && message.chars().count() < 160, "{message}");
        let bytes = Outcome {
            answer: Ok(Answer { status: 500, headers: HeaderMap::new(), body: vec![0xff; 99], cut: false }),
            ..outcome
        };
        assert_eq!(judge(&probe("http://a/"), &bytes).0, Health::Failing);
    }

    #[test]
    fn a_row_keeps_sixty_latencies_and_the_time_of_its_last_change() {
        let settings = probe("http://a/");
        let mut row = Endpoint { health: Health::Unknown, ..crate::adapters::probe::tests::row() };
        for second in 0..100 {
            note(&mut row, &settings, &answered(200, ""), Timestamp(second));
        }
        let refused = Error::new(ErrorKind::Unreachable, "connection refused");
        let down = Outcome { answer: Err(refused), certificate: None, took: Duration::ZERO };
        note(&mut row, &settings, &down, Timestamp(100));
        assert_eq!(
            (row.latency_ms.len(), row.latency_ms.last(), row.latency_ms.first()),
            (60, Some(&None), Some(&Some(7)))
        );
        assert_eq!((row.health, row.status, row.changed_at), (Health::Failing, None, Some(Timestamp(100))));
        assert_eq!(row.message.as_deref(), Some("connection refused"));
    }
}
