//! The console's face: what the app holds, drawn. Views take `&`, decide nothing, and style by role.

pub(crate) mod canvas;
pub mod theme;
pub(crate) mod widget;

pub use theme::{Depth, Signals, Theme};

/// Draws what the app holds and tells how much room there was.
pub fn draw(_app: &crate::app::App, _theme: &Theme, _frame: &mut ratatui::Frame<'_>) -> crate::app::Areas {
    crate::app::Areas::default()
}
