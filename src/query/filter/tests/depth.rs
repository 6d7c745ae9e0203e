//! Deep expressions are refused, and need little stack.

use std::thread;

use super::meaning::assert_without_process;
use super::{error, plain};
use crate::model::LinkSet;

const PROBLEM: &str =
    "cannot parse filter: more than 64 parentheses and negations in one another\n";

#[test]
fn a_tower_of_parentheses_is_refused_before_it_falls_over() {
    for part in ["(", "!", "not ", "not (", "(PID and ", "(true == "] {
        let message = error(&part.repeat(100_000));
        assert!(message.starts_with(PROBLEM), "{message}");
        assert!(message.lines().all(|line| line.len() < 150), "{message}");
    }
    let tower = |height| format!("{}PID{}", "(".repeat(height), ")".repeat(height));
    assert_eq!(plain(&tower(64)), "PID");
    let (before, after) = ("(".repeat(60), ")".repeat(56));
    assert_eq!(
        error(&tower(65)),
        format!("{PROBLEM}  ...{before}(PID{after}...\n  {:63}^", "")
    );
    // Each level ends again: these are many, but not in one another.
    plain(&vec!["!(!(PID))"; 1000].join(" and "));
}

/// Runs something on a stack of so many KiB.
fn on_stack_of(size: usize, run: impl FnOnce() + Send) {
    thread::scope(|scope| {
        let thread = thread::Builder::new().stack_size(size * 1024);
        thread.spawn_scoped(scope, run).unwrap().join().unwrap();
    });
}

#[test]
fn on_a_small_stack_a_deep_expression_is_refused() {
    on_stack_of(128, || {
        for part in ["(", "!", "(NS and (PID or 1 == ", "not (1 == ("] {
            let message = error(&part.repeat(256));
            assert!(message.starts_with(PROBLEM), "{message}");
        }
    });
}

#[test]
fn on_a_small_stack_every_expression_that_is_accepted_is_evaluated_and_printed() {
    // Of which an optimized build uses a fraction.
    on_stack_of(192, || {
        for (part, end, count) in [
            ("(", ")", 64),
            ("not ", "", 64),
            ("not (PID or NS and ", ")", 32),
            ("(PID or NS and true == ", ")", 64),
            ("(false == (PID and ", "))", 32),
            ("(", " == true == true)", 64),
        ] {
            let expression = part.repeat(count) + "NS" + &end.repeat(count);
            assert_without_process(LinkSet::EMPTY, &[(&*expression, true)]);
            let printed = plain(&expression);
            assert_eq!(plain(&printed), printed);
        }
    });
}
