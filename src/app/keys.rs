//! Where a key goes: to the overlay that lies on top, as text or as a command; otherwise to the pane.

use super::{
    App, Command, Key, KeyCode, Outcome, Overlay, Place, Redraw, input::Edit, overlay::PlanStage, scroll::Motion,
    table::Urgency,
};

impl App {
    /// Somebody pressed a key.
    pub(super) fn key(&mut self, key: Key, out: &mut Outcome) {
        if self.messages.hide() {
            out.redraw = Redraw::Frame;
        }
        self.settle(Urgency::Now, out);
        match self.overlays.last() {
            Some(Overlay::Prompt(_)) => self.prompt_key(key, out),
            Some(Overlay::Palette(_)) => self.palette_key(key, out),
            Some(Overlay::Ask(_)) => self.ask_key(key, out),
            Some(Overlay::Reveal(_)) => {
                self.overlays.pop();
                out.redraw = Redraw::Frame;
            }
            Some(Overlay::Plan(view)) if matches!(view.stage, PlanStage::Ready(..)) => {
                if !self.answer_key(key, out) {
                    self.command_key(key, out);
                }
            }
            Some(
                Overlay::Plan(_)
                | Overlay::Help(_)
                | Overlay::Describe(_)
                | Overlay::Messages(_)
                | Overlay::Sort(_)
                | Overlay::Connections(_)
                | Overlay::Pick(_)
                | Overlay::Forwards(_),
            )
            | None => self.command_key(key, out),
        }
        self.settle(Urgency::Now, out);
    }

    /// Where keys mean something right now.
    pub fn place(&self) -> Place {
        let over = self.overlays.iter().rev().find_map(Overlay::place);
        over.unwrap_or(Place::Pane(self.spot.pane))
    }

    fn command_key(&mut self, key: Key, out: &mut Outcome) {
        match self.keymap.command(self.place(), key) {
            // Whoever reads help means to end the reading. Written out in the palette it means what it says.
            Some(Command::Quit) if !self.overlays.is_empty() => self.act(Command::Back, "", out),
            Some(command) => self.act(command, "", out),
            None if self.overlays.is_empty() => {
                let Some(elsewhere) = self.keymap.elsewhere(key) else { return };
                self.warn(&elsewhere, None);
            }
            None => return,
        }
        out.redraw = out.redraw.max(Redraw::Frame);
    }

    /// Somebody pasted text: text for a line that is being typed, and nothing else. Keys in it are never commands,
    /// and words in it never an answer.
    pub(super) fn paste(&mut self, text: &str, out: &mut Outcome) {
        out.redraw = Redraw::Frame;
        match self.overlays.last_mut() {
            Some(Overlay::Prompt(prompt)) => {
                if prompt.input.paste(text) == Edit::Changed {
                    self.prompt_changed(out);
                }
            }
            Some(Overlay::Palette(palette)) => {
                if palette.input.paste(text) == Edit::Changed {
                    self.offer_choices();
                }
            }
            Some(Overlay::Plan(view)) => {
                if let PlanStage::Ready(_, confirm) = &mut view.stage {
                    confirm.problem = Some("A paste is no answer: type it.".to_owned());
                }
            }
            Some(
                Overlay::Help(_)
                | Overlay::Describe(_)
                | Overlay::Messages(_)
                | Overlay::Sort(_)
                | Overlay::Connections(_)
                | Overlay::Pick(_)
                | Overlay::Forwards(_)
                | Overlay::Ask(_)
                | Overlay::Reveal(_),
            )
            | None => {}
        }
    }

    /// The mouse wheel turned.
    pub(super) fn wheel(&mut self, lines: i16, out: &mut Outcome) {
        self.step(Motion::Lines(lines.into()));
        out.redraw = Redraw::Frame;
    }

    /// Moves what lies on top by `motion`.
    pub(super) fn step(&mut self, motion: Motion) {
        match self.overlays.last_mut() {
            Some(Overlay::Help(it)) => it.roll(motion),
            Some(Overlay::Messages(it)) => it.roll(motion),
            Some(Overlay::Describe(it)) => it.roll(motion),
            Some(Overlay::Plan(it)) => it.roll(motion),
            Some(Overlay::Sort(it)) => it.step(motion),
            Some(Overlay::Connections(it)) => it.step(motion),
            Some(Overlay::Pick(it)) => it.from.step(motion),
            Some(Overlay::Forwards(it)) => it.step(motion),
            Some(Overlay::Palette(it)) => it.step(motion),
            Some(Overlay::Prompt(_) | Overlay::Ask(_) | Overlay::Reveal(_)) => {}
            None => self.step_pane(motion),
        }
    }

    fn ask_key(&mut self, key: Key, out: &mut Outcome) {
        out.redraw = Redraw::Frame;
        let Some(Overlay::Ask(ask)) = self.overlays.pop() else { return };
        if key == Key::character('y') {
            self.agreed(ask.question, out);
        }
    }

    /// A key for the line that is being typed.
    fn prompt_key(&mut self, key: Key, out: &mut Outcome) {
        out.redraw = Redraw::Frame;
        if key.code == KeyCode::Escape || key == Key::control('c') {
            self.give_up_prompt(out);
            return;
        }
        let Some(Overlay::Prompt(prompt)) = self.overlays.last_mut() else { return };
        if key.code == KeyCode::Enter {
            self.enter_prompt(out);
        } else if key.code == KeyCode::Tab {
            self.complete_prompt(out);
        } else if prompt.key(key) == Edit::Changed {
            self.prompt_changed(out);
        } else if let Some(motion) = motion_of(key)
            && prompt.purpose.looks_through()
        {
            self.step_pane(motion);
        }
    }

    fn palette_key(&mut self, key: Key, out: &mut Outcome) {
        out.redraw = Redraw::Frame;
        let Some(Overlay::Palette(palette)) = self.overlays.last_mut() else { return };
        if key.code == KeyCode::Escape || key == Key::control('c') {
            self.overlays.pop();
        } else if key.code == KeyCode::Enter {
            self.run_choice(out);
        } else if key.code == KeyCode::Tab {
            self.complete_choice();
        } else if key == Key::control('n') {
            palette.step(Motion::Lines(1));
        } else if key == Key::control('p') {
            palette.step(Motion::Lines(-1));
        } else if palette.input.key(key) == Edit::Changed {
            self.offer_choices();
        } else if let Some(motion) = motion_of(key) {
            palette.step(motion);
        }
    }
}

/// The motion of a key that writes nothing.
fn motion_of(key: Key) -> Option<Motion> {
    const MOTIONS: [(KeyCode, Motion); 4] = [
        (KeyCode::Up, Motion::Lines(-1)),
        (KeyCode::Down, Motion::Lines(1)),
        (KeyCode::PageUp, Motion::Pages(-1)),
        (KeyCode::PageDown, Motion::Pages(1)),
    ];
    MOTIONS.into_iter().find(|(code, _)| *code == key.code).map(|(_, motion)| motion)
}
