//! Endpoints that are asked: health every ten seconds, tests only when somebody wants them.

use super::{DAY, Event, Mark, SECOND, World};
use crate::fleet::{Endpoint, EnvironmentId, Health, Kind, Purpose, TestReport, Text, Timestamp};

/// How often a health endpoint is asked.
const PERIOD: i64 = 10 * SECOND;
/// How many answers are kept.
const KEPT: usize = 60;

impl World {
    /// Adds an endpoint. Health endpoints are asked from now on.
    pub(super) fn add_endpoint(&mut self, key: &str, environment: &EnvironmentId, url: String, purpose: Purpose) {
        let key = Text::clean(key);
        // One certificate ends soon: the one that nobody looks at.
        let days = if key.starts_with("grafana") { 9 } else { self.chance.millis(20, 80) };
        let tls = url.starts_with("https:");
        let endpoint = Endpoint {
            id: self.id(Kind::Endpoint, key.clone()),
            name: key.clone(),
            group: Text::default(),
            environment: Some(environment.clone()),
            service: key.split(' ').next().map(|name| self.names.text(name)),
            url: url.into(),
            purpose,
            health: Health::Unknown,
            status: None,
            message: None,
            latency_ms: Vec::new(),
            checked_at: None,
            changed_at: None,
            certificate_until: tls.then_some(Timestamp(self.clock.0 + days * DAY)),
            report: None,
        };
        self.endpoints.insert(key.clone(), endpoint);
        match purpose {
            Purpose::Health => {
                let first = self.chance.millis(1, 10_000);
                self.after(first, Event::Probe(key));
            }
            // The last run was some time this morning.
            Purpose::Test => {
                let first = self.chance.millis(1, 20 * 60_000);
                self.after(first, Event::Tested(key));
            }
        }
    }

    /// A health endpoint answers, or does not.
    pub(super) fn probe(&mut self, key: &Text) {
        let now = self.clock;
        let sick = self.sick.contains(key);
        let base = 9 + super::Chance::named(self.seed, key).below(40);
        let jitter = self.chance.between(0, 9) + if self.chance.one_in(40) { 160 } else { 0 };
        let silent = self.chance.one_in(3);
        let Some(endpoint) = self.endpoints.get_mut(key) else { return };
        let (latency, status, health, message) = match (sick, silent) {
            (false, _) => (Some(base + jitter), Some(200), Health::Healthy, None),
            (true, false) => {
                let message = "status 503, wanted 200: upstream connect error: connection refused";
                (Some(1_800 + jitter * 30), Some(503), Health::Failing, Some(message))
            }
            (true, true) => (None, None, Health::Failing, Some("no answer within 5 s")),
        };
        if endpoint.health != health {
            endpoint.changed_at = Some(if endpoint.checked_at.is_none() { Timestamp(now.0 - 3 * DAY) } else { now });
        }
        endpoint.health = health;
        endpoint.status = status;
        endpoint.message = message.map(Text::clean);
        endpoint.checked_at = Some(now);
        keep(endpoint, latency);
        self.mark(Mark::Endpoint(key.clone()));
        self.after(PERIOD, Event::Probe(key.clone()));
    }

    /// A `/test` endpoint is asked; its tests take a while.
    pub(super) fn ask_test(&mut self, key: &Text) {
        let takes = self.chance.millis(1_500, 4_500);
        self.after(takes, Event::Tested(key.clone()));
    }

    /// A `/test` endpoint answers with what its tests printed and an estimate of coverage.
    pub(super) fn tested(&mut self, key: &Text) {
        let now = self.clock;
        let sick = self.sick.contains(key);
        let mut own = super::Chance::named(self.seed, key);
        let (tests, coverage) = (own.between(34, 140), own.between(6_800, 9_350));
        let wobble = self.chance.between(0, 40);
        let Some(endpoint) = self.endpoints.get_mut(key) else { return };
        let failed = if sick { 3 } else { 0 };
        let report = TestReport {
            passed: u32::try_from(tests - failed).unwrap_or(0),
            failed: u32::try_from(failed).unwrap_or(0),
            coverage: u16::try_from(coverage + wobble).ok().map(|it| f32::from(it) / 100.0),
            at: now,
            output: output(&endpoint.name, tests, sick),
        };
        let health = if sick { Health::Failing } else { Health::Healthy };
        if endpoint.health != health {
            endpoint.changed_at = Some(now);
        }
        endpoint.health = health;
        endpoint.status = Some(200);
        endpoint.message = sick.then(|| Text::clean("3 tests failed"));
        endpoint.checked_at = Some(now);
        keep(endpoint, Some(own.between(1_500, 4_500)));
        endpoint.report = Some(report);
        self.mark(Mark::Endpoint(key.clone()));
    }

    /// The endpoints of an application in an environment answer well again.
    pub(super) fn cure(&mut self, application: &Text, environment: Option<&EnvironmentId>) {
        let of_it = self.endpoints.iter().filter(|(_, endpoint)| {
            endpoint.environment.as_ref() == environment && endpoint.service.as_ref() == Some(application)
        });
        let keys: Vec<Text> = of_it.map(|(key, _)| key.clone()).collect();
        for key in keys {
            self.sick.remove(&key);
        }
    }

    /// The vote of the managers, counted again.
    pub(super) fn count_votes(&mut self) {
        let voters = self.machines.values().filter(|machine| machine.votes());
        let states: Vec<bool> = voters.map(|it| it.row.state == crate::fleet::NodeState::Ready).collect();
        let reachable = states.iter().filter(|ready| **ready).count();
        let keys: Vec<Text> = self.clusters.keys().cloned().collect();
        for key in keys {
            let Some(cluster) = self.clusters.get_mut(&key) else { continue };
            let Some(quorum) = &mut cluster.quorum else { continue };
            quorum.managers = u32::try_from(states.len()).unwrap_or(0);
            quorum.reachable = u32::try_from(reachable).unwrap_or(0);
            let whole = quorum.reachable == quorum.managers;
            cluster.health = match (quorum.lost(), whole) {
                (true, _) => Health::Failing,
                (false, false) => Health::Degraded,
                (false, true) => Health::Healthy,
            };
            self.mark(Mark::Cluster(key));
        }
    }
}

/// Keeps one more answer time, and forgets the oldest when there are enough.
fn keep(endpoint: &mut Endpoint, latency: Option<u64>) {
    if endpoint.latency_ms.len() >= KEPT {
        endpoint.latency_ms.remove(0);
    }
    endpoint.latency_ms.push(latency.and_then(|latency| u32::try_from(latency).ok()));
}

fn output(name: &Text, tests: u64, sick: bool) -> Vec<Text> {
    let mut lines = vec![format!("collected {tests} items")];
    if sick {
        lines.extend([
            "FAILED tests/test_tokens.py::test_refresh_after_expiry - AssertionError: 401 != 200".to_owned(),
            "FAILED tests/test_tokens.py::test_clock_skew - AssertionError: token is not yet valid".to_owned(),
            "FAILED tests/test_sessions.py::test_logout_everywhere - KeyError: 'sid'".to_owned(),
            format!("3 failed, {} passed", tests - 3),
        ]);
    } else {
        lines.push(format!("{tests} passed"));
    }
    lines.into_iter().map(|line| format!("{name}: {line}").into()).collect()
}
