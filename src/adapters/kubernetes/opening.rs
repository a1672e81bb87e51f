//! Ways into a pod, as a plan shows them and as they are found in a plan again: a command in a container, a way to a
//! port. On the wire each is a GET, which is why no list of reading calls has them.

use serde::{Deserialize, Serialize};
use serde_json::json;

use super::read::segment;
use crate::{
    error::{Error, ErrorKind, Result},
    fleet::Text,
    operation::Request,
};

/// A pod that is gone into.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Opening<'a> {
    /// The pod's namespace.
    pub namespace: &'a str,
    /// Its name.
    pub name: &'a str,
}

/// What is run in it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Wanted {
    /// In which container.
    pub container: Option<String>,
    /// The command and its arguments.
    pub command: Vec<String>,
    /// Whether it has a terminal.
    pub tty: bool,
}

impl<'a> Opening<'a> {
    /// The request that runs a command.
    pub(super) fn exec(self, wanted: &Wanted) -> Result<Request> {
        let change = serde_json::to_value(wanted)
            .map_err(|cause| Error::new(ErrorKind::Internal, "a command cannot be written").because(&cause))?;
        Ok(Request { method: "GET".into(), path: Text::clean(&self.path("exec")?), change })
    }

    /// The request that leads to a port.
    pub(super) fn forward(self, local: Option<u16>, port: u16) -> Result<Request> {
        let change = json!({ "local": local, "port": port });
        Ok(Request { method: "GET".into(), path: Text::clean(&self.path("portforward")?), change })
    }

    /// The pod that a plan's request is about, and what is run in it.
    pub(super) fn of(request: &'a Request) -> Result<(Self, Wanted)> {
        let parts: Vec<&str> = request.path.trim_start_matches('/').split('/').collect();
        let (["api", "v1", "namespaces", namespace, "pods", name, "exec"], "GET") =
            (parts.as_slice(), &*request.method)
        else {
            return Err(Error::new(ErrorKind::Unsupported, format!("{} runs no command", request.path)));
        };
        let wanted = serde_json::from_value(request.change.clone())
            .map_err(|cause| Error::new(ErrorKind::Malformed, "the plan's command cannot be read").because(&cause))?;
        Ok((Self { namespace, name }, wanted))
    }

    fn path(self, by: &str) -> Result<String> {
        Ok(format!("/api/v1/namespaces/{}/pods/{}/{by}", segment(self.namespace)?, segment(self.name)?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_plan_shows_is_what_is_run() {
        let opening = Opening { namespace: "team", name: "web-1" };
        let command = ["sh", "-c", "echo 'a\nb' \u{1b}[0m"].map(str::to_owned).to_vec();
        let wanted = Wanted { container: Some("main".into()), command, tty: true };
        let request = opening.exec(&wanted).expect("plain names");
        assert_eq!(Opening::of(&request).expect("it was just written"), (opening, wanted));
        assert!(Opening::of(&opening.forward(Some(8080), 80).expect("plain names")).is_err());
        assert!(Opening { namespace: "team", name: "../x" }.forward(None, 80).is_err());
    }

    #[test]
    fn a_way_in_is_not_among_the_reading_calls() {
        for by in ["exec", "attach", "portforward", "proxy"] {
            for method in ["GET", "POST"] {
                let path = format!("/api/v1/namespaces/team/pods/web-1/{by}");
                assert!(!super::super::allowed(method, &path), "{method} {path}");
            }
        }
    }
}
