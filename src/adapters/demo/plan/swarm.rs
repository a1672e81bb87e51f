//! Plans that only a swarm has: who is a manager, and what joins with.

use serde_json::{Value, json};

use super::{Draft, missing, request};
use crate::{
    error::{Error, ErrorKind, Result},
    fleet::{Availability, NodeRole, Quorum, ResourceId, counted},
    operation::{Argument, Request, Verb},
};

/// What a plan calls a node's availability.
pub(in crate::adapters::demo) const AVAILABILITY: &str = "Spec.Availability";

/// A change of a node's spec.
pub(super) fn node_update(id: &ResourceId, change: Value) -> Request {
    request("POST", format!("/nodes/{}/update?version={{version}}", id.key), change)
}

/// An availability as the engine's API writes it.
pub(super) const fn spec_word(availability: Availability) -> &'static str {
    match availability {
        Availability::Active => "active",
        Availability::Paused => "pause",
        Availability::Draining => "drain",
    }
}

impl Draft<'_> {
    pub(super) fn role(&mut self, id: &ResourceId) -> Result<()> {
        let (number, machine) = self.world.machine(&id.key).ok_or_else(|| missing(id))?;
        let (name, leads) = (machine.row.name.clone(), machine.row.role == NodeRole::Leader);
        let managers = u32::try_from(self.world.machines.values().filter(|it| it.votes()).count()).unwrap_or(u32::MAX);
        // Those before it in the plan have had their turn by then.
        let before = u32::try_from(self.plan.steps.len()).unwrap_or(u32::MAX);
        let (from, to, role, managers, after) = if self.plan.verb == Verb::PromoteNode {
            ("worker", "manager", NodeRole::Manager, managers + before, managers + before + 1)
        } else {
            let managers = managers.saturating_sub(before);
            ("manager", "worker", NodeRole::Worker, managers, managers.saturating_sub(1))
        };
        if machine.votes() == role.votes() {
            return Err(Error::new(ErrorKind::Conflict, format!("{name} is a {to} already")));
        }
        if after == 0 {
            let text = format!("{name} is the last manager: a swarm without one is none");
            return Err(Error::new(ErrorKind::Refused, text));
        }
        let request = node_update(id, json!({ "Spec.Role": { "from": from, "to": to } }));
        self.step(id, format!("make {name} a {to}"), request, format!("it to be a {to}"));
        self.say(Quorum::change(managers, after));
        if leads {
            self.say(format!("{name} leads: another manager is elected first"));
        }
        let out = self.world.out_of_place(number, role);
        if !out.is_empty() {
            self.plan.impact.tasks += u32::try_from(out.len()).unwrap_or(u32::MAX);
            self.say(format!(
                "bound to {from}s, ending there and starting elsewhere: {} on {name}",
                counted(out.len(), "task")
            ));
        }
        self.plan.rollback = if role.votes() { "demote it again" } else { "promote it again" }.into();
        self.expect(4);
        Ok(())
    }

    pub(super) fn token(&mut self, id: &ResourceId, argument: &Argument) -> Result<()> {
        let Argument::Role(role) = argument else {
            return Err(Error::new(ErrorKind::Usage, "say whose token: worker or manager"));
        };
        if self.world.tokens(id).is_none() {
            return Err(missing(id));
        }
        let (whose, query) = if role.votes() { ("manager", "Manager") } else { ("worker", "Worker") };
        let path = format!("/swarm/update?version={{version}}&rotate{query}Token=true");
        let change = json!({ "token": { "of": whose, "to": "a new one" } });
        let title = format!("rotate the {whose} join token");
        self.step(id, title, request("POST", path, change), "the old token lets nobody in".to_owned());
        self.say("members stay members; only joining needs the new token".to_owned());
        self.say("whatever hands the token out (discovery, an image) must be given the new one".to_owned());
        self.plan.rollback = "there is none: an old token never comes back; rotate again for another new one".into();
        self.expect(1);
        Ok(())
    }
}
