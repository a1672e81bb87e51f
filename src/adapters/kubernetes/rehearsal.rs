//! What the server would say: a request that changes something, asked with `dryRun=All`, so that it goes through all that
//! decides (rights, admission, validation, defaults) and stores nothing. No other form of it can be made here.

use http::{Request, header};
use kube::client::Body;
use serde_json::Value;

use super::way::Way;
use crate::{
    error::{Error, ErrorKind, Result},
    operation,
};

/// What keeps a request from being stored.
const ONLY: &str = "dryRun=All";

/// A request that changes nothing.
pub(super) struct Rehearsal(Request<Body>);

impl Rehearsal {
    /// Of a request with this patch.
    pub(super) fn of(request: &operation::Request, patch: &Value) -> Result<Self> {
        let way = Way::of(request)?;
        let (Way::Node(_) | Way::Workload(_)) = way else {
            return Err(Error::new(ErrorKind::Unsupported, "only patches are rehearsed"));
        };
        let built = Request::builder()
            .method(request.method.as_str())
            .uri(format!("{}?{ONLY}&fieldManager=quarterdeck", way.path()?))
            .header(header::CONTENT_TYPE, "application/json-patch+json")
            .header(header::ACCEPT, "application/json")
            .body(Body::from(patch.to_string().into_bytes()));
        built.map(Self).map_err(|cause| Error::new(ErrorKind::Internal, "a request could not be built").because(&cause))
    }

    /// The request, ready to be sent.
    pub(super) fn request(self) -> Request<Body> {
        self.0
    }
}

/// Whether a request, with its query, is a rehearsal: recorders hold traffic against it.
pub fn rehearsed(method: &str, target: &str) -> bool {
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let request = operation::Request { method: method.into(), path: path.into(), change: Value::Null };
    let known = matches!(Way::of(&request), Ok(Way::Node(_) | Way::Workload(_)));
    let dry: Vec<&str> = query.split('&').filter(|part| part.starts_with("dryRun")).collect();
    known && dry == [ONLY]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_rehearsal_says_that_nothing_is_to_be_stored() {
        let workload =
            super::super::way::Named { kind: super::super::way::Workload::StatefulSet, namespace: "team", name: "db" };
        for way in [Way::Node("n1"), Way::Workload(workload)] {
            let planned = way.request(Value::Null).expect("plain names");
            let request = Rehearsal::of(&planned, &Value::Null).expect("a patch").request();
            assert!(rehearsed(request.method().as_str(), &request.uri().to_string()), "{}", request.uri());
        }
        let eviction = Way::Eviction("team", "web-1").request(Value::Null).expect("plain names");
        assert!(Rehearsal::of(&eviction, &Value::Null).is_err());
    }

    #[test]
    fn what_would_be_stored_is_no_rehearsal() {
        let deployment = "/apis/apps/v1/namespaces/team/deployments/web";
        for query in ["", "?dryRun=", "?dryRun=None", "?fieldManager=dryRun=All", "?dryRun=All&dryRun=", "?xdryRun=All"]
        {
            assert!(!rehearsed("PATCH", &format!("{deployment}{query}")), "{query}");
        }
        assert!(!rehearsed("DELETE", &format!("{deployment}?dryRun=All")));
        assert!(!rehearsed("PATCH", "/api/v1/secrets?dryRun=All"));
    }
}
