//! Services that want the same port.

use std::collections::HashMap;

use super::{Attention, View};
use crate::fleet::{
    health::Health,
    ids::ConnectionId,
    service::{PortMode, Service},
};

/// A connection's port, with its protocol.
type Address<'a> = (&'a ConnectionId, u16, &'a str);

/// Services that publish a port another one publishes on every node. A swarm refuses the second, and only when it is
/// deployed; two services on the host's own port clash only where they meet, so those are left out.
pub(super) fn rule(view: View<'_>, found: &mut Vec<Attention>) {
    let mut taken: HashMap<Address<'_>, Vec<(&Service, PortMode)>> = HashMap::new();
    for service in view.store.services() {
        for port in &service.ports {
            let Some(published) = port.published else { continue };
            let users = taken.entry((&service.id.connection, published, &*port.protocol)).or_default();
            if !users.iter().any(|(user, _)| user.id == service.id) {
                users.push((service, port.mode));
            }
        }
    }
    for ((_, port, protocol), mut users) in taken {
        let everywhere = users.iter().any(|(_, mode)| *mode == PortMode::Ingress);
        if users.len() < 2 || !everywhere {
            continue;
        }
        users.sort_by(|(a, _), (b, _)| (&a.created_at, &a.id).cmp(&(&b.created_at, &b.id)));
        // The newest is the one in the way.
        let Some((&(newest, _), others)) = users.split_last() else { continue };
        let others: Vec<&str> = others.iter().map(|(service, _)| &*service.name).collect();
        let text = format!("port {port}/{protocol} is also published by {}", others.join(", "));
        found.push(Attention::about("port conflict", Health::Degraded, newest, text, newest.changed_at));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fleet::{attention::said, sample};

    use crate::fleet::Port;

    fn publishing(name: &str, mode: PortMode, minutes: i64) -> Service {
        let mut service = sample::service(name, 1);
        service.created_at = Some(sample::minutes_ago(minutes));
        service.ports = vec![Port { published: Some(5001), target: 80, protocol: "tcp".into(), mode }];
        service
    }

    #[test]
    fn the_newer_of_two_services_is_in_the_way() {
        let old = publishing("newswatcher", PortMode::Ingress, 90);
        let new = publishing("public_api", PortMode::Ingress, 10);
        assert_eq!(
            said(rule, vec![new.into(), old.into()]),
            ["degraded public_api: port 5001/tcp is also published by newswatcher (2h)"]
        );
    }

    #[test]
    fn two_services_on_the_hosts_own_port_may_never_meet() {
        let [a, b] = ["a", "b"].map(|name| publishing(name, PortMode::Host, 1).into());
        assert_eq!(said(rule, vec![a, b]), Vec::<String>::new());
    }
}
