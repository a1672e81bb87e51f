//! Small pictures and lines that screens are made of. Each draws into the cells it is given and says how many it took.

pub(crate) mod badge;
pub(crate) mod frame;
pub(crate) mod gauge;
pub(crate) mod quorum;
pub(crate) mod scrollbar;
pub(crate) mod sparkline;
pub(crate) mod spread;
pub(crate) mod stages;
pub(crate) mod steps;

#[cfg(test)]
pub(crate) mod tests {
    use ratatui::{buffer::Buffer, layout::Rect};

    use crate::ui::{
        canvas::Canvas,
        theme::{Depth, Theme},
    };

    /// What `draw` leaves on a canvas of that size, one line per row.
    pub(crate) fn rows(width: u16, height: u16, draw: impl FnOnce(&mut Canvas<'_>, Rect)) -> String {
        let area = Rect::new(0, 0, width, height);
        let mut buffer = Buffer::empty(area);
        let theme = Theme::dark(Depth::True);
        draw(&mut Canvas::new(&mut buffer, &theme), area);
        text(&buffer)
    }

    /// The symbols of a buffer, one line per row.
    pub(crate) fn text(buffer: &Buffer) -> String {
        let width = usize::from(buffer.area.width).max(1);
        let lines: Vec<String> = buffer
            .content
            .chunks(width)
            .map(|row| {
                let mut line = String::new();
                let mut hidden = 0;
                for cell in row {
                    if hidden > 0 {
                        hidden -= 1;
                        continue;
                    }
                    line.push_str(cell.symbol());
                    hidden = crate::ui::canvas::cells(cell.symbol()).saturating_sub(1);
                }
                line
            })
            .collect();
        lines.join("\n")
    }
}
