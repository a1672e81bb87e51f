//! Filtering, sorting and marking the rows of a table.

use crate::{
    app::{
        App, Outcome, Overlay, Table, World,
        overlay::{Prompt, Purpose, SortPicker},
    },
    error::nearest,
    fleet::{Field, query},
};

impl App {
    /// Begins to type a filter; with an argument, sets it.
    pub(in crate::app) fn filter(&mut self, argument: &str) {
        if !argument.is_empty() {
            self.narrow(argument);
            self.warn_of_filter();
            return;
        }
        let Some(text) = self.table().map(|table| table.filter().text().to_owned()) else { return };
        self.overlays.push(Overlay::Prompt(Prompt::new(Purpose::Filter, &text)));
    }

    /// Says what the table's filter cannot mean, so that an empty table is not taken for an answer.
    fn warn_of_filter(&mut self) {
        let problem = self.table().and_then(|table| table.filter().problem(self.world()));
        if let Some(problem) = problem {
            let end = if problem.ends_with('?') { "" } else { "." };
            self.warn(&format!("The filter: {problem}{end}"), None);
        }
    }

    /// Narrows the table to what matches `text`. Says what is wrong with it as it is.
    pub(in crate::app) fn narrow(&mut self, text: &str) -> Option<String> {
        self.with_table(|table, world| {
            table.narrow(text, world);
            table.filter().problem(world)
        })
        .flatten()
    }

    /// Opens the list of columns; with an argument, sorts by that one.
    pub(super) fn choose_sort(&mut self, argument: &str) {
        let Some((kind, sort)) = self.table().map(|table| (table.kind(), table.sort())) else { return };
        if argument.is_empty() {
            let fields = self.world().context().fields(kind);
            self.overlays.push(Overlay::Sort(SortPicker::new(fields.into_owned(), Some(&sort.field))));
            return;
        }
        let context = self.world().context();
        let fields = context.fields(kind);
        let titled = |field: &&Field| context.title(**field).eq_ignore_ascii_case(argument);
        let field = Field::parse(argument).filter(|field| fields.contains(field));
        if let Some(field) = field.or_else(|| fields.iter().find(titled).copied()) {
            self.sort_by(field);
            return;
        }
        let near = nearest(argument, fields.iter().map(|field| context.word(*field)));
        let hint = near.map(|near| format!("Did you mean `{near}`?"));
        self.warn(&format!("{} have no column `{argument}`.", kind.plural()), hint.as_deref());
    }

    pub(super) fn sort_by(&mut self, field: Field) {
        self.with_table(|table, world| table.sort_by(field, world));
    }

    pub(super) fn sort_beside(&mut self, steps: isize) {
        let room = self.room();
        self.with_table(|table, world| table.sort_beside(steps, room, world));
    }

    pub(super) fn reverse(&mut self) {
        self.with_table(Table::reverse);
    }

    pub(super) fn mark(&mut self) {
        self.with_table(|table, _| table.mark());
    }

    pub(super) fn mark_all(&mut self) {
        self.with_table(|table, _| table.mark_all());
    }

    /// The line that is being typed is another now.
    pub(in crate::app) fn prompt_changed(&mut self, out: &mut Outcome) {
        let Some(Overlay::Prompt(prompt)) = self.overlays.last_mut() else { return };
        prompt.problem = None;
        let text = prompt.input.text();
        let problem = match &prompt.purpose {
            Purpose::Filter => self.narrow(&text),
            Purpose::Matching | Purpose::SearchLog => self.logs.check_pattern(&text),
            Purpose::SearchDocument | Purpose::Save | Purpose::Scale(_) | Purpose::Forward(_) | Purpose::Override => {
                None
            }
        };
        if let Some(Overlay::Prompt(prompt)) = self.overlays.last_mut() {
            prompt.problem = problem;
        }
        let _ = out;
    }

    /// Completes the field or value that is being typed in a filter, as far as it is certain.
    pub(in crate::app) fn complete_prompt(&mut self, out: &mut Outcome) {
        let Some(Overlay::Prompt(prompt)) = self.overlays.last() else { return };
        let Some(kind) = self.table().map(Table::kind).filter(|_| prompt.purpose == Purpose::Filter) else { return };
        let offered = query::completions(prompt.input.parts().0, kind, self.world().context());
        let mut texts = offered.into_iter().map(|it| it.text);
        let Some(first) = texts.next() else { return };
        let shared = texts.fold(first, |shared, text| {
            shared.chars().zip(text.chars()).take_while(|(a, b)| a == b).map(|(a, _)| a).collect()
        });
        if let Some(Overlay::Prompt(prompt)) = self.overlays.last_mut()
            && shared.len() > prompt.input.parts().0.len()
        {
            prompt.input.replace_before(&shared);
            self.prompt_changed(out);
        }
    }

    /// The line is given up: what was there before is there again.
    pub(in crate::app) fn give_up_prompt(&mut self, _out: &mut Outcome) {
        let Some(Overlay::Prompt(prompt)) = self.overlays.pop() else { return };
        match prompt.purpose {
            Purpose::Filter => {
                self.narrow(&prompt.before);
            }
            Purpose::Matching
            | Purpose::SearchLog
            | Purpose::SearchDocument
            | Purpose::Save
            | Purpose::Scale(_)
            | Purpose::Forward(_)
            | Purpose::Override => {}
        }
    }

    /// The line is done.
    pub(in crate::app) fn enter_prompt(&mut self, out: &mut Outcome) {
        let Some(Overlay::Prompt(prompt)) = self.overlays.pop() else { return };
        let text = prompt.input.text();
        let problem = match &prompt.purpose {
            Purpose::Filter => {
                self.warn_of_filter();
                None
            }
            Purpose::Matching => self.logs.show_matching(&text),
            Purpose::SearchLog => self.search_log(&text, out),
            Purpose::SearchDocument => {
                self.search_document(&text);
                None
            }
            Purpose::Save => self.save_to(text.trim(), out),
            Purpose::Scale(intent) => self.scale_to(intent, text.trim(), out),
            Purpose::Forward(intent) => self.forward_to(intent, text.trim(), out),
            Purpose::Override => self.override_because(text.trim()),
        };
        if problem.is_some() {
            self.overlays.push(Overlay::Prompt(Prompt { problem, ..prompt }));
        }
    }

    fn with_table<T>(&mut self, act: impl FnOnce(&mut Table, World<'_>) -> T) -> Option<T> {
        let world = self.known.world();
        let table = match &mut self.spot.drilled {
            Some(table) => table,
            None => self.tables.get_mut(&self.spot.pane.kind()?)?,
        };
        Some(act(table, world))
    }
}
