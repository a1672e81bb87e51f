//! Stacks, configs, secrets and networks as rows. Names and ages: what is in them is never asked for.

use std::collections::BTreeMap;

use super::super::{
    instant::instant,
    lock, model,
    picture::{Maker, Picture, STACK, Thing, stack},
};
use crate::fleet::{Backing, BackingSort, Health, Kind, Resource, Text, environment::glob};

/// Every backing. Their keys carry what they are, since a stack goes by its name.
pub(in super::super) fn rows(picture: &Picture, maker: &mut Maker<'_>) -> Vec<Resource> {
    let mut rows = stacks(picture, maker);
    let things = [
        (BackingSort::Config, &picture.configs),
        (BackingSort::Secret, &picture.secrets),
        (BackingSort::Network, &picture.networks),
    ];
    for (sort, list) in things {
        // Locks have rows of their own.
        let list = list.iter().filter(|thing| !lock::is(&thing.labels));
        rows.extend(list.map(|thing| row(sort, thing, picture, maker).into()));
    }
    rows
}

/// Stacks exist only as a label on what is in them.
fn stacks(picture: &Picture, maker: &mut Maker<'_>) -> Vec<Resource> {
    let mut stacks: BTreeMap<&str, Vec<&model::Service>> = BTreeMap::new();
    for service in &picture.services {
        if let Some(name) = service.spec.labels.get(STACK) {
            stacks.entry(name).or_default().push(service);
        }
    }
    // A stack whose services are gone may have left other things behind.
    for thing in picture.networks.iter().chain(&picture.configs).chain(&picture.secrets) {
        if let Some(name) = thing.labels.get(STACK) {
            stacks.entry(name).or_default();
        }
    }
    let row = |(name, services): (&str, Vec<&model::Service>)| {
        let known: Vec<_> = services.iter().filter_map(|service| instant(&service.created_at)).collect();
        let health = services.iter().map(|service| super::services::health(picture, service, maker.at)).max();
        let left = if services.is_empty() { ", what is left of it" } else { "" };
        let plural = if services.len() == 1 { "" } else { "s" };
        Resource::from(Backing {
            id: maker.id(Kind::Backing, &format!("stack/{name}")),
            name: maker.texts.text(name),
            sort: BackingSort::Stack,
            environment: maker.environment(name),
            group: maker.texts.text(name),
            health: health.unwrap_or(Health::Idle),
            detail: Text::clean(&format!("{} service{plural}{left}", services.len())),
            temporary: glob(&maker.settings.temporary_stacks, name),
            created_at: known.iter().min().copied(),
            changed_at: services.iter().filter_map(|service| instant(&service.updated_at)).max(),
        })
    };
    stacks.into_iter().map(row).collect()
}

fn row(sort: BackingSort, thing: &Thing, picture: &Picture, maker: &mut Maker<'_>) -> Backing {
    let group = stack(&thing.labels).to_owned();
    let users = picture.services.iter().filter(|service| uses(sort, service, &thing.id)).count();
    let used = match users {
        0 => "used by no service".to_owned(),
        1 => "used by 1 service".to_owned(),
        many => format!("used by {many} services"),
    };
    let detail = if thing.driver.is_empty() { used } else { format!("{}, {used}", thing.driver) };
    Backing {
        id: maker.id(Kind::Backing, &format!("{}/{}", sort.word(), thing.id)),
        name: maker.texts.text(&thing.name),
        sort,
        environment: maker.environment(&group),
        group: maker.texts.text(&group),
        health: Health::Healthy,
        detail: Text::clean(&detail),
        temporary: !group.is_empty() && glob(&maker.settings.temporary_stacks, &group),
        created_at: thing.created_at,
        changed_at: thing.updated_at,
    }
}

fn uses(sort: BackingSort, service: &model::Service, id: &str) -> bool {
    let template = &service.spec.task_template;
    match sort {
        BackingSort::Config => template.container().configs.iter().any(|it| it.id == id),
        BackingSort::Secret => template.container().secrets.iter().any(|it| it.id == id),
        BackingSort::Network => {
            template.networks.iter().chain(&service.spec.networks).any(|attachment| attachment.target == id)
        }
        BackingSort::Stack
        | BackingSort::Registry
        | BackingSort::Discovery
        | BackingSort::Database
        | BackingSort::Bucket => false,
    }
}
