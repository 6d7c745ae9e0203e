//! What is said about a malformed expression, and where the caret is.

use super::error;

const VALUE: &str = "expected a column, a value or '('";

/// Asserts a problem and the two lines below it.
fn assert_error(problem: &str, expression: &str, caret: &str) {
    assert_eq!(
        error(expression),
        format!("cannot parse filter: {problem}\n  {expression}\n  {caret}")
    );
}

#[test]
fn a_value_that_is_missing_is_asked_for_in_its_place() {
    assert_error(VALUE, "NPROCS >", "        ^");
    assert_error(VALUE, "NPROCS > and PID", "         ^");
    assert_error(VALUE, "not", "   ^");
    assert_error(VALUE, "PID and or NS", "        ^");
    assert_error(VALUE, "!= 1", "^");
    assert_error(VALUE, "()", " ^");
    assert_error(VALUE, "PID > -1", "      ^");
}

#[test]
fn the_caret_is_at_the_end_of_what_was_typed_blanks_and_all() {
    assert_eq!(error(""), format!("cannot parse filter: {VALUE}\n\n  ^"));
    assert_eq!(
        error("  "),
        format!("cannot parse filter: {VALUE}\n\n    ^")
    );
    assert_eq!(
        error("PID > "),
        format!("cannot parse filter: {VALUE}\n  PID >\n        ^")
    );
}

#[test]
fn what_follows_a_value_must_go_on_or_end() {
    let at_top = "expected a comparison, 'and', 'or' or the end";
    assert_error(at_top, "PID 1", "    ^");
    assert_error(at_top, "PID)", "   ^");
    assert_error(at_top, "PID ==== 1", "    ^");
    assert_error(at_top, "USER 'root'", "     ^");
    assert_error(at_top, "PID not UID", "    ^");
    let enclosed = "expected a comparison, 'and', 'or' or ')'";
    assert_error(enclosed, "(PID", "    ^");
    assert_error(enclosed, "((PID) 1)", "       ^");
}

#[test]
fn what_follows_a_comparison_must_go_on_or_end() {
    assert_error(
        "expected 'and', 'or' or the end",
        "PID == 1 2",
        "         ^",
    );
    assert_error("expected 'and', 'or' or ')'", "(PID == 1", "         ^");
    assert_error(
        "expected 'and', 'or' or the end",
        "TYPE =~ 'net')",
        "             ^",
    );
}

#[test]
fn a_sign_that_is_half_an_operator_is_completed() {
    assert_error("expected '==' or '=~'", "TYPE = 'net'", "     ^");
    assert_error("expected '&&'", "PID & UID", "    ^");
    assert_error("expected '||'", "PID > 1 | UID", "        ^");
}

#[test]
fn an_unknown_column_is_answered_with_the_nearest() {
    assert_error(
        "unknown column 'NPROC', nearest is NPROCS",
        "PID and NPROC > 1",
        "        ^",
    );
    assert_error("unknown column 'usre', nearest is USER", "(usre)", " ^");
    assert_error(
        "unknown column 'nickname' (--list-columns shows them all)",
        "nickname",
        "^",
    );
}

#[test]
fn a_word_beside_a_comparison_is_perhaps_a_string() {
    assert_error(
        "unknown column 'net' (--list-columns shows them all); a string needs quotes",
        "TYPE == net",
        "        ^",
    );
    assert_error(
        "unknown column 'PPIDS', nearest is PPID; a string needs quotes",
        "PID == PPIDS",
        "       ^",
    );
}

#[test]
fn a_string_that_does_not_end_is_asked_to() {
    assert_error(
        "expected a closing \"",
        "USER == \"root'",
        "              ^",
    );
    assert_error("expected a closing '", "USER =~ 'root", "             ^");
}

#[test]
fn a_regular_expression_is_a_string_and_is_checked() {
    assert_error("expected a string in quotes", "USER =~ root", "        ^");
    assert_error("expected a string in quotes", "USER !~", "       ^");
    assert_error(
        "invalid regular expression: found open group without closing ')'",
        "PID or USER !~ 'a(b'",
        "               ^",
    );
    assert_error(
        "invalid regular expression: uncounted repetition operator must be applied to a sub-expression",
        "USER =~ '*'",
        "        ^",
    );
}

#[test]
fn a_malformed_number_is_told_what_it_lacks() {
    let unit = "unknown unit (those known are K, M, G, T, P, E, Z, Y, with iB or B after it)";
    assert_error(unit, "NS > 10k", "       ^");
    assert_error(unit, "NS > 1Kand PID", "      ^");
    assert_error("expected a digit", "NPROCS > 1.x", "           ^");
    let large = "9".repeat(39);
    assert_error("number too large", &format!("NS < {large}"), "     ^");
    assert_error("number too large", "NS < 999999999999999Y", "     ^");
}

#[test]
fn control_characters_are_escaped_and_the_caret_keeps_its_place() {
    assert_eq!(
        error("PID\n==\x1b[31m1"),
        format!(
            "cannot parse filter: {VALUE}\n  PID\\x0a==\\x1b[31m1\n  {:9}^",
            ""
        )
    );
    assert_eq!(
        error("USER == '\u{202e}' PID"),
        "cannot parse filter: expected 'and', 'or' or the end\n  \
         USER == '\\xe2\\x80\\xae' PID\n                         ^"
    );
}

#[test]
fn the_caret_counts_places_on_the_terminal() {
    assert_error(
        "expected 'and', 'or' or the end",
        "USER == '世界' PID",
        "               ^",
    );
    assert_error(
        "expected 'and', 'or' or the end",
        "USER == 'é' PID",
        "            ^",
    );
    // The backslash is escaped for the sake of the x, which is the place.
    assert_eq!(
        error(r"USER == 1 \x"),
        "cannot parse filter: expected 'and', 'or' or the end\n  \
         USER == 1 \\x5cx\n            ^"
    );
}

#[test]
fn of_a_long_expression_the_surroundings_are_shown() {
    let long = vec!["PID == 1"; 100].join(" or ");
    let part = ["PID == 1"; 5].join(" or ");
    assert_eq!(
        error(&format!("{long} xor {long}")),
        format!(
            "cannot parse filter: expected 'and', 'or' or the end\n  \
             ...or {part} xor {part}...\n  {:63}^",
            "",
        )
    );
}
