//! The one sanitizer: text from outside becomes text that a terminal only prints.

use std::borrow::Cow;

/// `raw` with every character that a terminal would act on, or that a reader could not see, made visible.
/// Whole escape sequences are left out; lone controls become their Unicode pictures; bidi and zero-width characters
/// become U+FFFD. TAB becomes a space and a line break a space, since this is for one line of text.
pub fn sanitize(raw: &str) -> Cow<'_, str> {
    if raw.bytes().all(|byte| (0x20..0x7f).contains(&byte)) {
        return Cow::Borrowed(raw);
    }
    Cow::Owned(raw.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect())
}
