//! The logs pane: what comes in, what is looked for, what is shown of it.

use crate::{
    app::{
        App, Effect, Outcome, Overlay, Pane, Redraw,
        effect::Contents,
        logs::Gone,
        msg::LogSearchAnswer,
        overlay::{Prompt, Purpose},
        table::Urgency,
    },
    error::{Error, nearest},
    fleet::log::{Direction, LogBatch, Severity},
    platform::LogRequest,
};

impl App {
    /// Log lines came.
    pub(in crate::app) fn log_came(&mut self, request: &LogRequest, batch: LogBatch, out: &mut Outcome) {
        if self.logs.push(request, batch) {
            self.settle(Urgency::Soon, out);
        }
    }

    /// A log stream failed and will be tried again.
    pub(in crate::app) fn log_troubled(&mut self, request: &LogRequest, error: Error, wait_ms: u64, out: &mut Outcome) {
        let at = self.known.now.after(std::time::Duration::from_millis(wait_ms));
        self.logs.troubled(request, error, at);
        if self.spot.pane == Pane::Logs {
            out.redraw = Redraw::Frame;
        }
    }

    /// Part of a search came back.
    pub(in crate::app) fn log_found(&mut self, answer: LogSearchAnswer, out: &mut Outcome) {
        if !self.logs.found(answer) {
            return;
        }
        out.redraw = Redraw::Frame;
        if let Some(Gone::Nowhere(direction)) = self.logs.go_on() {
            self.no_match(direction);
        }
    }

    pub(super) fn follow(&mut self) {
        self.logs.turn_follow();
    }

    pub(super) fn choose_matching(&mut self, argument: &str) {
        if argument.is_empty() {
            let text = self.logs.filter().pattern.as_ref().map_or(String::new(), |it| it.text().to_owned());
            self.overlays.push(Overlay::Prompt(Prompt::new(Purpose::Matching, &text)));
        } else if let Some(problem) = self.logs.show_matching(argument) {
            self.warn(&problem, None);
        }
    }

    /// The next severity, round and round; with an argument, that one.
    pub(super) fn choose_severity(&mut self, argument: &str) {
        let now = self.logs.filter().severity;
        let severity = match argument {
            "" => Some(Severity::ALL.into_iter().skip_while(|it| *it != now).nth(1).unwrap_or_default()),
            "all" => Some(Severity::Unknown),
            word => Severity::ALL.into_iter().find(|it| it.word() == word),
        };
        let Some(severity) = severity else {
            let words = Severity::ALL.into_iter().map(Severity::word).filter(|word| !word.is_empty());
            let near = nearest(argument, words).map(|near| format!("Did you mean `{near}`?"));
            let hint = near.unwrap_or_else(|| "There are debug, info, warn, error, fatal and all.".to_owned());
            self.warn(&format!("There is no severity `{argument}`."), Some(&hint));
            return;
        };
        self.logs.show_severity(severity);
        match severity {
            Severity::Unknown => self.note("Lines of every severity are shown."),
            Severity::Debug | Severity::Info | Severity::Warn | Severity::Error | Severity::Fatal => {
                self.note(&format!("Lines from {} on are shown.", severity.word()));
            }
        }
    }

    pub(super) fn search_log(&mut self, text: &str, out: &mut Outcome) -> Option<String> {
        match self.logs.begin_find(text) {
            Ok(search) => {
                out.effects.extend(search.map(Effect::SearchLog));
                None
            }
            Err(error) => Some(error.message),
        }
    }

    pub(super) fn next_log_match(&mut self, direction: Direction, out: &mut Outcome) {
        let Some((gone, search)) = self.logs.next_match(direction) else {
            self.warn("Nothing is looked for: `/` begins.", None);
            return;
        };
        out.effects.extend(search.map(Effect::SearchLog));
        match gone {
            Gone::Nowhere(direction) => self.no_match(direction),
            Gone::There | Gone::Waiting => {}
        }
    }

    fn no_match(&mut self, direction: Direction) {
        let (Some(find), Some(found)) = (self.logs.find(), self.logs.found_so_far()) else { return };
        let text = match (found.count, direction) {
            (0, _) if self.logs.is_filtering() => "The filter is still at work.".to_owned(),
            (0, _) if find.count() > 0 => {
                format!("`{}` is only in lines that the filter hides.", find.pattern().text())
            }
            (0, _) => format!("`{}` is in none of the lines.", find.pattern().text()),
            (_, Direction::Forward) => "There is no match further down.".to_owned(),
            (_, Direction::Backward) => "There is no match further up.".to_owned(),
        };
        self.warn(&text, None);
    }

    pub(super) fn next_error(&mut self, direction: Direction) {
        if !self.logs.next_error(direction) {
            let text = match direction {
                Direction::Forward => "There is no error further down.",
                Direction::Backward => "There is no error further up.",
            };
            self.warn(text, None);
        }
    }

    /// What the logs pane shows, to be written to a file.
    pub(super) fn log_contents(&self) -> Contents {
        Contents::Log(Box::new(self.logs.export()))
    }
}
