//! Agreement to a plan. Only an answered plan becomes [`Approved`], and only an [`Approved`] can be run.

use serde::{Deserialize, Serialize};

use super::{
    authority::Permit,
    guard::{Finding, Weight},
    plan::Plan,
    verb::Verb,
};
use crate::{
    error::{Error, ErrorKind, Result},
    fleet::Text,
};

/// How much agreement a plan needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Risk {
    /// One key.
    Low,
    /// The word `yes`.
    Medium,
    /// The name of what is changed.
    High,
}

/// How somebody agreed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Answer {
    /// Pressed the key for it.
    Key,
    /// Typed these words.
    Typed(Text),
    /// Gave `--yes` on the command line.
    Flag,
}

/// A plan that somebody with a permit agreed to.
#[derive(Debug)]
pub struct Approved {
    plan: Plan,
    answer: Answer,
    override_reason: Option<Text>,
    permit: Permit,
}

impl Plan {
    /// How much agreement it needs: the name in protected environments and for what cannot be undone,
    /// `yes` for several subjects or a warning, one key for the rest.
    pub fn risk(&self) -> Risk {
        let warned = self.guards.iter().any(|finding| finding.weight == Weight::Warn);
        match self.verb {
            _ if self.protected => Risk::High,
            _ if self.forbidden() => Risk::High,
            Verb::Remove => Risk::High,
            Verb::Drain | Verb::Promote | Verb::Delete | Verb::PromoteNode | Verb::DemoteNode | Verb::RotateToken => {
                Risk::Medium
            }
            _ if self.subjects.len() > 1 || warned => Risk::Medium,
            Verb::Roll
            | Verb::Cordon
            | Verb::Activate
            | Verb::Rebalance
            | Verb::Rollback
            | Verb::Scale
            | Verb::Evict
            | Verb::PauseRollout
            | Verb::ResumeRollout
            | Verb::Exec
            | Verb::Forward
            | Verb::Approve
            | Verb::Test
            | Verb::Lock
            | Verb::Unlock => Risk::Low,
        }
    }

    /// Whether a guard forbids it.
    pub fn forbidden(&self) -> bool {
        self.guards.iter().any(|finding| finding.weight == Weight::Forbid)
    }

    /// Whether `finding` forbids what the same guard did not forbid when this plan was shown.
    pub fn is_newly_forbidden(&self, finding: &Finding) -> bool {
        let known = |it: &Finding| it.weight == Weight::Forbid && it.guard == finding.guard;
        finding.weight == Weight::Forbid && !self.guards.iter().any(known)
    }

    /// What the guards find `again` that nobody saw before agreeing to this plan, where it forbids, or asks for more
    /// agreement than was given.
    pub fn unseen<'a>(&self, again: &'a [Finding]) -> Option<&'a Finding> {
        let forbidden = again.iter().find(|it| self.is_newly_forbidden(it));
        // Whatever warned before has asked for more than a key already.
        forbidden.or_else(|| again.first().filter(|_| self.risk() == Risk::Low))
    }

    /// The plan as agreed to, or why `answer` is not an agreement.
    /// `override_reason` is needed where a guard forbids, and is recorded.
    pub fn approve(self, permit: Permit, answer: Answer, override_reason: Option<Text>) -> Result<Approved> {
        if *permit.connection() != self.connection {
            return Err(Error::new(
                ErrorKind::Internal,
                format!("a permit for {} cannot approve a plan for {}", permit.connection(), self.connection),
            ));
        }
        if let Some(finding) = self.guards.iter().find(|finding| finding.weight == Weight::Forbid)
            && override_reason.as_ref().is_none_or(|reason| reason.trim().is_empty())
        {
            return Err(finding.clone().into());
        }
        let enough = match (&answer, self.risk()) {
            (Answer::Flag, _) | (Answer::Key, Risk::Low) => true,
            (Answer::Key, Risk::Medium | Risk::High) => false,
            (Answer::Typed(words), Risk::High) => **words == *self.name && !words.is_empty(),
            (Answer::Typed(words), Risk::Medium | Risk::Low) => **words == *"yes" || **words == *self.name,
        };
        if !enough {
            return Err(Error::new(ErrorKind::Refused, "the answer does not agree to this plan"));
        }
        Ok(Approved { plan: self, answer, override_reason, permit })
    }
}

impl Approved {
    /// The plan.
    pub const fn plan(&self) -> &Plan {
        &self.plan
    }

    /// How it was agreed to.
    pub const fn answer(&self) -> &Answer {
        &self.answer
    }

    /// Why a guard was overridden.
    pub const fn override_reason(&self) -> Option<&Text> {
        self.override_reason.as_ref()
    }

    /// What allowed it.
    pub const fn permit(&self) -> &Permit {
        &self.permit
    }
}
