//! What the Kubernetes system has besides the kinds of other panes: ingresses, and certificates of a kind that was added
//! to it. They are told of what is there already, and stay as they are.

use std::sync::Arc;

use super::{Flavour, World};
use crate::fleet::{Cell, Column, Columns, Definition, Health, Kind, Object, Text, field::Align};

/// Name, group, kind, short name.
const KINDS: [(&str, &str, &str, &str); 2] =
    [("ingresses", "networking.k8s.io", "Ingress", "ing"), ("certificates", "cert-manager.io", "Certificate", "cert")];

impl World {
    /// Kinds that this system has by itself.
    pub(super) fn definitions(&self) -> Vec<Definition> {
        if self.flavour != Flavour::Kubernetes {
            return Vec::new();
        }
        let definition = |(rank, (name, group, native, short)): (u32, (&str, &str, &str, &str))| Definition {
            id: self.id(Kind::Definition, format!("{name}.{group}").into()),
            name: name.into(),
            singular: native.to_lowercase().into(),
            short: vec![short.into()],
            group: group.into(),
            version: "v1".into(),
            others: Vec::new(),
            native: native.into(),
            namespaced: true,
            verbs: ["get", "list", "watch"].map(Text::from).to_vec(),
            rank,
        };
        (0..).zip(KINDS).map(definition).collect()
    }

    /// Objects of all of them: an ingress for every route, and what keeps its certificate.
    pub(super) fn objects(&self) -> Vec<Object> {
        let definitions = self.definitions();
        let [ingress, certificate] = definitions.as_slice() else { return Vec::new() };
        let ingresses = columns(ingress, &[("Class", ""), ("Hosts", ""), ("Ports", ""), ("Age", "")]);
        let certificates = columns(certificate, &[("Ready", ""), ("Secret", "wide"), ("Age", "")]);
        let mut objects = Vec::new();
        for service in self.workloads.values().map(|workload| &workload.row) {
            for route in &service.routes {
                let host = route.rule.trim_start_matches("Host(`").trim_end_matches("`)");
                let words = |words: &str| Cell::Words(words.into());
                let age = || service.created_at.map_or(Cell::None, Cell::When);
                let secret = format!("{}-tls", route.name);
                let made = |of: &Definition, columns: &Arc<Columns>, health, name: &str, cells: Vec<Cell>| Object {
                    id: self.id(Kind::Object, format!("{}/{}/{name}", of.id.key, service.group).into()),
                    name: name.into(),
                    group: service.group.clone(),
                    environment: service.environment.clone(),
                    columns: Arc::clone(columns),
                    cells: std::iter::once(Cell::None).chain(cells).collect(),
                    health,
                    created_at: service.created_at,
                    ending_since: None,
                };
                let cells = vec![words("nginx"), words(host), words("80, 443"), age()];
                objects.push(made(ingress, &ingresses, Health::Idle, &route.name, cells));
                let cells = vec![words("True"), words(&secret), age()];
                objects.push(made(certificate, &certificates, Health::Healthy, &secret, cells));
            }
        }
        objects
    }
}

/// The name, and what else is shown of what `definition` defines.
fn columns(definition: &Definition, titles: &[(&str, &str)]) -> Arc<Columns> {
    let column = |title: &str, room: &str| Column {
        title: title.into(),
        about: Text::default(),
        align: if title == "Age" { Align::Right } else { Align::Left },
        wide: room == "wide",
        name: title == "Name",
    };
    let all = std::iter::once(&("Name", "")).chain(titles).map(|(title, room)| column(title, room)).collect();
    Arc::new(Columns { native: definition.native.clone(), namespaced: true, all, sorted_by: None })
}
