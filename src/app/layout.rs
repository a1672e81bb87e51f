//! What the screen says back after a frame was drawn: how much room there was.

/// How much room there was, in cells. What was not drawn is zero.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Areas {
    /// The whole screen.
    pub screen: Size,
    /// Where the pane's rows are, without headings: of the table, the overview, the log or the operations.
    pub body: Size,
    /// How many lines of a log stand in them, broken as they were drawn. Other panes break none.
    pub body_content: usize,
    /// Where the topmost overlay's lines are.
    pub overlay: Size,
    /// How many lines the text of a plan has, broken as it was drawn. Other overlays are not broken.
    pub overlay_content: usize,
}

/// A width and a height in cells.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Size {
    /// Columns.
    pub width: u16,
    /// Rows.
    pub height: u16,
}

impl Size {
    /// This many columns and rows.
    pub const fn new(width: u16, height: u16) -> Self {
        Self { width, height }
    }

    /// The rows, as a count of lines.
    pub const fn lines(self) -> usize {
        self.height as usize
    }
}
