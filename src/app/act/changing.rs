//! Changing platforms: from a verb to a plan, and from the plan to an agreement. Nothing here sends anything.

mod availability;

use std::time::Duration;

use crate::{
    app::{
        App, Connection, Effect, Key, KeyCode, Outcome, Overlay, Pane, Spot,
        input::Edit,
        overlay::{Needs, Override, PlanStage, PlanView, Prompt, Purpose},
    },
    error::Error,
    fleet::{ConnectionId, EnvironmentId, Kind, NodeRole, ResourceId, Text, counted, text::capitalised},
    operation::{Answer, Argument, Batch, Intent, Plan, Verb, grace, lock_of, promotion, replicas, revision},
};

/// Before the number of subjects that go at a time: `:roll batch=2`.
pub(in crate::app) const BATCH: &str = "batch=";
/// What `:drain` may be given.
pub(in crate::app) const START_FIRST: &str = "start-first";
/// How long a lock lasts where nobody says.
const LOCK: Duration = Duration::from_hours(1);

impl App {
    /// Asks for a plan of `verb` for what is marked or under the cursor, or says why that cannot be.
    pub(super) fn plan(&mut self, verb: Verb, argument: &str, out: &mut Outcome) {
        if let Err(refusal) = self.try_plan(verb, argument, out) {
            self.warn(&refusal.text, refusal.hint.as_deref());
        }
    }

    fn try_plan(&mut self, verb: Verb, argument: &str, out: &mut Outcome) -> Result<(), Refusal> {
        let subjects = match verb {
            Verb::Lock | Verb::Unlock => vec![self.locked_environment(verb, argument)?],
            Verb::RotateToken => vec![self.cluster_for(verb)?],
            Verb::Roll
            | Verb::Drain
            | Verb::Cordon
            | Verb::Activate
            | Verb::Rebalance
            | Verb::Promote
            | Verb::Rollback
            | Verb::Scale
            | Verb::Remove
            | Verb::Evict
            | Verb::Delete
            | Verb::PauseRollout
            | Verb::ResumeRollout
            | Verb::Approve
            | Verb::Test
            | Verb::PromoteNode
            | Verb::DemoteNode => self.subjects(verb)?,
            Verb::Exec | Verb::Forward => vec![self.one_subject(verb)?],
        };
        self.may(verb, &subjects)?;
        let (batch, argument) =
            if verb.is_for_several() { paced(argument)? } else { (Batch::ONE, argument.to_owned()) };
        let argument = argument.as_str();
        let intent = Intent { batch, ..Intent::new(verb, subjects, Argument::None) };
        let intent = match verb {
            Verb::Promote => promotion(&self.known.store, &self.known.environments, &intent.subjects, None)?,
            Verb::Lock => {
                let reason = argument.split_once(char::is_whitespace).map_or("", |(_, reason)| reason.trim());
                let reason = Text::clean(reason);
                if reason.is_empty() {
                    let hint = format!("Write `:lock {} REASON`.", argument.trim());
                    return Err(Refusal::new("The others will want to know why.".to_owned(), Some(&hint)));
                }
                Intent { argument: Argument::Lock { reason, lasts: LOCK }, ..intent }
            }
            Verb::Scale if argument.is_empty() => {
                let now = intent.subjects.first().and_then(|id| self.known.store.get(id)?.as_service());
                let now = now.map_or(String::new(), |service| service.replicas.desired.to_string());
                self.overlays.push(Overlay::Prompt(Prompt::new(Purpose::Scale(Box::new(intent)), &now)));
                return Ok(());
            }
            Verb::Scale => {
                return match self.scale_to(&intent, argument, out) {
                    None => Ok(()),
                    Some(problem) => {
                        Err(Refusal::new(problem, Some("Write a number: `:scale 3` or `:scale 3 batch=2`.")))
                    }
                };
            }
            Verb::Drain if argument == START_FIRST => Intent { argument: Argument::StartFirst, ..intent },
            Verb::Drain if !argument.is_empty() => {
                let text = format!("A node is not drained `{argument}`.");
                return Err(Refusal::new(text, Some("Write `:drain`, `:drain start-first` or `:drain batch=2`.")));
            }
            Verb::Exec => Intent { argument: super::entering::exec(argument)?, ..intent },
            Verb::Forward if argument.is_empty() => {
                self.overlays.push(Overlay::Prompt(Prompt::new(Purpose::Forward(Box::new(intent)), "")));
                return Ok(());
            }
            Verb::Forward => {
                return match self.forward_to(&intent, argument, out) {
                    None => Ok(()),
                    Some(problem) => Err(Refusal::new(format!("{}.", capitalised(&problem)), None)),
                };
            }
            Verb::RotateToken => Intent { argument: Argument::Role(role(argument)?), ..intent },
            Verb::Delete if !argument.is_empty() => {
                let hint = "Write `:delete`, `:delete now` or `:delete SECONDS`.";
                let grace = grace(argument).map_err(|problem| Refusal::new(format!("{problem}."), Some(hint)))?;
                Intent { argument: Argument::Grace(grace), ..intent }
            }
            Verb::Rollback if !argument.is_empty() => {
                let hint = "Write `:rollback` or `:rollback 3`; describing the service (`d`) lists its revisions.";
                let revision = revision(argument).map_err(|problem| Refusal::new(format!("{problem}."), Some(hint)))?;
                Intent { argument: Argument::Revision(revision), ..intent }
            }
            _ if verb.is_for_several() && !argument.is_empty() => {
                let word = verb.word();
                let hint = format!("Write `:{word}` or `:{word} batch=2`.");
                return Err(Refusal::new(format!("{} takes no `{argument}`.", capitalised(word)), Some(&hint)));
            }
            Verb::Roll
            | Verb::Drain
            | Verb::Cordon
            | Verb::Activate
            | Verb::Rebalance
            | Verb::Rollback
            | Verb::Remove
            | Verb::Evict
            | Verb::Delete
            | Verb::PauseRollout
            | Verb::ResumeRollout
            | Verb::Approve
            | Verb::Test
            | Verb::PromoteNode
            | Verb::DemoteNode
            | Verb::Unlock => intent,
        };
        self.ask_for_plan(intent, out);
        Ok(())
    }

    pub(super) fn ask_for_plan(&mut self, intent: Intent, out: &mut Outcome) {
        let names = intent.subjects.iter().map(|id| self.name_of(id).to_string()).collect();
        let evidence = self.evidence(&intent);
        out.effects.push(Effect::Plan(intent.clone(), Box::new(evidence)));
        // One plan at a time is read.
        self.overlays.retain(|overlay| !matches!(overlay, Overlay::Plan(_)));
        self.overlays.push(Overlay::Plan(Box::new(PlanView::new(intent, names))));
    }

    /// The number of tasks was written. Says what is wrong with it.
    pub(super) fn scale_to(&mut self, intent: &Intent, number: &str, out: &mut Outcome) -> Option<String> {
        match replicas(number) {
            Ok(replicas) => {
                self.ask_for_plan(Intent { argument: Argument::Replicas(replicas), ..intent.clone() }, out);
                None
            }
            Err(problem) => Some(problem),
        }
    }

    /// What a verb would be done to: what is marked or under the cursor, all of the right kind and on one connection.
    pub(super) fn subjects(&self, verb: Verb) -> Result<Vec<ResourceId>, Refusal> {
        let kinds = verb.subjects();
        let kind = kinds.first().copied().unwrap_or(Kind::Service);
        let chosen: Vec<ResourceId> = match (self.overlays.last(), self.table()) {
            (None, Some(table)) => table.chosen(),
            (None, None) => self.under_cursor().into_iter().collect(),
            // What lies over the pane hides what would be changed.
            (Some(_), _) => Vec::new(),
        };
        let chosen: Vec<ResourceId> =
            chosen.into_iter().filter(|id| kinds.contains(&id.kind) && self.known.store.get(id).is_some()).collect();
        let Some(first) = chosen.first() else {
            let text = format!("{} is done to {}: put the cursor on one or mark some.", verb.word(), kind.plural());
            let pane = Pane::of(kind);
            return Err(Refusal::new(text, Some(&format!("`{}` shows them.", pane.digit()))));
        };
        let mut connections: Vec<&str> = chosen.iter().map(|id| &*id.connection.0).collect();
        connections.sort_unstable();
        connections.dedup();
        if connections.len() > 1 {
            let text = format!("What is marked is on {} connections: {}.", connections.len(), connections.join(", "));
            let hint = format!("A plan is for one connection: mark only those of {}.", first.connection);
            return Err(Refusal::new(text, Some(&hint)));
        }
        Ok(chosen)
    }

    /// The cluster a verb is for: that of what the cursor is on, or the only one that has the verb.
    fn cluster_for(&self, verb: Verb) -> Result<ResourceId, Refusal> {
        let offers = |id: &ConnectionId| self.world().connection(id).is_some_and(|it| it.offers(verb).is_ok());
        let here = self.under_cursor().map(|id| id.connection);
        let mut offering = self.known.connections.iter().map(Connection::id).filter(|id| offers(id));
        let connection = match (here, offering.next(), offering.next()) {
            (Some(here), _, _) if offers(&here) => here,
            (_, Some(only), None) => only.clone(),
            (None, Some(one), Some(other)) => {
                let text = format!("{one} and {other} have clusters: it is not certain which is meant.");
                return Err(Refusal::new(text, Some("Put the cursor on something of the one that is meant.")));
            }
            // Why it cannot be done here is told by the connection itself.
            (Some(here), _, _) => here,
            (None, None, _) => self
                .known
                .connections
                .first()
                .map(|it| it.id().clone())
                .ok_or_else(|| Refusal::new("There is no connection to do that on.".to_owned(), None))?,
        };
        let clusters = self.known.store.clusters().map(|cluster| &cluster.id);
        let known = clusters.filter(|id| id.connection == connection).min().cloned();
        match (known, offers(&connection)) {
            (Some(cluster), _) => Ok(cluster),
            (None, true) => Err(Refusal::new(format!("The cluster of {connection} is not listed yet."), None)),
            // A subject that is not there, so that what is wrong with the connection is what is said.
            (None, false) => Ok(ResourceId::new(connection.clone(), Kind::Cluster, connection.0)),
        }
    }

    /// The lock that `:lock ENVIRONMENT …` and `:unlock ENVIRONMENT` mean.
    fn locked_environment(&self, verb: Verb, argument: &str) -> Result<ResourceId, Refusal> {
        let environment = EnvironmentId::from(argument.split_whitespace().next().unwrap_or(""));
        let keepers = self.known.connections.iter().filter(|it| it.offers(verb).is_ok());
        let keepers: Vec<_> = keepers.map(|it| it.id().clone()).collect();
        Ok(lock_of(verb, &environment, &self.known.store, &self.known.environments, &keepers)?)
    }

    /// A key for the plan that lies on top. Says whether it was one for its answer.
    pub(in crate::app) fn answer_key(&mut self, key: Key, out: &mut Outcome) -> bool {
        let now = self.known.now;
        let Some(Overlay::Plan(view)) = self.overlays.last_mut() else { return false };
        let unread = view.unread();
        let PlanStage::Ready(plan, confirm) = &mut view.stage else { return false };
        if !confirm.is_armed() && answers(&confirm.needs, key) {
            confirm.too_early(now);
            out.redraw = crate::app::Redraw::Frame;
            return true;
        }
        if unread > 0 && agrees(&confirm.needs, key) {
            let rest = counted(unread, "more line");
            confirm.problem = Some(format!("Scroll down first: {rest} in a window this small."));
            out.redraw = crate::app::Redraw::Frame;
            return true;
        }
        let answer = match (&confirm.needs, key.code) {
            (Needs::Key, KeyCode::Character('y')) if key == Key::character('y') => Answer::Key,
            (Needs::Key, KeyCode::Character('n')) => {
                self.overlays.pop();
                out.redraw = crate::app::Redraw::Frame;
                return true;
            }
            (Needs::Key, KeyCode::Enter) => {
                confirm.problem = Some("Enter does nothing here: `y` agrees, esc does not.".to_owned());
                out.redraw = crate::app::Redraw::Frame;
                return true;
            }
            (Needs::Key, _) | (Needs::Typed(_), KeyCode::Escape) => return false,
            (Needs::Typed(_), KeyCode::Character('!')) if confirm.input.is_empty() => return false,
            (Needs::Typed(word), KeyCode::Enter) => {
                let typed = confirm.input.text();
                if typed.trim() != &**word {
                    confirm.problem = Some(if typed.is_empty() {
                        format!("Type `{word}` to agree; esc does not.")
                    } else {
                        format!("That is not `{word}`.")
                    });
                    confirm.input = crate::app::input::Input::default();
                    out.redraw = crate::app::Redraw::Frame;
                    return true;
                }
                Answer::Typed(word.clone())
            }
            (Needs::Typed(_), _) => {
                let known = confirm.input.key(key) != Edit::Unknown;
                if known {
                    confirm.problem = None;
                    out.redraw = crate::app::Redraw::Frame;
                }
                return known;
            }
        };
        out.redraw = crate::app::Redraw::Frame;
        if confirm.override_ == Override::Needed {
            confirm.problem = Some("A guard forbids this: `!` overrides it with a reason, esc leaves it.".to_owned());
            return true;
        }
        let override_reason = match &confirm.override_ {
            Override::Given(reason) => Some(reason.clone()),
            Override::NotNeeded | Override::Needed => None,
        };
        let plan = (**plan).clone();
        self.overlays.pop();
        self.approve(plan, answer, override_reason, out);
        true
    }

    fn approve(&mut self, plan: Plan, answer: Answer, override_reason: Option<Text>, out: &mut Outcome) {
        let (intent, opens) = (plan.intent(), plan.verb.opens());
        let evidence = self.evidence(&intent);
        self.operations.begin(plan.clone(), override_reason.clone(), self.known.now);
        out.effects.push(Effect::Approve {
            plan: Box::new(plan),
            answer,
            override_reason,
            evidence: Box::new(evidence),
        });
        if let Some(table) = self.table_mut() {
            table.unmark();
        }
        // Whoever was in a container goes on where they were.
        if self.spot.pane != Pane::Operations && !opens {
            self.go(Spot::of(Pane::Operations), out);
        }
    }

    /// Asks why a guard is to be overridden.
    pub(super) fn ask_for_override(&mut self) {
        let Some(Overlay::Plan(view)) = self.overlays.last() else { return };
        let PlanStage::Ready(_, confirm) = &view.stage else { return };
        match &confirm.override_ {
            Override::NotNeeded => self.warn("Nothing forbids this plan.", None),
            Override::Needed => self.overlays.push(Overlay::Prompt(Prompt::new(Purpose::Override, ""))),
            Override::Given(reason) => {
                let prompt = Prompt::new(Purpose::Override, reason);
                self.overlays.push(Overlay::Prompt(prompt));
            }
        }
    }

    /// The reason was written. Says what is wrong with it.
    pub(super) fn override_because(&mut self, reason: &str) -> Option<String> {
        if reason.is_empty() {
            return Some("a reason is needed, and recorded".to_owned());
        }
        if let Some(Overlay::Plan(view)) = self.overlays.last_mut()
            && let PlanStage::Ready(_, confirm) = &mut view.stage
        {
            confirm.override_ = Override::Given(Text::clean(reason));
            confirm.problem = None;
        }
        None
    }
}

/// What `5 batch=2` says of how many subjects go at a time, and what else it says.
fn paced(argument: &str) -> Result<(Batch, String), Refusal> {
    let (batch, others): (Vec<&str>, Vec<&str>) = argument.split_whitespace().partition(|word| word.starts_with(BATCH));
    let batch = match batch.as_slice() {
        [] => Batch::ONE,
        [one] => one.strip_prefix(BATCH).unwrap_or_default().parse().map_err(|problem: String| {
            let text = format!("{}.", capitalised(&problem));
            Refusal::new(text, Some("`batch=2` does it to two at a time."))
        })?,
        [..] => return Err(Refusal::new("There is one number of subjects at a time.".to_owned(), None)),
    };
    Ok((batch, others.join(" ")))
}

/// Whose join token is meant.
fn role(word: &str) -> Result<NodeRole, Refusal> {
    match word {
        "worker" => Ok(NodeRole::Worker),
        "manager" => Ok(NodeRole::Manager),
        _ => {
            let hint = "Write `:rotate-token worker` or `:rotate-token manager`.";
            Err(Refusal::new("Whose join token is not certain.".to_owned(), Some(hint)))
        }
    }
}

/// Whether `key` could be part of an answer.
fn answers(needs: &Needs, key: Key) -> bool {
    match (needs, key.code) {
        (_, KeyCode::Enter) => true,
        (Needs::Key, _) => key == Key::character('y'),
        // The key of an override is no letter of an answer yet.
        (Needs::Typed(_), KeyCode::Character(character)) => character != '!' && !key.control && !key.alt,
        (Needs::Typed(_), _) => false,
    }
}

/// Whether `key` would agree, were everything in order.
fn agrees(needs: &Needs, key: Key) -> bool {
    match needs {
        Needs::Key => key == Key::character('y'),
        Needs::Typed(_) => key.code == KeyCode::Enter,
    }
}

/// Why something cannot be planned.
pub(in crate::app) struct Refusal {
    pub(in crate::app) text: String,
    pub(in crate::app) hint: Option<String>,
}

impl Refusal {
    pub(super) fn new(text: String, hint: Option<&str>) -> Self {
        Self { text, hint: hint.map(str::to_owned) }
    }
}

impl From<Error> for Refusal {
    fn from(error: Error) -> Self {
        Self { text: format!("{error}."), hint: error.hint.map(|hint| format!("{}.", capitalised(&hint))) }
    }
}
