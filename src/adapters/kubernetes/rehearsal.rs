//! What the server would say: a request that changes something, asked with `dryRun=All`, so that it goes through all that
//! decides (rights, admission, validation, defaults) and stores nothing. No other form of it can be made here.

use http::{Request, header};
use kube::client::Body;
use serde_json::{Value, json};

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
    /// Of a request with this body.
    pub(super) fn of(request: &operation::Request, body: &Value) -> Result<Self> {
        let way = Way::of(request)?;
        let mut body = body.clone();
        let sort = match way {
            Way::Node(_) | Way::Workload(_) => "application/json-patch+json",
            // Options in the body make the server pass over those of the query: this stands in both.
            Way::Deletion(..) => {
                let unclear = || Error::new(ErrorKind::Internal, "a deletion without options is not rehearsed");
                body.as_object_mut().ok_or_else(unclear)?.insert("dryRun".to_owned(), json!(["All"]));
                "application/json"
            }
            Way::Eviction(..) | Way::NewLease(_) | Way::Lease(..) | Way::Release(..) => {
                return Err(Error::new(ErrorKind::Unsupported, "only patches and deletions of pods are rehearsed"));
            }
        };
        let built = Request::builder()
            .method(request.method.as_str())
            .uri(format!("{}?{ONLY}&fieldManager=quarterdeck", way.path()?))
            .header(header::CONTENT_TYPE, sort)
            .header(header::ACCEPT, "application/json")
            .body(Body::from(body.to_string().into_bytes()));
        built.map(Self).map_err(|cause| Error::new(ErrorKind::Internal, "a request could not be built").because(&cause))
    }

    /// The request, ready to be sent.
    pub(super) fn request(self) -> Request<Body> {
        self.0
    }
}

/// Whether a request, with its query and its body, is a rehearsal: recorders hold traffic against it.
pub fn rehearsed(method: &str, target: &str, body: &[u8]) -> bool {
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let request = operation::Request { method: method.into(), path: path.into(), change: Value::Null };
    let deletion = matches!(Way::of(&request), Ok(Way::Deletion(..)));
    let known = deletion || matches!(Way::of(&request), Ok(Way::Node(_) | Way::Workload(_)));
    let dry: Vec<&str> = query.split('&').filter(|part| part.starts_with("dryRun")).collect();
    // A deletion's own options count for more than its query.
    let options = || serde_json::from_slice::<Value>(body).is_ok_and(|it| it.get("dryRun") == Some(&json!(["All"])));
    known && dry == [ONLY] && (!deletion || options())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn every_rehearsal_says_that_nothing_is_to_be_stored() {
        let workload =
            super::super::way::Named { kind: super::super::way::Workload::StatefulSet, namespace: "team", name: "db" };
        for way in [Way::Node("n1"), Way::Workload(workload), Way::Deletion("team", "web-1")] {
            let planned = way.request(Value::Null).expect("plain names");
            let (head, body) = Rehearsal::of(&planned, &json!({"a": 1})).expect("a body").request().into_parts();
            let body = http_body_util::BodyExt::collect(body).await.expect("it is all there").to_bytes();
            assert!(rehearsed(head.method.as_str(), &head.uri.to_string(), &body), "{}", head.uri);
        }
        let eviction = Way::Eviction("team", "web-1").request(Value::Null).expect("plain names");
        assert!(Rehearsal::of(&eviction, &Value::Null).is_err());
        let deletion = Way::Deletion("team", "web-1").request(Value::Null).expect("plain names");
        assert!(Rehearsal::of(&deletion, &Value::Null).is_err(), "no place to say so");
    }

    #[test]
    fn what_would_be_stored_is_no_rehearsal() {
        let deployment = "/apis/apps/v1/namespaces/team/deployments/web";
        for query in ["", "?dryRun=", "?dryRun=None", "?fieldManager=dryRun=All", "?dryRun=All&dryRun=", "?xdryRun=All"]
        {
            assert!(!rehearsed("PATCH", &format!("{deployment}{query}"), b"[]"), "{query}");
        }
        assert!(!rehearsed("DELETE", &format!("{deployment}?dryRun=All"), b"{}"));
        assert!(!rehearsed("PATCH", "/api/v1/secrets?dryRun=All", b"[]"));
        let pod = "/api/v1/namespaces/team/pods/web-1?dryRun=All";
        let dry = br#"{"dryRun":["All"]}"#;
        assert!(rehearsed("DELETE", pod, dry));
        for body in [b"{}".as_slice(), b"", br#"{"dryRun":[]}"#, br#"{"gracePeriodSeconds":0}"#] {
            assert!(!rehearsed("DELETE", pod, body), "{}", String::from_utf8_lossy(body));
        }
        assert!(!rehearsed("DELETE", "/api/v1/namespaces/team/pods/web-1", dry));
    }
}
