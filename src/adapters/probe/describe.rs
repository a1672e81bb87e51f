//! Everything about one address: what it is asked, what it says now, and the certificate it shows.

use std::sync::Arc;

use super::{
    Body, look, read,
    watched::{Shared, Watched},
};
use crate::{
    adapters::{
        feed,
        http::{Answer, Certificate},
    },
    error::Result,
    fleet::{
        Document, Endpoint, Purpose, ResourceId, TestReport, Text, Timestamp,
        document::{Body as Content, Section},
        time::brief,
    },
};

/// How much of a body is shown.
const BODY_LINES: usize = 40;
/// Headers whose values let somebody in.
const SECRET: [&str; 4] = ["set-cookie", "authorization", "proxy-authorization", "x-auth-token"];

/// Describes the address with this id. A health address is asked for it; a test address never is.
pub(super) async fn describe(shared: Arc<Shared>, id: ResourceId) -> Result<Document> {
    let probe = shared.find(&id)?;
    let row = probe.row();
    let mut sections = vec![section("Asked", asked(probe)), section("Last look", last(&row))];
    if let Some(report) = &row.report {
        sections.push(section("Last tests", tests(report)));
        sections.push(Section { title: "Output".into(), body: Content::Lines(report.output.clone()) });
    }
    if probe.settings.purpose == Purpose::Health {
        let outcome = read::health(probe).await;
        let (health, message) = look::judge(&probe.settings, &outcome);
        let mut facts = vec![fact("health", health.word())];
        facts.extend(message.map(|it| fact("why", &it)));
        facts.push(fact("took", &brief(outcome.took)));
        if let Ok(answer) = &outcome.answer {
            facts.push(fact("status", &answer.status.to_string()));
        }
        sections.push(section("Now", facts));
        if let Ok(answer) = &outcome.answer {
            sections.push(section("Headers", headers(answer)));
            sections.push(Section { title: "Body".into(), body: Content::Lines(body(answer)) });
        }
        if let Some(certificate) = &outcome.certificate {
            sections.push(section("Certificate", certified(certificate)));
        }
    }
    let raw = serde_json::to_string_pretty(&row).unwrap_or_default();
    Ok(Document { id, fetched_at: feed::wall_clock(), sections, raw: raw.lines().map(Text::clean).collect() })
}

fn section(title: &str, facts: Vec<(Text, Text)>) -> Section {
    Section { title: title.into(), body: Content::Facts(facts) }
}

fn fact(name: &str, value: &str) -> (Text, Text) {
    (name.into(), value.into())
}

fn asked(probe: &Watched) -> Vec<(Text, Text)> {
    let settings = &probe.settings;
    let address = probe.address.as_ref().map_or_else(|error| error.message.clone(), ToString::to_string);
    let how = match settings.purpose {
        Purpose::Health => format!("every {}", brief(settings.interval)),
        Purpose::Test => "only on request: asking runs the tests".to_owned(),
    };
    let mut facts = vec![
        fact("address", &address),
        fact("asked", &how),
        fact("waits", &format!("at most {}", brief(settings.timeout))),
        fact("healthy status", &format!("{} to {}", settings.status.start(), settings.status.end())),
    ];
    match &settings.body {
        Some(Body::Contains(words)) => facts.push(fact("healthy body", &format!("has {words:?} in it"))),
        Some(Body::Matches(expression)) => facts.push(fact("healthy body", &format!("matches /{expression}/"))),
        None => {}
    }
    facts.extend(settings.login.as_ref().map(|login| fact("login", &format!("from {login}"))));
    facts
}

fn last(row: &Endpoint) -> Vec<(Text, Text)> {
    let mut facts = vec![fact("health", row.health.word())];
    facts.extend(row.message.as_ref().map(|it| fact("why", it)));
    facts.extend(row.status.map(|it| fact("status", &it.to_string())));
    let mut known: Vec<u32> = row.latency_ms.iter().copied().flatten().collect();
    known.sort_unstable();
    if let (Some(least), Some(middle), Some(most)) = (known.first(), known.get(known.len() / 2), known.last()) {
        let lost = row.latency_ms.len() - known.len();
        facts.push(fact("answer time", &format!("{least} to {most} ms, half within {middle} ms")));
        facts.push(fact("unanswered", &format!("{lost} of the last {}", row.latency_ms.len())));
    }
    facts.extend(row.checked_at.map(|at| fact("asked at", &instant(at))));
    facts.extend(row.changed_at.map(|at| fact("health changed at", &instant(at))));
    facts
}

fn tests(report: &TestReport) -> Vec<(Text, Text)> {
    let mut facts = vec![
        fact("passed", &report.passed.to_string()),
        fact("failed", &report.failed.to_string()),
        fact("asked at", &instant(report.at)),
    ];
    facts.extend(report.coverage.map(|it| fact("coverage", &format!("{it:.1} %"))));
    facts
}

fn headers(answer: &Answer) -> Vec<(Text, Text)> {
    let shown = |(name, value): (&http::HeaderName, &http::HeaderValue)| {
        let value =
            if SECRET.contains(&name.as_str()) { Text::from("(hidden)") } else { Text::clean_bytes(value.as_bytes()) };
        (Text::clean(name.as_str()), value)
    };
    answer.headers.iter().map(shown).collect()
}

fn body(answer: &Answer) -> Vec<Text> {
    let text = String::from_utf8_lossy(&answer.body);
    text.lines().take(BODY_LINES).map(|line| line.chars().take(400).collect::<String>().into()).collect()
}

fn certified(certificate: &Certificate) -> Vec<(Text, Text)> {
    let mut facts = vec![fact("for", &certificate.subject), fact("signed by", &certificate.issuer)];
    let names: Vec<&str> = certificate.names.iter().map(|name| &**name).collect();
    facts.push(fact("names", &names.join(", ")));
    facts.extend(certificate.from.map(|at| fact("from", &instant(at))));
    facts.extend(certificate.until.map(|at| fact("until", &instant(at))));
    facts.extend(certificate.distrust.as_ref().map(|why| fact("trust", why)));
    facts
}

fn instant(at: Timestamp) -> String {
    jiff::Timestamp::from_millisecond(at.0).map_or_else(|_| "unknown".to_owned(), |it| format!("{it:.0}"))
}
