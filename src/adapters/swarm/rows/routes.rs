//! Traefik's labels, of version 1 and 2 and later, as routes.

use std::collections::BTreeMap;

use crate::fleet::{Route, Text};

/// The routes that `labels` ask for. A service that says `traefik.enable=false` has none.
pub(in super::super) fn routes(labels: &BTreeMap<String, String>) -> Vec<Route> {
    if labels.get("traefik.enable").is_some_and(|value| value == "false") {
        return Vec::new();
    }
    let mut routes = routers(labels);
    routes.extend(frontends(labels));
    routes
}

/// Version 2 and later: `traefik.http.routers.NAME.rule` and `traefik.http.services.NAME.loadbalancer.server.port`.
fn routers(labels: &BTreeMap<String, String>) -> Vec<Route> {
    let mut found = Vec::new();
    for (label, rule) in labels {
        let inside = ["http", "tcp"].iter().find_map(|protocol| {
            let rest = label.strip_prefix("traefik.")?.strip_prefix(protocol)?.strip_prefix(".routers.")?;
            Some((protocol, rest.strip_suffix(".rule")?))
        });
        let Some((protocol, name)) = inside else { continue };
        let option = |what: &str| labels.get(&format!("traefik.{protocol}.routers.{name}.{what}"));
        let port_of = |service: &str| {
            labels.get(&format!("traefik.{protocol}.services.{service}.loadbalancer.server.port"))?.parse().ok()
        };
        let mut ports = labels.iter().filter(|(label, _)| {
            label.starts_with(&format!("traefik.{protocol}.services.")) && label.ends_with(".loadbalancer.server.port")
        });
        // A service that defines one load balancer need not name it.
        let only = match (ports.next(), ports.next()) {
            (Some((_, port)), None) => port.parse().ok(),
            _ => None,
        };
        let named = option("service").map(|service| service.split_once('@').map_or(service.as_str(), |(name, _)| name));
        let tls = option("tls").is_some_and(|value| value != "false")
            || labels.keys().any(|label| label.starts_with(&format!("traefik.{protocol}.routers.{name}.tls.")));
        found.push(Route {
            name: Text::clean(name),
            rule: Text::clean(rule),
            port: named.and_then(port_of).or_else(|| port_of(name)).or(only),
            tls,
        });
    }
    found
}

/// Version 1: `traefik.frontend.rule`, or `traefik.NAME.frontend.rule` where a service has several.
fn frontends(labels: &BTreeMap<String, String>) -> Vec<Route> {
    let mut found = Vec::new();
    for (label, rule) in labels {
        let Some(inside) = label.strip_prefix("traefik.") else { continue };
        let Some(name) = inside.strip_suffix("frontend.rule") else { continue };
        let name = name.trim_end_matches('.');
        if name.contains('.') {
            continue;
        }
        let prefix = if name.is_empty() { "traefik.".to_owned() } else { format!("traefik.{name}.") };
        let port = labels.get(&format!("{prefix}port")).or_else(|| labels.get("traefik.port"));
        let entries = labels.get(&format!("{prefix}frontend.entryPoints"));
        found.push(Route {
            name: Text::clean(if name.is_empty() { "default" } else { name }),
            rule: Text::clean(rule),
            port: port.and_then(|port| port.parse().ok()),
            tls: entries.is_some_and(|points| points.split(',').any(|point| point.trim() == "https")),
        });
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(labels: &[(&str, &str)]) -> Vec<Route> {
        routes(&labels.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect())
    }

    fn route(name: &str, rule: &str, port: Option<u16>, tls: bool) -> Route {
        Route { name: name.into(), rule: rule.into(), port, tls }
    }

    #[test]
    fn a_router_finds_its_port_by_name_or_where_there_is_only_one() {
        let labels = [
            ("traefik.http.routers.news.rule", "Host(`news.example`)"),
            ("traefik.http.routers.news.tls.certresolver", "le"),
            ("traefik.http.services.web.loadbalancer.server.port", "5000"),
        ];
        assert_eq!(read(&labels), [route("news", "Host(`news.example`)", Some(5000), true)]);
    }

    #[test]
    fn version_one_labels_make_routes_too() {
        let labels = [
            ("traefik.port", "80"),
            ("traefik.frontend.rule", "Host:auth.example"),
            ("traefik.admin.frontend.rule", "Host:admin.example"),
            ("traefik.admin.frontend.entryPoints", "http,https"),
            ("traefik.admin.port", "81"),
        ];
        let expected = [
            route("admin", "Host:admin.example", Some(81), true),
            route("default", "Host:auth.example", Some(80), false),
        ];
        assert_eq!(read(&labels), expected);
    }

    #[test]
    fn a_disabled_service_has_no_routes() {
        assert_eq!(read(&[("traefik.enable", "false"), ("traefik.frontend.rule", "Host:a")]), []);
    }
}
