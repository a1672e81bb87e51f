//! Changing platforms: from a verb to a plan, and from the plan to an agreement. Nothing here sends anything.

mod availability;

use std::time::Duration;

use crate::{
    app::{
        App, Effect, Key, KeyCode, Outcome, Overlay, Pane, Spot,
        input::Edit,
        operations::State,
        overlay::{Ask, Confirm, Needs, Override, PlanStage, PlanView, Prompt, Purpose, Question},
    },
    error::Error,
    fleet::{EnvironmentId, Kind, NodeRole, ResourceId, Text, text::capitalised},
    operation::{Answer, Argument, Intent, Plan, Verb, lock_of, promotion},
};

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
            | Verb::Approve
            | Verb::Test
            | Verb::PromoteNode
            | Verb::DemoteNode
            | Verb::RotateToken => self.subjects(verb)?,
        };
        self.may(verb, &subjects)?;
        let intent = Intent::new(verb, subjects, Argument::None);
        let intent = match verb {
            Verb::Promote => promotion(&self.known.store, &self.known.environments, &intent.subjects, None)?,
            Verb::Lock => {
                let reason = argument.split_once(char::is_whitespace).map_or("", |(_, reason)| reason.trim());
                let reason = Text::clean(reason);
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
                    Some(problem) => Err(Refusal::new(problem, Some("Write a number: `:scale 3`."))),
                };
            }
            Verb::Drain if argument == "start-first" => Intent { argument: Argument::StartFirst, ..intent },
            Verb::RotateToken => {
                let role = if argument == "manager" { NodeRole::Manager } else { NodeRole::Worker };
                Intent { argument: Argument::Role(role), ..intent }
            }
            Verb::Roll
            | Verb::Drain
            | Verb::Cordon
            | Verb::Activate
            | Verb::Rebalance
            | Verb::Rollback
            | Verb::Remove
            | Verb::Evict
            | Verb::Approve
            | Verb::Test
            | Verb::PromoteNode
            | Verb::DemoteNode
            | Verb::Unlock => intent,
        };
        self.ask_for_plan(intent, out);
        Ok(())
    }

    fn ask_for_plan(&mut self, intent: Intent, out: &mut Outcome) {
        let names = intent.subjects.iter().map(|id| self.name_of(id).to_string()).collect();
        let evidence = self.evidence(&intent);
        out.effects.push(Effect::Plan(intent.clone(), Box::new(evidence)));
        self.overlays.push(Overlay::Plan(Box::new(PlanView::new(intent, names))));
    }

    /// The number of tasks was written. Says what is wrong with it.
    pub(super) fn scale_to(&mut self, intent: &Intent, number: &str, out: &mut Outcome) -> Option<String> {
        match number.parse::<u32>() {
            Ok(replicas) => {
                self.ask_for_plan(Intent { argument: Argument::Replicas(replicas), ..intent.clone() }, out);
                None
            }
            Err(_) => Some(format!("`{number}` is no number of tasks")),
        }
    }

    /// What a verb would be done to: what is marked or under the cursor, all of the right kind and on one connection.
    fn subjects(&self, verb: Verb) -> Result<Vec<ResourceId>, Refusal> {
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

    /// The lock that `:lock ENVIRONMENT …` and `:unlock ENVIRONMENT` mean.
    fn locked_environment(&self, verb: Verb, argument: &str) -> Result<ResourceId, Refusal> {
        let environment = EnvironmentId::from(argument.split_whitespace().next().unwrap_or(""));
        let keepers = self.known.connections.iter().filter(|it| it.offers(verb).is_ok());
        let keepers: Vec<_> = keepers.map(|it| it.id().clone()).collect();
        Ok(lock_of(verb, &environment, &self.known.store, &self.known.environments, &keepers)?)
    }

    /// A key for the plan that lies on top. Says whether it was one for its answer.
    pub(in crate::app) fn answer_key(&mut self, key: Key, out: &mut Outcome) -> bool {
        let Some(Overlay::Plan(view)) = self.overlays.last_mut() else { return false };
        let PlanStage::Ready(plan, confirm) = &mut view.stage else { return false };
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
        if let Some(problem) = not_yet(confirm) {
            confirm.problem = Some(problem);
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
        let intent = plan.intent();
        let evidence = self.evidence(&intent);
        self.operations.begin(plan.clone(), self.known.now);
        out.effects.push(Effect::Approve {
            plan: Box::new(plan),
            answer,
            override_reason,
            evidence: Box::new(evidence),
        });
        if let Some(table) = self.table_mut() {
            table.unmark();
        }
        if self.spot.pane != Pane::Operations {
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

    /// Asks whether the operation under the cursor should stop between its steps.
    pub(super) fn ask_to_cancel(&mut self) {
        let Some(operation) = self.operations.current() else {
            self.warn("There is no operation to cancel.", None);
            return;
        };
        let title = operation.title();
        let (text, hint) = match &operation.state {
            State::UnderWay => {
                let text = format!("Stop {title} between its steps? What was sent takes its course.");
                let question = Question::Cancel(operation.id.clone());
                self.overlays.push(Overlay::Ask(Ask { text, question }));
                return;
            }
            State::Stopping => (format!("{title} was asked to stop already."), None),
            State::Open => (
                format!("{title} was begun by another console and is only looked at here."),
                Some("Make a new plan for what is left of it."),
            ),
            State::Ended(_) | State::Refused(_) => (format!("{title} has ended."), None),
        };
        self.warn(&text, hint);
    }
}

/// Why a plan cannot be agreed to yet.
fn not_yet(confirm: &Confirm) -> Option<String> {
    if confirm.override_ == Override::Needed {
        return Some("A guard forbids this: `!` overrides it with a reason, esc leaves it.".to_owned());
    }
    (!confirm.is_armed()).then(|| "That came before the plan could be read: again, if you mean it.".to_owned())
}

/// Why something cannot be planned.
pub(in crate::app) struct Refusal {
    pub(in crate::app) text: String,
    pub(in crate::app) hint: Option<String>,
}

impl Refusal {
    fn new(text: String, hint: Option<&str>) -> Self {
        Self { text, hint: hint.map(str::to_owned) }
    }
}

impl From<Error> for Refusal {
    fn from(error: Error) -> Self {
        Self { text: format!("{error}."), hint: error.hint.map(|hint| format!("{}.", capitalised(&hint))) }
    }
}
