//! What describe returns: everything a platform says about one resource, fetched when looked at and never kept.

use serde::Serialize;

use super::{ids::ResourceId, text::Text, time::Timestamp};

/// A described resource.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Document {
    /// What is described.
    pub id: ResourceId,
    /// When it was fetched.
    pub fetched_at: Timestamp,
    /// What people read, in order.
    pub sections: Vec<Section>,
    /// The platform's own answer, pretty-printed JSON with secrets masked; one line per element, each line sanitised.
    pub raw: Vec<Text>,
}

impl Document {
    /// The platform's own answer as YAML; none where it is no JSON.
    pub fn yaml(&self) -> Vec<Text> {
        let value = serde_json::from_str::<serde_json::Value>(&self.raw.join("\n")).ok();
        let yaml = value.and_then(|value| serde_norway::to_string(&value).ok()).unwrap_or_default();
        yaml.lines().map(Text::clean).collect()
    }
}

/// A titled part of a document.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Section {
    /// Its title.
    pub title: Text,
    /// What it holds.
    pub body: Body,
}

/// What a section holds.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Body {
    /// Names and values.
    Facts(Vec<(Text, Text)>),
    /// Rows under headings.
    Table {
        /// The headings.
        columns: Vec<Text>,
        /// The rows, as wide as the headings.
        rows: Vec<Vec<Text>>,
    },
    /// Plain lines.
    Lines(Vec<Text>),
}
