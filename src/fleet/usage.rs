//! CPU and memory in use, beside what was asked for and what is allowed.

use serde::{Deserialize, Serialize};

use super::{service::Service, store::Store, task::Task};

/// CPU and memory: what is used, asked for, or allowed at most.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Amount {
    /// Thousandths of a CPU.
    pub cpu_millis: u64,
    /// Bytes of memory.
    pub memory_bytes: u64,
}

impl Amount {
    /// The sum of both.
    #[must_use]
    pub const fn plus(self, other: Self) -> Self {
        Self {
            cpu_millis: self.cpu_millis.saturating_add(other.cpu_millis),
            memory_bytes: self.memory_bytes.saturating_add(other.memory_bytes),
        }
    }

    /// As limits of two that share: what one of them may take without limit, both may.
    #[must_use]
    pub const fn limits(self, other: Self) -> Self {
        let sum = self.plus(other);
        Self {
            cpu_millis: if self.cpu_millis == 0 || other.cpu_millis == 0 { 0 } else { sum.cpu_millis },
            memory_bytes: if self.memory_bytes == 0 || other.memory_bytes == 0 { 0 } else { sum.memory_bytes },
        }
    }
}

/// What the tasks of a service use together, of those that are measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Usage {
    /// What they use now.
    pub used: Amount,
    /// What they ask for.
    pub requested: Amount,
    /// What they may use at most; zero where one of them may use anything.
    pub limit: Amount,
    /// How many were measured.
    pub tasks: u32,
}

impl Usage {
    /// What the tasks of `service` use; `None` where nobody measures them.
    pub fn of(service: &Service, store: &Store) -> Option<Self> {
        store.tasks_of_service(&service.id.connection, &service.id.key).filter_map(Self::of_one).reduce(Self::plus)
    }

    fn of_one(task: &Task) -> Option<Self> {
        Some(Self { used: task.used?, requested: task.requested, limit: task.limit, tasks: 1 })
    }

    fn plus(self, other: Self) -> Self {
        Self {
            used: self.used.plus(other.used),
            requested: self.requested.plus(other.requested),
            limit: self.limit.limits(other.limit),
            tasks: self.tasks + other.tasks,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fleet::sample;

    #[test]
    fn a_service_uses_what_its_measured_tasks_use() {
        let amount = |cpu_millis| Amount { cpu_millis, memory_bytes: cpu_millis << 20 };
        let mut tasks = [1, 2, 3].map(|number| sample::task(&format!("auth.{number}"), "auth", "worker-1"));
        for (task, used) in tasks.iter_mut().zip([Some(10), Some(20), None]) {
            (task.used, task.requested, task.limit) = (used.map(amount), amount(100), amount(500));
        }
        let service = sample::service("auth", 3);
        let usage =
            |tasks: &[Task]| Usage::of(&service, &sample::store(tasks.iter().cloned().map(Into::into).collect()));
        let expected = Usage { used: amount(30), requested: amount(200), limit: amount(1_000), tasks: 2 };
        assert_eq!(usage(&tasks), Some(expected));
        tasks[0].limit.cpu_millis = 0;
        let limit = Amount { cpu_millis: 0, ..amount(1_000) };
        assert_eq!(usage(&tasks), Some(Usage { limit, ..expected }), "one that nothing limits may take it all");
        assert_eq!(usage(&tasks[2..]), None);
    }
}
