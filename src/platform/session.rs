//! What passes between a person and a command that runs in a container.

use crate::operation::Progress;

/// What somebody does. The end of it is the end of the command's input.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Typed {
    /// Bytes for the command's input.
    Bytes(Vec<u8>),
    /// The terminal has this size now.
    Size {
        /// Columns.
        columns: u16,
        /// Rows.
        rows: u16,
    },
}

/// What is heard of the command.
#[derive(Debug, Clone, PartialEq)]
pub enum Told {
    /// Bytes of its output; with a terminal all of them.
    Output(Vec<u8>),
    /// Bytes of its error output.
    Errors(Vec<u8>),
    /// It ended with this code.
    Exit(i32),
    /// How the operation is going; the verdict is the last of all.
    Progress(Progress),
}
