//! The little HTTP that adapters without a client library of their own need.

#[cfg(test)]
pub(crate) mod wire;
