//! Who belongs to a swarm and as what: roles, the leader, join tokens, and tasks that leave a node first elsewhere.

use super::{Chance, Flavour, Mark, TaskOrder, World, order::missing};
use crate::{
    error::{Error, ErrorKind, Result},
    fleet::{Kind, NodeRole, NodeState, ResourceId, RolloutState, Text},
    platform::Secret,
};

impl World {
    /// The tasks on a node that may not run there once it has that role.
    pub(crate) fn out_of_place(&self, machine: u32, role: NodeRole) -> Vec<u64> {
        use super::Need;
        let tasks = self.machines.get(&machine).into_iter().flat_map(|it| it.instances.iter().copied());
        let bound = |task: &u64| {
            let instance = self.instances.get(task).filter(|it| it.wanted)?;
            Some(match self.workloads.get(&instance.workload)?.spec.need {
                Need::Anywhere | Need::Labelled(_) => false,
                Need::Managers => !role.votes(),
                Need::Workers => role.votes(),
            })
        };
        tasks.filter(|task| bound(task) == Some(true)).collect()
    }

    /// Whether another node than `machine` could take one more task of a service.
    pub(crate) fn has_place(&self, number: u32, machine: u32) -> bool {
        let Some(workload) = self.workloads.get(&number) else { return false };
        self.machines.iter().any(|(other, it)| {
            *other != machine
                && it.pool == workload.pool
                && it.takes_work()
                && Self::meets(&workload.spec.need, it)
                && it.has_room(workload.cost)
        })
    }

    pub(super) fn obey_role(&mut self, key: &Text, role: NodeRole) -> Result<Text> {
        let (number, machine) = self.machine(key).ok_or_else(|| missing("node", key))?;
        let (led, voted) = (machine.row.role == NodeRole::Leader, machine.votes());
        if voted == role.votes() {
            return Ok("node unchanged".into());
        }
        let heard = |it: &super::Machine| it.votes() && it.row.state == NodeState::Ready;
        let next = self.machines.iter().find(|(other, it)| **other != number && heard(it)).map(|(other, _)| *other);
        if voted && next.is_none() {
            let text = "rpc error: code = FailedPrecondition: attempting to demote the last manager of the swarm";
            return Err(Error::new(ErrorKind::Refused, text).hint("promote another node first"));
        }
        let leaves = self.out_of_place(number, role);
        let now = self.clock;
        if let Some(it) = self.machines.get_mut(&number) {
            it.row.role = role;
            it.row.reachability = role.votes().then(|| "reachable".into());
            it.row.changed_at = Some(now);
        }
        if let (true, Some(next)) = (led, next)
            && let Some(it) = self.machines.get_mut(&next)
        {
            it.row.role = NodeRole::Leader;
            self.mark(Mark::Machine(next));
        }
        self.mark(Mark::Machine(number));
        self.count_votes();
        // As the swarm does it: a task whose constraints do not hold any more ends, and starts where they do.
        for task in leaves {
            self.stop(task);
        }
        self.reconcile_global();
        Ok(if role.votes() { "node promoted" } else { "node demoted" }.into())
    }

    pub(super) fn obey_token(&mut self, key: &Text, role: NodeRole) -> Result<Text> {
        if self.tokens_made(key).is_none() {
            return Err(missing("swarm", key));
        }
        let made = if role.votes() { &mut self.tokens.1 } else { &mut self.tokens.0 };
        *made += 1;
        Ok("token rotated".into())
    }

    /// How many join tokens were made of each sort: what a plan to rotate one presumes, and no secret.
    pub(super) fn tokens_made(&self, cluster: &Text) -> Option<String> {
        let (workers, managers) = self.tokens;
        let has = self.flavour == Flavour::Swarm && self.clusters.contains_key(cluster);
        has.then(|| format!("{workers} for workers, {managers} for managers"))
    }

    /// The join tokens of a swarm.
    pub(crate) fn tokens(&self, id: &ResourceId) -> Option<Vec<Secret>> {
        self.tokens_made(&id.key).filter(|_| id.kind == Kind::Cluster && id.connection == self.connection)?;
        let token = |whose: &str, number: u32| {
            let mut chance = Chance::named(self.seed, &format!("join token {number} of {whose}"));
            let words = format!("SWMTKN-1-{}-{}", chance.hex(50), chance.hex(25));
            Secret::new(&format!("join token of {whose}"), &words)
        };
        Some(vec![token("workers", self.tokens.0), token("managers", self.tokens.1)])
    }

    pub(super) fn obey_away(&mut self, key: &Text, node: &Text) -> Result<Text> {
        let (machine, _) = self.machine(node).ok_or_else(|| missing("node", node))?;
        let (number, _) = self.workload(key).ok_or_else(|| missing("service", key))?;
        let elsewhere: Vec<u64> = self
            .instances_of(number)
            .filter(|(_, it)| it.wanted && it.machine != Some(machine))
            .map(|(task, _)| task)
            .collect();
        let Some(workload) = self.workloads.get_mut(&number) else { return Err(missing("service", key)) };
        workload.previous = Some(workload.spec.clone());
        workload.revisions += 1;
        workload.spec.revision = workload.revisions;
        workload.config.order = TaskOrder::StartFirst;
        let revision = workload.revisions;
        // A change of placement alone leaves what is in the right place as it is.
        for task in elsewhere {
            if let Some(instance) = self.instances.get_mut(&task) {
                instance.revision = revision;
            }
        }
        self.note_update(number, RolloutState::Updating);
        Ok(self.version_said(number))
    }

    pub(super) fn obey_back(&mut self, key: &Text, order: TaskOrder) -> Result<Text> {
        let (number, _) = self.workload(key).ok_or_else(|| missing("service", key))?;
        if let Some(workload) = self.workloads.get_mut(&number) {
            workload.config.order = order;
            workload.version += 1;
        }
        Ok(self.version_said(number))
    }
}
