//! The console's face: what the app holds, drawn. Views take `&`, decide nothing, and style by role.

pub mod theme;

pub use theme::{Depth, Signals, Theme};
