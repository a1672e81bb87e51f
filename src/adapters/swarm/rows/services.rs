//! Swarm services as rows. Replicas are counted from tasks: the engine's own summary counts dead nodes and leavers.

use std::time::Duration;

use super::{
    super::{
        instant::instant,
        model,
        picture::{Maker, Picture, stack},
    },
    cluster, routes, stall, tasks,
};
use crate::fleet::{
    Configuration, Health, Kind, Mode, Port, PortMode, Replicas, Resource, Rollout, RolloutState, Service, TaskState,
    Text, Timestamp,
};

/// For how long missing tasks are on their way and not a fault: a start with a health check takes this long.
const STARTING: Duration = Duration::from_secs(30);

/// Every service.
pub(in super::super) fn rows(picture: &Picture, maker: &mut Maker<'_>) -> Vec<Resource> {
    picture.services.iter().map(|service| row(picture, service, maker).into()).collect()
}

fn row(picture: &Picture, service: &model::Service, maker: &mut Maker<'_>) -> Service {
    let spec = &service.spec;
    let group = stack(&spec.labels);
    let container = spec.task_template.container();
    let application = spec.name.strip_prefix(group).and_then(|rest| rest.strip_prefix('_')).unwrap_or(&spec.name);
    let rollout = rollout(picture, service, maker.at);
    let networks = spec.task_template.networks.iter().chain(&spec.networks);
    let mut networks: Vec<Text> = networks
        .map(|attachment| {
            let known = picture.networks.iter().find(|it| it.id == attachment.target || it.name == attachment.target);
            maker.texts.text(known.map_or(attachment.target.as_str(), |it| it.name.as_str()))
        })
        .collect();
    networks.sort();
    networks.dedup();
    Service {
        id: maker.id(Kind::Service, &service.id),
        name: maker.texts.text(&spec.name),
        application: maker.texts.text(application),
        native: maker.texts.text("service"),
        group: maker.texts.text(group),
        environment: maker.environment(group),
        mode: mode(spec),
        replicas: replicas(picture, service, rollout.as_ref()),
        image: maker.image(&container.image).map(|image| (*image).clone()),
        ports: ports(service),
        networks,
        routes: routes::routes(&spec.labels),
        configuration: configuration(picture, &container),
        constraints: spec.task_template.constraints().iter().map(|it| maker.texts.text(it)).collect(),
        tolerations: Vec::new(),
        bounds: None,
        budgets: Vec::new(),
        can_roll_back: service.previous_spec.is_some(),
        labels: maker.labels(&spec.labels),
        health: health(picture, service, maker.at),
        created_at: instant(&service.created_at),
        changed_at: instant(&service.updated_at),
        rollout,
    }
}

pub(in super::super) fn mode(spec: &model::ServiceSpec) -> Mode {
    let mode = &spec.mode;
    if mode.replicated_job.is_some() || mode.global_job.is_some() {
        Mode::Job
    } else if mode.global.is_some() {
        Mode::Global
    } else {
        Mode::Replicated
    }
}

/// Our own count. A global service wants as many tasks as the swarm made for it: one on every node that qualifies.
pub(in super::super) fn replicas(picture: &Picture, service: &model::Service, rollout: Option<&Rollout>) -> Replicas {
    let mut counts = Replicas::default();
    let mut wanted = 0;
    for task in picture.tasks_of(&service.id).filter(|task| task.wanted()) {
        let state = tasks::state(task, picture.node(&task.node_id));
        let newest = task.spec.same_version(&service.spec.task_template);
        match state {
            TaskState::Running => {
                counts.running += 1;
                counts.updated += u32::from(newest);
            }
            TaskState::Pending | TaskState::Starting => counts.pending += 1,
            TaskState::Stopping | TaskState::Complete | TaskState::Failed | TaskState::Lost => {}
        }
        wanted += u32::from(!task.ended());
    }
    // A change of placement alone leaves tasks that fit where they are, and ends all the same.
    let over = rollout.is_none_or(|rollout| rollout.state == RolloutState::Completed);
    if over && counts.pending == 0 {
        counts.updated = counts.running;
    }
    let mode = &service.spec.mode;
    counts.desired = match (mode.replicated, mode.replicated_job) {
        (Some(replicated), _) => replicated.replicas.unwrap_or(1),
        (None, Some(job)) => job.max_concurrent.or(job.total_completions).unwrap_or(1),
        (None, None) => wanted,
    };
    counts
}

/// The latest update, as the swarm tells it, but `Stalled` where nothing moves.
pub(in super::super) fn rollout(picture: &Picture, service: &model::Service, at: Timestamp) -> Option<Rollout> {
    let status = service.update_status.as_ref().filter(|status| !status.state.is_empty())?;
    let told = match status.state.as_str() {
        "completed" => RolloutState::Completed,
        "paused" => RolloutState::Paused,
        "rollback_started" => RolloutState::RollingBack,
        "rollback_paused" => RolloutState::RollbackPaused,
        "rollback_completed" => RolloutState::RolledBack,
        _ => RolloutState::Updating,
    };
    let still = if told.under_way() { stall::stalled(service, picture.tasks_of(&service.id), at) } else { None };
    Some(Rollout {
        state: if still.is_some() { RolloutState::Stalled } else { told },
        message: still.or_else(|| Some(Text::clean(&status.message)).filter(|message| !message.is_empty())),
        started_at: status.started_at.as_deref().and_then(instant),
        // It is kept from the update before, and the year 1, while an update runs.
        ended_at: status.completed_at.as_deref().and_then(instant).filter(|_| !told.under_way()),
    })
}

/// How well a service is, by its own tasks.
pub(in super::super) fn health(picture: &Picture, service: &model::Service, at: Timestamp) -> Health {
    if cluster::quorum(&picture.nodes).is_some_and(crate::fleet::Quorum::lost) {
        return Health::Unknown;
    }
    let rollout = rollout(picture, service, at);
    let replicas = replicas(picture, service, rollout.as_ref());
    if replicas.desired == 0 {
        return Health::Idle;
    }
    if mode(&service.spec) == Mode::Job {
        let unwell = picture.tasks_of(&service.id).any(|task| task.wanted() && task.failed());
        return if unwell {
            Health::Failing
        } else if replicas.running > 0 {
            Health::Progressing
        } else {
            Health::Idle
        };
    }
    let state = rollout.as_ref().map(|rollout| rollout.state);
    let stuck = matches!(state, Some(RolloutState::Stalled | RolloutState::Paused | RolloutState::RollbackPaused));
    let rolling = matches!(state, Some(RolloutState::Updating | RolloutState::RollingBack));
    let young = |time: Option<Timestamp>| time.is_some_and(|time| time.age(at) < STARTING);
    // A task that was tried several times is not young, however young its latest try.
    let tries = picture.tasks_of(&service.id).filter(|task| task.failed() && young(instant(&task.status.timestamp)));
    let starting = young(instant(&service.updated_at))
        || tries.count() == 0 && replicas.pending > 0 && {
            let mut waiting =
                picture.tasks_of(&service.id).filter(|task| task.wanted() && task.status.state != "running");
            waiting.all(|task| young(instant(&task.created_at)))
        };
    match replicas.running {
        0 if rolling || starting => Health::Progressing,
        0 => Health::Failing,
        _ if stuck => Health::Degraded,
        _ if rolling => Health::Progressing,
        running if running >= replicas.desired => Health::Healthy,
        _ if starting => Health::Progressing,
        _ => Health::Degraded,
    }
}

/// Published ports: those the swarm assigned, or those asked for before it has.
fn ports(service: &model::Service) -> Vec<Port> {
    let asked = service.spec.endpoint_spec.as_ref().map_or(&[][..], |spec| &spec.ports);
    let ports = if service.endpoint.ports.is_empty() { asked } else { &service.endpoint.ports };
    ports
        .iter()
        .map(|port| Port {
            published: (port.published_port != 0).then_some(port.published_port),
            target: port.target_port,
            protocol: Text::clean(if port.protocol.is_empty() { "tcp" } else { &port.protocol }),
            mode: if port.publish_mode == "host" { PortMode::Host } else { PortMode::Ingress },
        })
        .collect()
}

/// Configs and secrets that tasks read at start. Both are immutable: a change is another object under another id.
fn configuration(picture: &Picture, container: &model::ContainerSpec) -> Vec<Configuration> {
    let configs = container.configs.iter().map(|it| (&it.id, &it.name, &picture.configs));
    let secrets = container.secrets.iter().map(|it| (&it.id, &it.name, &picture.secrets));
    configs
        .chain(secrets)
        .filter_map(|(id, name, list)| {
            let known = list.iter().find(|thing| thing.id == *id)?;
            Some(Configuration { name: Text::clean(name), changed_at: known.updated_at.or(known.created_at)? })
        })
        .collect()
}
