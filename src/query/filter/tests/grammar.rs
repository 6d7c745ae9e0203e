//! What is read as what.

use super::plain;
use crate::query::Filter;

/// Asserts that two expressions are the same filter.
fn same(one: &str, other: &str) {
    assert_eq!(Filter::parse(one), Filter::parse(other), "{one}");
    assert!(Filter::parse(one).is_ok(), "{one}");
}

fn is_refused(expression: &str) {
    assert!(Filter::parse(expression).is_err(), "{expression}");
}

#[test]
fn or_is_looser_than_and_and_that_is_looser_than_not() {
    same("NS or PID and UID", "NS or (PID and UID)");
    same("NS and PID or UID", "(NS and PID) or UID");
    same("not NS and PID", "(not NS) and PID");
    same("not NS or PID", "(not NS) or PID");
    assert_eq!(plain("(NS or PID) and UID"), "(NS or PID) and UID");
    assert_eq!(plain("not (NS and PID)"), "not (NS and PID)");
    is_refused("NS or and PID");
}

#[test]
fn not_is_looser_than_a_comparison() {
    same("not NPROCS > 1", "not (NPROCS > 1)");
    same("!NPROCS > 1", "not (NPROCS > 1)");
    same("! USER =~ \"x\"", "not (USER =~ \"x\")");
    assert_ne!(
        Filter::parse("not NPROCS > 1"),
        Filter::parse("(not NPROCS) > 1")
    );
    is_refused("NPROCS > not 1");
}

#[test]
fn every_operator_has_a_sign_and_a_word_in_any_case() {
    for (sign, word) in [
        ("==", "eq"),
        ("!=", "ne"),
        ("<", "lt"),
        ("<=", "le"),
        (">", "gt"),
        (">=", "ge"),
    ] {
        let sign_form = format!("NS {sign} 1");
        assert_eq!(plain(&sign_form), sign_form);
        same(&format!("NS{sign}1"), &sign_form);
        same(&format!("NS {word} 1"), &sign_form);
        same(&format!("NS {} 1", word.to_uppercase()), &sign_form);
        // A word needs a blank where another word or number follows.
        is_refused(&format!("NS {word}1"));
        is_refused(&format!("NS {sign}{sign} 1"));
    }
    for (sign, word) in [("&&", "and"), ("||", "or")] {
        let word_form = format!("NS {word} PID");
        assert_eq!(plain(&word_form), word_form);
        same(&format!("NS{sign}PID"), &word_form);
        same(&format!("NS {} PID", word.to_uppercase()), &word_form);
        is_refused(&format!("NS {sign}{sign} PID"));
        is_refused(&format!("NS {word}PID"));
    }
    same("!NS", "not NS");
    same("NOT NS", "not NS");
    same("!!NS", "not not NS");
    is_refused("notNS");
    assert_eq!(plain("USER=~'x'"), "USER =~ \"x\"");
    assert_eq!(plain("USER!~'x'"), "USER !~ \"x\"");
    is_refused("USER ~ 'x'");
    is_refused("USER =~ x");
    is_refused("USER =~ ('x')");
    is_refused("USER =~ 1");
}

#[test]
fn an_integer_may_have_a_unit_of_1024_or_of_1000() {
    for (literal, number) in [
        ("0", "0"),
        ("4026531836", "4026531836"),
        ("007", "7"),
        ("1K", "1024"),
        ("2KiB", "2048"),
        ("2KB", "2000"),
        ("1M", "1048576"),
        ("1MiB", "1048576"),
        ("1MB", "1000000"),
        ("1G", "1073741824"),
        ("1GB", "1000000000"),
        ("1T", "1099511627776"),
        ("1P", "1125899906842624"),
        ("1E", "1152921504606846976"),
        ("1ZiB", "1180591620717411303424"),
        ("1Y", "1208925819614629174706176"),
    ] {
        assert_eq!(
            plain(&format!("NS == {literal}")),
            format!("NS == {number}")
        );
    }
    for malformed in [
        "1k", "1Ki", "1B", "1iB", "1KK", "1X", "-1", "+1", "0x10", "1_000",
    ] {
        is_refused(&format!("NS == {malformed}"));
    }
}

#[test]
fn a_float_has_digits_on_both_sides_of_its_point() {
    assert_eq!(plain("NPROCS > 1.5"), "NPROCS > 1.5");
    assert_eq!(plain("NPROCS > 1.50"), "NPROCS > 1.5");
    assert_eq!(plain("NPROCS > 2.0"), "NPROCS > 2.0");
    assert_eq!(plain("NPROCS > 1.5K"), "NPROCS > 1536.0");
    for malformed in ["1.", ".5", "1.5.2", "1.e", "1e5", "1.5e3"] {
        is_refused(&format!("NPROCS > {malformed}"));
    }
}

#[test]
fn a_string_stands_between_either_quotes_and_nothing_in_it_is_escaped() {
    same("USER == 'root'", "USER == \"root\"");
    assert_eq!(plain("USER == ''"), "USER == \"\"");
    assert_eq!(plain("USER == 'a\"b'"), "USER == 'a\"b'");
    assert_eq!(plain("USER == \"a'b\""), "USER == \"a'b\"");
    assert_eq!(plain(r#"USER == "a\""#), r#"USER == "a\""#);
    assert_eq!(plain(r"USER =~ '^\d\\$'"), r#"USER =~ "^\d\\$""#);
    assert_eq!(plain("USER == 'é世\n'"), "USER == \"é世\n\"");
    is_refused("USER == 'root");
    is_refused("USER == \"root'");
    is_refused(r#"USER == "a\"b""#);
}

#[test]
fn true_and_false_are_values_in_any_case() {
    assert_eq!(plain("true or FALSE"), "true or false");
    assert_eq!(plain("NS == True"), "NS == true");
    is_refused("truee");
    is_refused("true false");
}

#[test]
fn columns_are_named_in_any_case_and_without_quotes() {
    assert_eq!(plain("nprocs or Type"), "NPROCS or TYPE");
    let filter = Filter::parse("NS and not (pid > UID or user =~ 'x') and NS").unwrap();
    let names: Vec<_> = filter.columns().map(|column| column.name).collect();
    assert_eq!(names, ["NS", "PID", "UID", "USER", "NS"]);
    assert_eq!(Filter::parse("1 == 1").unwrap().columns().count(), 0);
    is_refused("\"NS\"x");
    is_refused("NS.x");
}

#[test]
fn either_side_of_a_comparison_may_be_anything() {
    assert_eq!(plain("1<NPROCS"), "1 < NPROCS");
    assert_eq!(plain("PID == PPID"), "PID == PPID");
    assert_eq!(plain("(PID) == ((1))"), "PID == 1");
    assert_eq!(plain("(PID > 1) == (not UID)"), "(PID > 1) == (not UID)");
    assert_eq!(plain("(PID or UID) =~ 'x'"), "(PID or UID) =~ \"x\"");
    is_refused("== 1");
}

#[test]
fn a_chain_of_comparisons_compares_the_result_of_the_first() {
    for chain in [
        "1 == 1 == 1",
        "TYPE =~ \"n\" == true",
        "PID == 1 !~ \"x\"",
        "NS < 1 < PID =~ \"x\" !~ \"y\"",
    ] {
        assert_eq!(plain(chain), chain);
    }
    assert_eq!(plain("(1 == 1) == 1"), "(1 == 1) == 1");
    same("not 1 == 1 == 1", "not (1 == 1 == 1)");
    is_refused("1 == 1 ==");
    is_refused("1 == 1 =~ 1");
}

#[test]
fn blanks_and_line_breaks_mean_nothing() {
    same(" \t\n( NS\r\n>1 ) ", "NS > 1");
    same("(NS)and(PID)", "NS and PID");
    is_refused("NS\u{a0}> 1");
    is_refused("N S");
}

#[test]
fn a_long_chain_is_not_deep() {
    let chain = vec!["PID == 1"; 50_000].join(" or ");
    assert_eq!(plain(&chain), chain);
    let chain = vec!["PID"; 50_000].join(" == ");
    assert_eq!(plain(&chain), chain);
    let chain = vec!["(not PID)"; 50_000].join(" and ");
    assert_eq!(plain(&chain), chain.replace(['(', ')'], ""));
}
