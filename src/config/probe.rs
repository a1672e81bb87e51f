//! What is asked over HTTP: `[[probes]]`.

use std::{path::PathBuf, time::Duration};

use regex::Regex;
use toml_edit::Value;

use super::{
    connection::environment_fault,
    reader::Reader,
    secret,
    setting::{Entry, Fault, Setting},
    value::{Place, Plain, Statuses, Wrong, quoted},
};
use crate::fleet::Purpose;

/// One address that is asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Probe {
    /// What it is called on screen.
    pub name: String,
    /// The address.
    pub url: String,
    /// Where it belongs.
    pub environment: Option<String>,
    /// The service it speaks for.
    pub service: Option<String>,
    /// Polled, or only on request.
    pub purpose: Purpose,
    /// How often it is asked.
    pub interval: Duration,
    /// How long an answer may take.
    pub timeout: Duration,
    /// Which statuses are healthy.
    pub status: Statuses,
    /// A regular expression that a healthy body matches.
    pub body: Option<String>,
    /// The environment variable that holds `user:password` for basic authentication.
    pub basic_auth_env: Option<String>,
    /// Who signed its certificate, where the system does not know.
    pub ca_file: Option<PathBuf>,
    /// Whether its certificate is taken as it is.
    pub insecure: bool,
}

impl Default for Probe {
    fn default() -> Self {
        Self {
            name: String::new(),
            url: String::new(),
            environment: None,
            service: None,
            purpose: Purpose::Health,
            interval: Duration::from_secs(10),
            timeout: Duration::from_secs(5),
            status: Statuses(200..=299),
            body: None,
            basic_auth_env: None,
            ca_file: None,
            insecure: false,
        }
    }
}

impl Plain for Purpose {
    fn wants() -> String {
        "one of \"health\", \"test\"".to_owned()
    }
    fn read(value: &Value, _: &Place) -> Result<Self, Wrong> {
        match value.as_str() {
            Some("health") => Ok(Self::Health),
            Some("test") => Ok(Self::Test),
            Some(other) => Err(super::value::unknown_word(other, &["health", "test"])),
            None => Err(Wrong::Unlike),
        }
    }
    fn write(&self) -> Option<String> {
        Some(quoted(match self {
            Self::Health => "health",
            Self::Test => "test",
        }))
    }
}

impl Entry for Probe {
    const WORD: &'static str = "probe";

    fn settings() -> Vec<Setting<Self>> {
        let interval = Duration::from_secs(1)..=Duration::from_hours(1);
        let timeout = Duration::from_millis(100)..=Duration::from_mins(5);
        vec![
            Setting::new("name", |it: &mut Self| &mut it.name, "What it is called on screen.")
                .required()
                .sample("\"auth health\""),
            Setting::new("url", |it: &mut Self| &mut it.url, "The address, http or https.")
                .required()
                .sample("\"https://auth.example.org/health\""),
            Setting::new("environment", |it: &mut Self| &mut it.environment, "Where it belongs.").sample("\"prod\""),
            Setting::new("service", |it: &mut Self| &mut it.service, "The service it speaks for, by name.")
                .sample("\"auth\""),
            Setting::new(
                "purpose",
                |it: &mut Self| &mut it.purpose,
                "health is polled; test runs tests and is asked only on request.",
            ),
            Setting::ranged("interval", |it: &mut Self| &mut it.interval, interval, "How often it is asked."),
            Setting::ranged("timeout", |it: &mut Self| &mut it.timeout, timeout, "How long an answer may take."),
            Setting::new("status", |it: &mut Self| &mut it.status, "Which statuses are healthy."),
            Setting::new(
                "body",
                |it: &mut Self| &mut it.body,
                "A regular expression that a healthy answer's body matches.",
            )
            .sample("\"ok\""),
            Setting::new(
                "basic_auth_env",
                |it: &mut Self| &mut it.basic_auth_env,
                "The environment variable that holds user:password for basic authentication.",
            )
            .sample("\"AUTH_HEALTH_LOGIN\""),
            Setting::new(
                "ca_file",
                |it: &mut Self| &mut it.ca_file,
                "Who signed its certificate, where the system does not know: a PEM file.",
            )
            .sample("\"internal-ca.pem\""),
            Setting::new(
                "insecure",
                |it: &mut Self| &mut it.insecure,
                "Take its certificate as it is. The expiry is still shown.",
            ),
        ]
    }

    fn name(&self) -> &str {
        &self.name
    }

    fn check(&self, reader: &Reader<'_>) -> Vec<Fault> {
        let mut faults = Vec::new();
        if secret::in_address(&self.url) {
            let hint = "Put user:password into an environment variable and name it in `basic_auth_env`.";
            faults.push(Fault::new("url", "`url` holds a secret, and secrets are never read from this file", hint));
        } else if !["http://", "https://"].iter().any(|it| self.url.starts_with(it) && self.url.len() > it.len()) {
            let message = format!("\"{}\" is no address to ask", self.url);
            faults.push(Fault::new("url", message, "Begin with http:// or https://."));
        }
        if let Some(Err(error)) = self.body.as_deref().map(Regex::new) {
            let why = error.to_string().lines().last().unwrap_or_default().trim_start_matches("error: ").to_owned();
            let hint = "Put a backslash before characters that mean something, such as ( [ . *";
            faults.push(Fault::new("body", format!("`body` is no regular expression: {why}"), hint));
        }
        if self.purpose == Purpose::Health && self.timeout > self.interval {
            let hint = "Ask less often, or wait less long.";
            let fault = Fault::new("timeout", "`timeout` is longer than `interval`", hint);
            faults.push(fault.beside(&["interval", "purpose"]));
        }
        if let Some(variable) = &self.basic_auth_env
            && (variable.is_empty() || !variable.chars().all(|it| it.is_ascii_alphanumeric() || it == '_'))
        {
            // What stands there may be the password itself, so it is not repeated.
            let hint = "Give the variable's name, such as AUTH_LOGIN, and set it to user:password.";
            faults.push(Fault::new("basic_auth_env", "`basic_auth_env` is not the name of a variable", hint));
        }
        faults.extend(self.environment.iter().filter_map(|it| environment_fault(it, reader)));
        faults
    }
}
