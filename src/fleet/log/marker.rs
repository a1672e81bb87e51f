//! Markers as bytes, so that they lie between the lines they belong between, and go when those go.

use super::LogMarker;
use crate::fleet::text::Text;

impl LogMarker {
    /// What a reader is told.
    pub fn words(&self) -> String {
        match self {
            Self::Reconnected { complete: true } => "reconnected; nothing is missing".into(),
            Self::Reconnected { complete: false } => "reconnected; lines may be missing here".into(),
            Self::Gap { lines: Some(lines), reason } => format!("{lines} lines are missing here: {reason}"),
            Self::Gap { lines: None, reason } => format!("lines are missing here: {reason}"),
            Self::Cut(1) => "the line above was cut".into(),
            Self::Cut(lines) => format!("{lines} lines were cut"),
            Self::Ended(reason) => format!("the stream ended: {reason}"),
        }
    }

    pub(super) fn encode(&self) -> Vec<u8> {
        let (tag, number, words) = match self {
            Self::Reconnected { complete } => (b'r', u64::from(*complete), ""),
            Self::Gap { lines: Some(lines), reason } => (b'g', *lines, reason.as_str()),
            Self::Gap { lines: None, reason } => (b'u', 0, reason.as_str()),
            Self::Cut(lines) => (b'c', *lines, ""),
            Self::Ended(reason) => (b'e', 0, reason.as_str()),
        };
        let mut bytes = vec![tag];
        bytes.extend(number.to_le_bytes());
        bytes.extend(words.as_bytes());
        bytes
    }

    pub(super) fn decode(bytes: &[u8]) -> Option<Self> {
        let (tag, rest) = bytes.split_first()?;
        let (number, words) = rest.split_first_chunk()?;
        let number = u64::from_le_bytes(*number);
        let reason = Text::clean_bytes(words);
        Some(match tag {
            b'r' => Self::Reconnected { complete: number == 1 },
            b'g' => Self::Gap { lines: Some(number), reason },
            b'u' => Self::Gap { lines: None, reason },
            b'c' => Self::Cut(number),
            b'e' => Self::Ended(reason),
            _ => return None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markers_come_back_as_they_were() {
        let markers = [
            LogMarker::Reconnected { complete: true },
            LogMarker::Reconnected { complete: false },
            LogMarker::Gap { lines: Some(7), reason: "the daemon was too slow".into() },
            LogMarker::Gap { lines: None, reason: "".into() },
            LogMarker::Cut(3),
            LogMarker::Ended("the task is gone".into()),
        ];
        for marker in markers {
            assert_eq!(LogMarker::decode(&marker.encode()), Some(marker));
        }
        assert_eq!(LogMarker::decode(b""), None);
        assert_eq!(LogMarker::decode(b"r12"), None);
    }
}
