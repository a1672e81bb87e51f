//! How answers are printed, and what is waited for: words of the command line that `main` translates.

use clap::ValueEnum;

/// How lists are printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Output {
    /// The columns that matter most
    Table,
    /// Every column
    Wide,
    /// One JSON object with `items`
    Json,
    /// The same as YAML
    Yaml,
    /// One JSON object a line
    Ndjson,
}

/// How one answer is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For people
    Text,
    /// One JSON object
    Json,
    /// The same as YAML
    Yaml,
}

/// What `wait` waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Until {
    /// No rollout under way, and every wanted task runs
    Stable,
    /// Healthy, by the platform and by its probes
    Healthy,
}
