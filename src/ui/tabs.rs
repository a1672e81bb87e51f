//! The second line: the panes by number, the one that is shown marked.

use ratatui::layout::Rect;

use super::canvas::{Canvas, cells};
use crate::app::Pane;

/// How much of the names there is room for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    /// All names, two cells apart.
    Full,
    /// All names, one cell apart.
    Close,
    /// The name of the pane that is shown, short ones for the others.
    Short,
    /// The name of the pane that is shown, numbers for the others.
    Numbers,
}

/// Draws the tabs with `shown` marked.
pub(crate) fn tabs(canvas: &mut Canvas<'_>, area: Rect, shown: Pane) {
    let theme = canvas.theme;
    let forms = [Form::Full, Form::Close, Form::Short, Form::Numbers];
    let form = forms.into_iter().find(|form| width(*form, shown) <= area.width).unwrap_or(Form::Numbers);
    canvas.style(area, theme.header);
    let mut line = canvas.line(area, 0);
    line.gap(1);
    for pane in Pane::ALL {
        let digit = pane.digit().to_string();
        let role = if pane == shown { theme.tab_active } else { theme.tab };
        let key = if pane == shown { theme.tab_active } else { theme.key };
        line.put(&digit, key);
        let name = name(form, pane, shown);
        if !name.is_empty() {
            line.put(" ", if pane == shown { role } else { theme.text }).put(name, role);
        }
        line.gap(gap(form));
    }
}

const fn gap(form: Form) -> u16 {
    match form {
        Form::Full => 2,
        Form::Close | Form::Short | Form::Numbers => 1,
    }
}

fn name(form: Form, pane: Pane, shown: Pane) -> &'static str {
    match form {
        _ if pane == shown => pane.title(),
        Form::Full | Form::Close => pane.title(),
        Form::Short => short(pane),
        Form::Numbers => "",
    }
}

const fn short(pane: Pane) -> &'static str {
    match pane {
        Pane::Overview => "Over",
        Pane::Nodes => "Nodes",
        Pane::Services => "Svcs",
        Pane::Tasks => "Tasks",
        Pane::Health => "Health",
        Pane::Pipelines => "Pipe",
        Pane::Logs => "Logs",
        Pane::Operations => "Ops",
        Pane::Backing => "Stack",
        Pane::Objects => "Obj",
    }
}

fn width(form: Form, shown: Pane) -> u16 {
    let one = |pane: Pane| {
        let name = name(form, pane, shown);
        1 + gap(form) + if name.is_empty() { 0 } else { 1 + cells(name) }
    };
    Pane::ALL.into_iter().map(one).sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ui::widget::tests::rows;

    #[test]
    fn the_pane_that_is_shown_is_named_however_little_room_there_is() {
        let drawn = |width| rows(width, 1, |canvas, area| tabs(canvas, area, Pane::Services)).trim().to_owned();
        assert!(drawn(120).ends_with("7 Logs  8 Operations  9 Stacks  0 Objects"));
        assert_eq!(drawn(80), "1 Over 2 Nodes 3 Services 4 Tasks 5 Health 6 Pipe 7 Logs 8 Ops 9 Stack 0 Obj");
        assert_eq!(drawn(40), "1 2 3 Services 4 5 6 7 8 9 0");
        assert_eq!(drawn(10), "1 2 3 Se…");
    }
}
