//! Endpoints that do not answer as they should, tests that failed, certificates that end.

use super::{Attention, View};
use crate::fleet::{endpoint::Purpose, health::Health, time::brief};

/// Long enough to renew by hand.
const CERTIFICATE_MS: i64 = 14 * 24 * 60 * 60 * 1000;

/// Polled endpoints that fail or are degraded.
pub(super) fn failing(view: View<'_>, found: &mut Vec<Attention>) {
    for endpoint in view.store.endpoints().filter(|endpoint| endpoint.purpose == Purpose::Health) {
        let severity = match endpoint.health {
            Health::Failing | Health::Degraded => endpoint.health,
            Health::Healthy | Health::Idle | Health::Progressing | Health::Unknown => continue,
        };
        let status = endpoint.status.map(|status| format!("answers {status}"));
        let message = endpoint.message.as_ref().map(ToString::to_string);
        let said: Vec<String> = [status, message].into_iter().flatten().collect();
        let text = if said.is_empty() { format!("endpoint {}", severity.word()) } else { said.join(": ") };
        found.push(Attention::about("endpoint", severity, endpoint, text, endpoint.changed_at));
    }
}

/// Certificates that have ended or are about to.
pub(super) fn certificate(view: View<'_>, found: &mut Vec<Attention>) {
    for endpoint in view.store.endpoints() {
        let Some(until) = endpoint.certificate_until else { continue };
        let left = until.0.saturating_sub(view.now.0);
        if left > CERTIFICATE_MS {
            continue;
        }
        let (severity, text) = if left <= 0 {
            (Health::Failing, "its certificate has ended".to_owned())
        } else {
            let left = brief(std::time::Duration::from_secs(view.now.age(until).as_secs()));
            (Health::Degraded, format!("its certificate ends in {left}"))
        };
        let since = (left <= 0).then_some(until);
        found.push(Attention::about("certificate", severity, endpoint, text, since));
    }
}

/// Tests whose last answer says that some failed.
pub(super) fn failed_tests(view: View<'_>, found: &mut Vec<Attention>) {
    for endpoint in view.store.endpoints() {
        let Some(report) = endpoint.report.as_ref().filter(|report| report.failed > 0) else { continue };
        let total = report.passed.saturating_add(report.failed);
        let text = format!("{} of {total} tests failed when last asked", report.failed);
        found.push(Attention::about("tests failed", Health::Degraded, endpoint, text, Some(report.at)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fleet::{attention::said, sample};

    use crate::fleet::{TestReport, Timestamp, sample::NOW};

    #[test]
    fn a_failing_endpoint_says_what_it_answers() {
        let mut down = sample::endpoint("front");
        (down.health, down.status) = (Health::Failing, Some(503));
        down.message = Some("database is away".into());
        let mut test = sample::endpoint("test");
        (test.health, test.purpose) = (Health::Failing, Purpose::Test);
        let fleet = vec![down.into(), test.into(), sample::endpoint("fine").into()];
        assert_eq!(said(failing, fleet), ["failing front: answers 503: database is away (30m)"]);
    }

    #[test]
    fn a_certificate_is_named_two_weeks_before_it_ends() {
        let ends = |days: i64| {
            let mut endpoint = sample::endpoint("front");
            endpoint.certificate_until = Some(Timestamp(NOW.0 + days * 86_400_000));
            said(certificate, vec![endpoint.into()])
        };
        assert_eq!(ends(15), Vec::<String>::new());
        assert_eq!(ends(13), ["degraded front: its certificate ends in 13d"]);
        assert_eq!(ends(-1), ["failing front: its certificate has ended (1d)"]);
    }

    #[test]
    fn failed_tests_are_counted() {
        let report = |failed| {
            let mut endpoint = sample::endpoint("front");
            endpoint.report =
                Some(TestReport { passed: 8, failed, coverage: None, at: sample::minutes_ago(3), output: Vec::new() });
            said(failed_tests, vec![endpoint.into()])
        };
        assert_eq!(report(0), Vec::<String>::new());
        assert_eq!(report(2), ["degraded front: 2 of 10 tests failed when last asked (3m)"]);
    }
}
