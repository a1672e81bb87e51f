//! What can still be done about an operation: stop it, finish what is left of it, undo it.

use super::changing::Refusal;
use crate::{
    app::{
        App, Outcome, Overlay,
        operations::{Operation, State},
        overlay::{Ask, Question},
    },
    fleet::Kind,
    operation::{self, Intent},
};

impl App {
    /// Asks whether the operation under the cursor should stop between its steps.
    pub(super) fn ask_to_cancel(&mut self) {
        if let Err(refusal) = self.try_to_cancel() {
            self.warn(&refusal.text, refusal.hint.as_deref());
        }
    }

    fn try_to_cancel(&mut self) -> Result<(), Refusal> {
        let operation = self.operation("cancel")?;
        let title = operation.title();
        let (text, hint) = match &operation.state {
            State::UnderWay => {
                let text = if operation.plan.verb.opens() {
                    format!("End {title}?")
                } else {
                    format!("Stop {title} between its steps?")
                };
                let question = Question::Cancel(operation.id.clone());
                let ask = Ask { text, details: super::program::goes_on(operation), question };
                self.overlays.push(Overlay::Ask(ask));
                return Ok(());
            }
            State::Stopping => (format!("{title} was asked to stop already."), None),
            State::Elsewhere => (
                format!("{title} runs in another process of this machine, which alone can stop it."),
                Some("The list says whose."),
            ),
            State::Open => (
                format!("{title} was begun by a process that is gone and is only looked at here."),
                Some("Once it is known what became of it, `resume` finishes what is left."),
            ),
            State::Ended(_) | State::Refused(_) => (format!("{title} has ended."), None),
        };
        Err(Refusal::new(text, hint))
    }

    /// Plans what is left of the operation under the cursor.
    pub(super) fn resume(&mut self, out: &mut Outcome) {
        let planned = self.left_of_it().and_then(|intent| self.plan_again(intent, out));
        if let Err(refusal) = planned {
            self.warn(&refusal.text, refusal.hint.as_deref());
        }
    }

    fn left_of_it(&self) -> Result<Intent, Refusal> {
        let operation = self.settled("resume")?;
        let title = operation.title();
        if let State::Ended(verdict) = &operation.state
            && verdict.outcome == operation::Outcome::Completed
        {
            return Err(Refusal::new(format!("{title} is completed: nothing is left of it."), None));
        }
        let Some(mut rest) = operation.rest() else {
            return Err(Refusal::new(
                format!("Nothing of {title} is left to be planned."),
                Some(if operation.plan.verb.opens() {
                    "A way into a container is opened anew."
                } else {
                    "All of it was sent, and the platform goes on with that by itself."
                }),
            ));
        };
        if matches!(operation.state, State::Refused(_)) {
            // It never began: this is the first, not the rest.
            rest.resumes = None;
        }
        // A task that is gone needs not be moved any more. Anything else that is gone is told by the platform.
        rest.subjects.retain(|id| id.kind != Kind::Task || self.known.store.get(id).is_some());
        if rest.subjects.is_empty() {
            return Err(Refusal::new(format!("Everything that {title} was to move is gone: nothing is left."), None));
        }
        Ok(rest)
    }

    /// Plans what undoes the operation under the cursor.
    pub(super) fn undo(&mut self, out: &mut Outcome) {
        let planned = self.undone().and_then(|intent| self.plan_again(intent, out));
        if let Err(refusal) = planned {
            self.warn(&refusal.text, refusal.hint.as_deref());
        }
    }

    fn undone(&self) -> Result<Intent, Refusal> {
        let operation = self.settled("undo")?;
        let title = operation.title();
        if operation.sent().is_empty() {
            return Err(Refusal::new(format!("Nothing of {title} was sent: there is nothing to undo."), None));
        }
        operation.plan.undoing(&operation.sent()).ok_or_else(|| {
            let why = &operation.plan.rollback;
            let hint = if why.is_empty() { "Its plan does not say how." } else { why };
            Refusal::new(format!("No one plan undoes {title}."), Some(hint))
        })
    }

    fn plan_again(&mut self, intent: Intent, out: &mut Outcome) -> Result<(), Refusal> {
        self.may(intent.verb, &intent.subjects)?;
        self.ask_for_plan(intent, out);
        Ok(())
    }

    /// The operation under the cursor, if it has ended; otherwise why `word` has to wait.
    fn settled(&self, word: &str) -> Result<&Operation, Refusal> {
        let operation = self.operation(word)?;
        let title = operation.title();
        match &operation.state {
            State::Ended(_) | State::Refused(_) => Ok(operation),
            State::UnderWay | State::Stopping | State::Elsewhere => Err(Refusal::new(
                format!("{title} is under way."),
                Some("Wait for its verdict, or stop it with `cancel`."),
            )),
            State::Open if self.world().connection(&operation.plan.connection).is_none() => {
                let text = format!("What became of {title} cannot be seen from here.");
                let hint = format!("Open quarterdeck with the connection {}.", operation.plan.connection);
                Err(Refusal::new(text, Some(&hint)))
            }
            State::Open => {
                let text = format!("What became of {title} is being looked at.");
                Err(Refusal::new(text, Some("Wait until it is known.")))
            }
        }
    }

    fn operation(&self, word: &str) -> Result<&Operation, Refusal> {
        let current = match self.overlays.last() {
            None => self.operations.current(),
            Some(Overlay::Forwards(list)) => list.current().and_then(|id| self.operations.get(id)),
            Some(_) => None,
        };
        current.ok_or_else(|| Refusal::new(format!("There is no operation to {word}."), None))
    }
}
