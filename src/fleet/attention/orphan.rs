//! Test stacks that nobody removed.

use super::{Attention, View, node::older_than};
use crate::fleet::{backing::BackingSort, health::Health};

/// Longer than any test of a build takes.
const LIMIT_MS: i64 = 30 * 60 * 1000;

/// Temporary stacks older than any test takes.
pub(super) fn rule(view: View<'_>, found: &mut Vec<Attention>) {
    for stack in view.store.backings() {
        let temporary = stack.temporary && stack.sort == BackingSort::Stack;
        let Some(since) = stack.created_at.filter(|at| temporary && older_than(*at, LIMIT_MS, view.now)) else {
            continue;
        };
        let what = if stack.detail.is_empty() { String::new() } else { format!(" ({})", stack.detail) };
        let text = format!("test stack was never removed{what}");
        found.push(Attention::about("orphaned stack", Health::Degraded, stack, text, Some(since)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fleet::{attention::said, sample};

    #[test]
    fn only_a_temporary_stack_grows_old() {
        let aged = |temporary, minutes| {
            let mut stack = sample::backing("news-test-7", BackingSort::Stack);
            stack.temporary = temporary;
            stack.created_at = Some(sample::minutes_ago(minutes));
            said(rule, vec![stack.into()])
        };
        assert_eq!(aged(true, 45), ["degraded news-test-7: test stack was never removed (9 services) (45m)"]);
        assert_eq!(aged(true, 30), Vec::<String>::new());
        assert_eq!(aged(false, 45), Vec::<String>::new());
    }
}
