//! Names and values as they stand in a request's path and query.

use crate::error::{Error, ErrorKind, Result};

/// `name` where it can be one segment of a path. Names of Kubernetes objects always can; what a person typed may not.
pub(in crate::adapters::kubernetes) fn segment(name: &str) -> Result<&str> {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b':');
    if !name.is_empty() && name.bytes().all(plain) && name.bytes().any(|byte| byte != b'.') {
        Ok(name)
    } else {
        Err(Error::new(ErrorKind::NotFound, format!("{name:?} cannot be the name of a Kubernetes object")))
    }
}

/// `value` as it stands in a query.
pub(in crate::adapters::kubernetes) fn encoded(value: &str) -> String {
    let mut text = String::with_capacity(value.len());
    for byte in value.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
            text.push(char::from(byte));
        } else {
            let (high, low) = (byte >> 4, byte & 15);
            text.push('%');
            text.extend(
                [high, low]
                    .into_iter()
                    .filter_map(|digit| char::from_digit(digit.into(), 16))
                    .map(|it| it.to_ascii_uppercase()),
            );
        }
    }
    text
}
