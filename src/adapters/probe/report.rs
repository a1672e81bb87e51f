//! What a `/test` address answers, read leniently: JSON in many shapes, or text with counts in it.

use std::sync::LazyLock;

use regex::Regex;
use serde_json::Value;

use crate::fleet::{TestReport, Text, Timestamp};

/// How many lines of output are kept.
const LINES: usize = 200;
/// How deep counts are looked for in JSON.
const DEPTH: usize = 4;

const PASSED: &[&str] = &["passed", "pass", "passes", "passing", "succeeded", "success", "successes", "ok"];
const FAILED: &[&str] = &["failed", "fail", "fails", "failing", "failures", "failure"];
const ERRORS: &[&str] = &["errors", "errored", "error"];
const TOTAL: &[&str] = &["total", "tests", "count", "examples", "runs"];
const COVERAGE: &[&str] =
    &["coverage", "coverage_percent", "coveragepercent", "coverage_pct", "covered_percent", "cov"];

/// The report in a body, or `None` where it holds no counts.
pub(super) fn report(body: &[u8], at: Timestamp) -> Option<TestReport> {
    let text = String::from_utf8_lossy(body);
    let mut counts = Counts::default();
    let mut output: Vec<Text> = Vec::new();
    if let Ok(json) = serde_json::from_slice::<Value>(body) {
        counts.read(&json, DEPTH);
        output.extend(printed(&json));
    } else {
        counts.scan(&text);
    }
    if output.is_empty() {
        output.extend(text.lines().take(LINES).map(Text::clean));
    }
    let (passed, failed) = counts.settle()?;
    Some(TestReport { passed, failed, coverage: counts.coverage, at, output })
}

#[derive(Debug, Default)]
struct Counts {
    passed: Option<u32>,
    failed: Option<u32>,
    errors: Option<u32>,
    total: Option<u32>,
    coverage: Option<f32>,
}

impl Counts {
    /// Passed and failed, out of what was given.
    fn settle(&self) -> Option<(u32, u32)> {
        let failed = match (self.failed, self.errors) {
            (None, None) => None,
            (failed, errors) => Some(failed.unwrap_or(0).saturating_add(errors.unwrap_or(0))),
        };
        match (self.passed, failed, self.total) {
            (Some(passed), Some(failed), _) => Some((passed, failed)),
            (Some(passed), None, Some(total)) => Some((passed, total.saturating_sub(passed))),
            (Some(passed), None, None) => Some((passed, 0)),
            (None, Some(failed), Some(total)) => Some((total.saturating_sub(failed), failed)),
            (None, Some(failed), None) => Some((0, failed)),
            (None, None, _) => None,
        }
    }

    fn read(&mut self, json: &Value, depth: usize) {
        match json {
            Value::Object(fields) => {
                for (name, value) in fields {
                    self.field(&name.to_lowercase(), value);
                }
                if depth > 0 && self.settle().is_none() {
                    fields.values().for_each(|value| self.read(value, depth - 1));
                }
            }
            Value::Array(results) => self.results(results),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
        }
    }

    fn field(&mut self, name: &str, value: &Value) {
        let count = match value {
            Value::Number(number) => number.as_u64().and_then(|it| u32::try_from(it).ok()),
            Value::String(text) => text.trim().parse().ok(),
            // The failures themselves, one by one.
            Value::Array(all) if FAILED.contains(&name) || ERRORS.contains(&name) => u32::try_from(all.len()).ok(),
            Value::Array(_) | Value::Object(_) | Value::Null | Value::Bool(_) => None,
        };
        if COVERAGE.contains(&name) {
            self.coverage = self.coverage.or_else(|| percent(value));
            return;
        }
        let Some(count) = count else { return };
        for (names, place) in [
            (PASSED, &mut self.passed),
            (FAILED, &mut self.failed),
            (ERRORS, &mut self.errors),
            (TOTAL, &mut self.total),
        ] {
            if names.contains(&name) {
                place.get_or_insert(count);
            }
        }
    }

    /// Counts a list of single results: `[{"name": …, "status": "passed"}, …]`.
    fn results(&mut self, results: &[Value]) {
        let (mut passed, mut failed) = (0_u32, 0_u32);
        for result in results {
            let verdict = ["status", "result", "outcome", "state", "passed", "ok"].iter().find_map(|it| result.get(it));
            let good = match verdict {
                Some(Value::Bool(good)) => *good,
                Some(Value::String(word)) if PASSED.contains(&word.to_lowercase().as_str()) => true,
                Some(Value::String(word)) => {
                    let word = word.to_lowercase();
                    if !(FAILED.contains(&word.as_str()) || ERRORS.contains(&word.as_str())) {
                        continue;
                    }
                    false
                }
                Some(Value::Null | Value::Number(_) | Value::Array(_) | Value::Object(_)) | None => continue,
            };
            if good { passed += 1 } else { failed += 1 }
        }
        if passed + failed > 0 {
            (self.passed, self.failed) = (Some(passed), Some(failed));
        }
    }

    fn scan(&mut self, text: &str) {
        self.passed = found(&PASSED_TEXT, text);
        self.failed = found(&FAILED_TEXT, text);
        self.errors = found(&ERRORS_TEXT, text);
        self.total = found(&TOTAL_TEXT, text);
        let coverage = COVERAGE_TEXT.captures(text).and_then(|it| it.get(1)?.as_str().parse::<f32>().ok());
        self.coverage = coverage.filter(|it| (0.0..=100.0).contains(it));
    }
}

/// `81.5`, `"81.5 %"`; a fraction below one is one of a whole.
fn percent(value: &Value) -> Option<f32> {
    let number = match value {
        Value::Number(number) => number.as_f64(),
        Value::String(text) => text.trim().trim_end_matches('%').trim().parse().ok(),
        Value::Object(fields) => return ["percent", "total", "lines"].iter().find_map(|it| percent(fields.get(*it)?)),
        Value::Null | Value::Bool(_) | Value::Array(_) => None,
    }?;
    let number = if number > 0.0 && number < 1.0 { number * 100.0 } else { number };
    #[expect(clippy::cast_possible_truncation, reason = "a percentage needs no more than an f32 holds")]
    (0.0..=100.0).contains(&number).then_some(number as f32)
}

/// What tests printed, where the JSON holds it as text.
fn printed(json: &Value) -> Vec<Text> {
    let held = ["output", "log", "stdout", "text", "message"].iter().find_map(|it| json.get(it));
    match held {
        Some(Value::String(text)) => text.lines().take(LINES).map(Text::clean).collect(),
        Some(Value::Array(lines)) => lines.iter().filter_map(Value::as_str).take(LINES).map(Text::clean).collect(),
        Some(Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_)) | None => Vec::new(),
    }
}

fn pattern(expression: &str) -> Regex {
    Regex::new(expression).expect("the expressions of this file are well-formed")
}

/// `12 passed`, `passed: 12`, `passed="12"`; the last one counts, since summaries stand at the end.
fn counted(words: &str) -> Regex {
    pattern(&format!(
        r#"(?i)\b(\d{{1,9}})\s+(?:tests?\s+)?(?:{words})\b|\b(?:{words})\b["']?\s*[:=]\s*["']?(\d{{1,9}})\b"#
    ))
}

static PASSED_TEXT: LazyLock<Regex> = LazyLock::new(|| counted("passed|passing|succeeded|ok"));
static FAILED_TEXT: LazyLock<Regex> = LazyLock::new(|| counted("failed|failing|failures?"));
static ERRORS_TEXT: LazyLock<Regex> = LazyLock::new(|| counted("errors?"));
static TOTAL_TEXT: LazyLock<Regex> = LazyLock::new(|| counted("tests|examples|runs|total|tests run"));
static COVERAGE_TEXT: LazyLock<Regex> =
    LazyLock::new(|| pattern(r"(?i)cover(?:age|ed)[^0-9\n]{0,20}(\d{1,3}(?:\.\d+)?)"));

fn found(expression: &Regex, text: &str) -> Option<u32> {
    let last = expression.captures_iter(text).last()?;
    last.get(1).or_else(|| last.get(2))?.as_str().parse().ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(body: &str) -> Option<(u32, u32, Option<f32>)> {
        report(body.as_bytes(), Timestamp(0)).map(|it| (it.passed, it.failed, it.coverage))
    }

    #[test]
    fn json_in_many_shapes() {
        let shapes = [
            (r#"{"service":"auth","passed":12,"failed":0,"coverage":87.5}"#, (12, 0, Some(87.5))),
            (r#"{"Passed":"3","Failed":"1","coverage":"81 %"}"#, (3, 1, Some(81.0))),
            (r#"{"summary":{"total":10,"failures":2},"coverage":0.5}"#, (8, 2, Some(50.0))),
            (r#"{"tests":5,"failed":["a","b"]}"#, (3, 2, None)),
            (r#"{"passed":4,"errors":1,"failed":0}"#, (4, 1, None)),
            (r#"{"results":[{"status":"passed"},{"status":"FAILED"},{"status":"skipped"}]}"#, (1, 1, None)),
            (r#"[{"ok":true},{"ok":false},{"ok":true}]"#, (2, 1, None)),
            (r#"{"coverage":{"percent":70},"passed":1}"#, (1, 0, Some(70.0))),
        ];
        for (body, wanted) in shapes {
            assert_eq!(read(body), Some(wanted), "{body}");
        }
        let nothing = [r#"{"status":"ok"}"#, "{}", "[]", "7", "null", "", "<html>hello</html>"];
        for body in nothing {
            assert_eq!(read(body), None, "{body}");
        }
    }

    #[test]
    fn text_with_counts() {
        let shapes = [
            ("..F.\n12 passed, 2 failed in 0.4s\nTotal coverage: 81.25%", (12, 2, Some(81.25))),
            ("test result: ok. 7 passed; 0 failed; 0 ignored", (7, 0, None)),
            ("12 examples, 2 failures", (10, 2, None)),
            ("8 runs, 20 assertions, 1 failures, 1 errors, 0 skips\nCoverage 66", (6, 2, Some(66.0))),
            (r#"<testsuite tests="4" failures="1" errors="0">"#, (3, 1, None)),
            ("1 passed\n2 passed\n3 passed", (3, 0, None)),
        ];
        for (body, wanted) in shapes {
            assert_eq!(read(body), Some(wanted), "{body}");
        }
    }

    #[test]
    fn output_is_kept_and_made_harmless() {
        let said = report("ok \u{1b}[31mred\u{1b}[0m\n3 passed".as_bytes(), Timestamp(7)).expect("counts");
        assert_eq!((said.at, said.output.len()), (Timestamp(7), 2));
        assert!(said.output.iter().all(|line| !line.contains('\u{1b}')), "{said:?}");
        let told = report(br#"{"passed":1,"failed":0,"output":"a\nb"}"#, Timestamp(7)).expect("counts");
        assert_eq!(told.output, ["a", "b"]);
    }

    proptest! {
        #[test]
        fn any_bytes_are_a_report_or_none(body in prop::collection::vec(any::<u8>(), 0..200), text in "[0-9a-z:{}\\[\\]\", .%]{0,80}") {
            drop((report(&body, Timestamp(0)), read(&text)));
        }
    }
}
