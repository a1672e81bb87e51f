//! What nodes and pods of the Kubernetes world use: a share of what they reserve that moves slowly, each at its own time,
//! so that a screen stays quiet. Told by the clock alone, and nothing of it is remembered. Swarms have nobody who measures.

use super::{Event, Flavour, Instance, MINUTE, Machine, Mark, SECOND, World};
use crate::{
    adapters::demo::chance::Chance,
    fleet::{Amount, Capacity, Timestamp},
};

/// How often everything is measured: as a metrics-server does.
const PERIOD: i64 = 15 * SECOND;
/// For how long one thing uses the same.
const STEP: i64 = 2 * MINUTE;
/// How a load rises and falls, in steps.
const WAVE: [u64; 10] = [0, 1, 2, 3, 4, 5, 4, 3, 2, 1];
/// What a kubelet and its host use for themselves.
const HOST: Amount = Amount { cpu_millis: 140, memory_bytes: 720 << 20 };

impl World {
    /// Everything is measured: who uses something else now is told again.
    pub(super) fn measure(&mut self) {
        if self.flavour != Flavour::Kubernetes {
            return;
        }
        let before = Timestamp(self.clock.0 - PERIOD);
        let moved = |number: u64| self.step_of(number, before) != self.step_of(number, self.clock);
        let machines = self.machines.keys().filter(|number| moved(u64::from(**number))).copied().map(Mark::Machine);
        let running =
            self.instances.iter().filter(|(number, it)| it.started_at.is_some() && it.wanted && moved(**number));
        let marks: Vec<Mark> = machines.chain(running.map(|(number, _)| Mark::Instance(*number))).collect();
        self.marks.extend(marks);
        self.after(PERIOD - self.clock.0.rem_euclid(PERIOD), Event::Measured);
    }

    /// What a running task uses.
    pub(super) fn used_by_task(&self, number: u64, instance: &Instance, cost: Capacity) -> Option<Amount> {
        (self.flavour == Flavour::Kubernetes && instance.runs()).then(|| self.part(number, cost))
    }

    /// What a node uses that can be heard.
    pub(super) fn used_by_machine(&self, number: u32, machine: &Machine) -> Option<Amount> {
        let heard = self.flavour == Flavour::Kubernetes && machine.row.state == crate::fleet::NodeState::Ready;
        heard.then(|| self.part(number.into(), machine.row.reserved).plus(HOST))
    }

    fn part(&self, number: u64, of: Capacity) -> Amount {
        let base = Chance::named(self.seed ^ number, "load").between(300, 550);
        let wave = usize::try_from(self.step_of(number, self.clock)).ok().and_then(|step| WAVE.get(step % WAVE.len()));
        let wave = wave.copied().unwrap_or(0);
        let share = |whole: u64, thousandths: u64| whole.saturating_mul(thousandths) / 1_000;
        Amount {
            cpu_millis: share(of.cpu_millis, base + 40 * wave),
            memory_bytes: share(of.memory_bytes >> 20, base + 150 + 8 * wave) << 20,
        }
    }

    /// The step that `number` is at when it was measured last before `at`.
    fn step_of(&self, number: u64, at: Timestamp) -> i64 {
        let phase = Chance::named(self.seed ^ number, "phase").millis(0, STEP.cast_unsigned() * 10);
        (at.0 - at.0.rem_euclid(PERIOD) + phase).div_euclid(STEP)
    }
}
