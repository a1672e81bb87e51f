//! Something that answers over HTTP: a health check that is polled, or a test that runs only on request.

use serde::{Deserialize, Serialize};

use super::{
    health::Health,
    ids::{EnvironmentId, ResourceId},
    text::Text,
    time::Timestamp,
};

/// A probed address.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Endpoint {
    /// Its id.
    pub id: ResourceId,
    /// Its name.
    pub name: Text,
    /// The namespace, where it stands in one.
    pub group: Text,
    /// Where it belongs.
    pub environment: Option<EnvironmentId>,
    /// The service it speaks for, by the name without its group: the `application` of a service.
    pub service: Option<Text>,
    /// The address, credentials left out.
    pub url: Text,
    /// Polled, or only on request.
    pub purpose: Purpose,
    /// By status and body.
    pub health: Health,
    /// The last HTTP status.
    pub status: Option<u16>,
    /// Why it is not healthy.
    pub message: Option<Text>,
    /// The latest answer times in milliseconds, oldest first, at most 60; `None` where no answer came.
    pub latency_ms: Vec<Option<u32>>,
    /// When the last answer came, or failed to.
    pub checked_at: Option<Timestamp>,
    /// When health last changed.
    pub changed_at: Option<Timestamp>,
    /// When its certificate ends.
    pub certificate_until: Option<Timestamp>,
    /// The last answer of a test.
    pub report: Option<TestReport>,
}

/// What an endpoint is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Purpose {
    /// Health: polled.
    Health,
    /// A run of tests: only on request, since asking runs them.
    Test,
}

/// The answer of a `/test` endpoint, or several merged.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TestReport {
    /// Tests that passed.
    pub passed: u32,
    /// Tests that failed.
    pub failed: u32,
    /// Estimated coverage in percent, 0 to 100.
    pub coverage: Option<f32>,
    /// When it was asked for.
    pub at: Timestamp,
    /// The first lines of what the tests printed.
    pub output: Vec<Text>,
}

impl TestReport {
    /// Several answers as one: counts added, coverage weighted by the number of tests, the newest time.
    pub fn merge<'a>(reports: impl IntoIterator<Item = &'a Self>) -> Option<Self> {
        let reports: Vec<&Self> = reports.into_iter().collect();
        let first = *reports.first()?;
        let mut merged = Self { passed: 0, failed: 0, coverage: None, at: first.at, output: Vec::new() };
        let (mut weighted, mut weight) = (0.0_f64, 0.0_f64);
        for report in reports {
            merged.passed = merged.passed.saturating_add(report.passed);
            merged.failed = merged.failed.saturating_add(report.failed);
            merged.at = merged.at.max(report.at);
            merged.output.extend(report.output.iter().cloned());
            if let Some(coverage) = report.coverage {
                let tests = f64::from(report.passed) + f64::from(report.failed);
                weighted += f64::from(coverage) * tests;
                weight += tests;
            }
        }
        #[expect(clippy::cast_possible_truncation, reason = "a percentage needs no more than an f32 holds")]
        if weight > 0.0 {
            merged.coverage = Some((weighted / weight) as f32);
        }
        Some(merged)
    }
}
