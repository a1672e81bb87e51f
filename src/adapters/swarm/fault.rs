//! What goes wrong between us and an engine, said as errors: kinds from texts and codes, in one table.

use std::{error::Error as _, io};

use crate::error::{Error, ErrorKind};

/// What the engine says, verbatim in part; what that is; what to do next.
const SAID: &[(&str, ErrorKind, &str)] = &[
    (
        "This node is not a swarm manager",
        ErrorKind::Unsupported,
        "connect to a manager of this swarm: `docker info` on this node lists them under Manager Addresses",
    ),
    (
        "Swarm is encrypted and needs to be unlocked",
        ErrorKind::Unsupported,
        "unlock this manager with `docker swarm unlock`, or connect to another manager",
    ),
    (
        "The swarm does not have a leader",
        ErrorKind::Platform,
        "bring managers back until more than half of them are online; running tasks run on",
    ),
    (
        "node lost leader status",
        ErrorKind::Platform,
        "the managers lost contact with each other: look at the nodes before trying again",
    ),
    (
        "context deadline exceeded",
        ErrorKind::Platform,
        "this manager cannot reach a leader: connect to another one, or bring managers back",
    ),
    (
        "node ID is not available",
        ErrorKind::Platform,
        "a node is down: what its tasks wrote cannot be read until it is back",
    ),
    ("update out of sequence", ErrorKind::Conflict, "it changed meanwhile: look at it as it is now and plan again"),
    ("does not have a previous spec", ErrorKind::Conflict, "there is no version before to go back to"),
    (
        "is too new. Maximum supported API version is",
        ErrorKind::Unsupported,
        "the engine is too old: API 1.41 (Docker 20.10) is needed",
    ),
    (
        "is too old. Minimum supported API version is",
        ErrorKind::Unsupported,
        "the engine is newer than this program knows",
    ),
    (
        "Client sent an HTTP request to an HTTPS server",
        ErrorKind::Config,
        "this engine wants TLS: give its certificates (`tls` in the configuration, or DOCKER_TLS_VERIFY and DOCKER_CERT_PATH)",
    ),
];

/// The error an engine's answer is.
pub(super) fn answered(what: &str, status: u16, message: &str) -> Error {
    let message = message.trim();
    let known = SAID.iter().find(|(text, ..)| message.contains(text));
    let kind = known.map_or_else(|| kind_of(status), |(_, kind, _)| *kind);
    let said = if message.is_empty() { format!("HTTP {status}") } else { message.to_owned() };
    let error = Error::new(kind, format!("{what}: {said}"));
    match known {
        Some((_, _, hint)) => error.hint(*hint),
        None => error,
    }
}

fn kind_of(status: u16) -> ErrorKind {
    match status {
        401 => ErrorKind::Auth,
        403 => ErrorKind::Denied,
        404 => ErrorKind::NotFound,
        409 | 412 => ErrorKind::Conflict,
        429 => ErrorKind::Throttled(None),
        501 => ErrorKind::Unsupported,
        500.. => ErrorKind::Platform,
        _ => ErrorKind::Malformed,
    }
}

/// Whether this is a swarm that cannot decide anything, and not a call that failed.
pub(super) fn leaderless(error: &Error) -> bool {
    let texts = ["does not have a leader", "lost leader status", "context deadline exceeded"];
    error.kind == ErrorKind::Platform && texts.iter().any(|text| error.message.contains(text))
}

/// The error a connection that could not be made is.
pub(super) fn unconnected(address: &str, source: &io::Error) -> Error {
    let said = |kind, text: String, hint: &str| Error::new(kind, text).hint(hint).because(source);
    #[expect(clippy::wildcard_enum_match_arm, reason = "the operating system knows more ways to fail than need words")]
    match source.kind() {
        io::ErrorKind::NotFound => said(
            ErrorKind::Unreachable,
            format!("no Docker engine listens at {address}"),
            "start it, or name another one: `host` in the configuration, DOCKER_HOST, or a docker context",
        ),
        io::ErrorKind::PermissionDenied => said(
            ErrorKind::Denied,
            format!("this user may not use {address}"),
            "become a member of the socket's group (often `docker`), then log in again",
        ),
        io::ErrorKind::InvalidData => said(
            ErrorKind::Auth,
            format!("no agreement on TLS with {address}"),
            "compare the engine's certificate authority and your certificate; both must be current and match the host's name",
        ),
        _ => said(
            ErrorKind::Unreachable,
            format!("{address} cannot be reached"),
            "see whether the engine runs and the network leads there",
        ),
    }
}

/// The error a connection that broke is.
pub(super) fn broken(what: &str, address: &str, source: &hyper::Error) -> Error {
    // A TLS alert (a certificate the engine refuses) comes only after the handshake, inside the first answer.
    let alert = source.source().is_some_and(|inner| inner.to_string().contains("received fatal alert"));
    if alert {
        return Error::new(ErrorKind::Auth, format!("{address} refused our certificate"))
            .hint("renew the client certificate, or use the one that this engine's authority signed")
            .because(source);
    }
    Error::new(ErrorKind::Unreachable, format!("{what}: the connection to {address} broke"))
        .hint("see whether the engine still runs")
        .because(source)
}

/// The error an answer that cannot be read is.
pub(super) fn unreadable(what: &str, source: &serde_json::Error) -> Error {
    Error::new(ErrorKind::Malformed, format!("{what}: the answer cannot be understood"))
        .hint("is this a Docker engine? API 1.41 to 1.53 is understood")
        .because(source)
}

/// The error bollard's is.
pub(super) fn from_bollard(what: &str, error: bollard::errors::Error) -> Error {
    #[expect(clippy::wildcard_enum_match_arm, reason = "every other error of bollard's is about reading an answer")]
    match error {
        bollard::errors::Error::DockerResponseServerError { status_code, message } => {
            answered(what, status_code, &message)
        }
        // The transport is ours, and hands its errors through as the source of an IO error.
        bollard::errors::Error::IOError { err } => match err.downcast::<Error>() {
            Ok(ours) => ours,
            Err(err) => Error::new(ErrorKind::Unreachable, what.to_owned()).because(&err),
        },
        bollard::errors::Error::RequestTimeoutError => {
            Error::new(ErrorKind::TimedOut, format!("{what}: no answer in time"))
        }
        other => Error::new(ErrorKind::Malformed, format!("{what}: the answer cannot be understood")).because(&other),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stale_version_is_a_conflict_though_the_engine_calls_it_500() {
        let error = answered("updating web", 500, "rpc error: code = Unknown desc = update out of sequence");
        assert_eq!(error.kind, ErrorKind::Conflict);
        assert_eq!(error.message, "updating web: rpc error: code = Unknown desc = update out of sequence");
    }

    #[test]
    fn a_worker_says_what_would_work() {
        let text = "This node is not a swarm manager. Worker nodes can't be used to view or modify cluster state. \
                    Please run this command on a manager node or promote the current node to a manager.";
        let error = answered("listing nodes", 503, text);
        assert_eq!(error.kind, ErrorKind::Unsupported);
        assert!(error.hint.is_some_and(|hint| hint.contains("connect to a manager")));
    }

    #[test]
    fn both_phases_of_a_lost_quorum_are_known() {
        let texts = [
            "rpc error: code = Unknown desc = The swarm does not have a leader. It's possible that too few managers \
             are online. Make sure more than half of the managers are online.",
            "raft: failed to process the request: node lost leader status",
            "rpc error: code = DeadlineExceeded desc = context deadline exceeded",
        ];
        assert!(texts.iter().all(|text| leaderless(&answered("listing nodes", 500, text))));
        assert!(!leaderless(&answered("reading web", 404, "service web not found")));
    }

    #[test]
    fn codes_decide_where_no_text_does() {
        let kinds = [401, 403, 404, 409, 418, 429, 503].map(|status| answered("x", status, "").kind);
        let expected = [
            ErrorKind::Auth,
            ErrorKind::Denied,
            ErrorKind::NotFound,
            ErrorKind::Conflict,
            ErrorKind::Malformed,
            ErrorKind::Throttled(None),
            ErrorKind::Platform,
        ];
        assert_eq!(kinds, expected);
    }
}
