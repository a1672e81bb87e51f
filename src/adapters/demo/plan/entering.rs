//! Going into a container of the embedded fleet: as a plan, what a cluster would be asked.

use serde_json::json;

use super::{Draft, missing, request};
use crate::{
    error::{Error, ErrorKind, Result},
    fleet::{Kind, ResourceId},
    operation::{Argument, Exec},
};

impl Draft<'_> {
    pub(super) fn exec(&mut self, id: &ResourceId, argument: &Argument) -> Result<()> {
        let asked = if let Argument::Exec(exec) = argument { exec.clone() } else { Exec::default() };
        let number = self.world.workload(&id.key).map(|(number, _)| number);
        let instance = if id.kind == Kind::Service {
            let its = self.world.instances.values().map(|it| &**it);
            its.filter(|it| Some(it.workload) == number).find(|it| it.runs())
        } else {
            self.world.instance(&id.key).map(|(_, instance)| instance)
        };
        let instance = instance.ok_or_else(|| missing(id))?;
        if !instance.runs() {
            return Err(Error::new(ErrorKind::Conflict, format!("{} does not run", instance.name)));
        }
        let group = self.world.workloads.get(&instance.workload).map(|it| it.row.group.clone()).unwrap_or_default();
        let command = if asked.command.is_empty() { vec!["sh".to_owned()] } else { asked.command };
        let path = format!("/api/v1/namespaces/{group}/pods/{}/exec", instance.name);
        let change = json!({ "pod": instance.name, "container": asked.container, "command": command });
        let title = format!("run `{}` in {}", command.join(" "), instance.name);
        self.step(id, title, request("GET", path, change), "whoever is in it to leave".to_owned());
        self.plan.consequences.push("the shell is played, like everything of the embedded fleet".into());
        self.plan.rollback = "leaving ends the session".into();
        Ok(())
    }
}
