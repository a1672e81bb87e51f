//! Everything that changes a world on purpose. Each takes the proof that its journal line is on disk.

use std::time::Duration;

use super::{
    player::Player,
    world::{End, Order, TaskOrder},
};
use crate::{
    error::{Error, ErrorKind, Result},
    fleet::{Availability, EnvironmentId, Image, NodeRole, Text},
    platform::Ticket,
};

/// Replaces every task of a service, with another image where one is given.
pub(crate) fn update(_: Ticket, player: &Player, service: Text, image: Option<Image>) -> Result<Text> {
    player.with(|world| world.obey(Order::Update(service, image)))
}

/// Goes back one version.
pub(crate) fn rollback(_: Ticket, player: &Player, service: Text) -> Result<Text> {
    player.with(|world| world.obey(Order::Rollback(service)))
}

/// Changes the number of tasks.
pub(crate) fn scale(_: Ticket, player: &Player, service: Text, tasks: u32) -> Result<Text> {
    player.with(|world| world.obey(Order::Scale(service, tasks)))
}

/// Changes what may run on a node.
pub(crate) fn availability(_: Ticket, player: &Player, node: Text, availability: Availability) -> Result<Text> {
    player.with(|world| world.obey(Order::Availability(node, availability)))
}

/// Makes a node a manager or a worker.
pub(crate) fn role(_: Ticket, player: &Player, node: Text, role: NodeRole) -> Result<Text> {
    player.with(|world| world.obey(Order::Role(node, role)))
}

/// Makes a new join token.
pub(crate) fn rotate(_: Ticket, player: &Player, cluster: Text, role: NodeRole) -> Result<Text> {
    player.with(|world| world.obey(Order::Token(cluster, role)))
}

/// Starts the tasks of a service that are on a node elsewhere, and ends them there after.
pub(crate) fn move_away(_: Ticket, player: &Player, service: Text, node: Text) -> Result<Text> {
    player.with(|world| world.obey(Order::Away(service, node)))
}

/// Gives a service its own order of replacing back.
pub(crate) fn give_back(_: Ticket, player: &Player, service: Text, order: TaskOrder) -> Result<Text> {
    player.with(|world| world.obey(Order::Back(service, order)))
}

/// Evicts one task within its budget.
pub(crate) fn evict(_: Ticket, player: &Player, task: Text) -> Result<Text> {
    player.with(|world| world.obey(Order::Evict(task)))
}

/// Ends one task whatever its budget says.
pub(crate) fn delete(_: Ticket, player: &Player, task: Text, end: End) -> Result<Text> {
    player.with(|world| world.obey(Order::Delete(task, end)))
}

/// Holds the rollouts of a service back.
pub(crate) fn pause(_: Ticket, player: &Player, service: Text) -> Result<Text> {
    player.with(|world| world.obey(Order::Pause(service)))
}

/// Lets the rollouts of a service go on.
pub(crate) fn resume(_: Ticket, player: &Player, service: Text) -> Result<Text> {
    player.with(|world| world.obey(Order::Resume(service)))
}

/// Removes a stack.
pub(crate) fn remove(_: Ticket, player: &Player, stack: Text) -> Result<Text> {
    player.with(|world| world.obey(Order::Remove(stack)))
}

/// Answers a gate with yes.
pub(crate) fn approve(_: Ticket, player: &Player, pipeline: Text) -> Result<Text> {
    player.with(|world| world.obey(Order::Approve(pipeline)))
}

/// Runs the tests of a service.
pub(crate) fn test(_: Ticket, player: &Player, endpoint: Text) -> Result<Text> {
    player.with(|world| world.obey(Order::Test(endpoint)))
}

/// Locks an environment: for whom, why, and for how long.
pub(crate) fn lock(
    _: Ticket,
    player: &Player,
    environment: EnvironmentId,
    (holder, reason, lasts): (Text, Text, Duration),
) -> Result<Text> {
    player.with(|world| world.obey(Order::Lock { environment, holder, reason, lasts }))
}

/// Releases the lock of an environment.
pub(crate) fn unlock(_: Ticket, player: &Player, environment: Text) -> Result<Text> {
    player.with(|world| world.obey(Order::Unlock(environment)))
}

/// Goes into a container.
pub(crate) fn enter(_: Ticket, player: &Player, pod: &str) -> Result<Text> {
    player
        .with(|world| world.instances.values().find(|it| *it.name == *pod && it.runs()).map(|it| it.name.clone()))
        .ok_or_else(|| {
            Error::new(ErrorKind::NotFound, format!("{pod} does not run any more")).hint("choose another task")
        })
}
