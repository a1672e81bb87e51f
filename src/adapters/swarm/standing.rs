//! Whether an engine can speak for a swarm, and what would work where it cannot.

use bollard::models::{LocalNodeState, SystemInfo};

use crate::error::{Error, ErrorKind, Result};

/// An error unless this engine is a manager of a swarm.
pub(super) fn manager(info: &SystemInfo, address: &str) -> Result<()> {
    let swarm = info.swarm.as_ref();
    let state = swarm.and_then(|swarm| swarm.local_node_state);
    let refused = |text: String, hint: String| Err(Error::new(ErrorKind::Unsupported, text).hint(hint));
    match state {
        Some(LocalNodeState::ACTIVE) if swarm.and_then(|swarm| swarm.control_available) == Some(true) => Ok(()),
        Some(LocalNodeState::ACTIVE) => {
            let managers: Vec<&str> = swarm
                .and_then(|swarm| swarm.remote_managers.as_ref())
                .into_iter()
                .flatten()
                .filter_map(|peer| peer.addr.as_deref())
                // The port is raft's; an engine listens elsewhere.
                .map(|address| address.rsplit_once(':').map_or(address, |(host, _)| host))
                .collect();
            let known =
                if managers.is_empty() { "of its swarm".to_owned() } else { format!("({})", managers.join(", ")) };
            let name = info.name.as_deref().unwrap_or("this node");
            refused(
                format!("{name} at {address} is a worker: it may not see or change the swarm"),
                format!("connect to the engine of a manager {known}, by its socket, TLS port or a forwarded socket"),
            )
        }
        Some(LocalNodeState::LOCKED) => refused(
            format!("the manager at {address} is locked"),
            "unlock it on its machine with `docker swarm unlock`, or connect to another manager".to_owned(),
        ),
        Some(LocalNodeState::PENDING) => refused(
            format!("the engine at {address} is still joining its swarm"),
            "wait until `docker info` there says `Swarm: active`".to_owned(),
        ),
        Some(LocalNodeState::ERROR) => {
            let said = swarm.and_then(|swarm| swarm.error.as_deref()).unwrap_or("it does not say why");
            Err(Error::new(ErrorKind::Platform, format!("the engine at {address} failed in its swarm: {said}"))
                .hint("see the engine's own log on that machine"))
        }
        Some(LocalNodeState::INACTIVE | LocalNodeState::EMPTY) | None => refused(
            format!("the engine at {address} is in no swarm"),
            "make it one with `docker swarm init`, join one, or connect to a manager of yours".to_owned(),
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn info(json: &str) -> SystemInfo {
        serde_json::from_str(json).expect("info")
    }

    #[test]
    fn a_worker_names_the_managers_that_would_work() {
        let worker = info(
            r#"{"Name":"w1","Swarm":{"LocalNodeState":"active","ControlAvailable":false,
                "RemoteManagers":[{"NodeID":"a","Addr":"10.77.0.11:2377"},{"NodeID":"b","Addr":"10.77.0.12:2377"}]}}"#,
        );
        let error = manager(&worker, "unix:///w1.sock").expect_err("a worker is no manager");
        assert_eq!(error.kind, ErrorKind::Unsupported);
        assert_eq!(error.message, "w1 at unix:///w1.sock is a worker: it may not see or change the swarm");
        assert!(error.hint.is_some_and(|hint| hint.contains("(10.77.0.11, 10.77.0.12)")));
    }

    #[test]
    fn an_engine_without_a_swarm_says_so() {
        let alone = info(r#"{"Swarm":{"LocalNodeState":"inactive","ControlAvailable":false}}"#);
        let error = manager(&alone, "unix:///x").expect_err("there is no swarm");
        assert_eq!(error.message, "the engine at unix:///x is in no swarm");
    }
}
