//! Which rows a filter lets through.

use crate::model::{
    Details, Holder, Kind, Link, LinkSet, Links, Namespace, NetNsId, NsId, Process,
};
use crate::proc::Sysroot;
use crate::query::{Filter, Row, Subject};
use crate::text::Text;

/// Asserts which of the expressions are true for one row.
fn assert_matches(namespace: &Namespace, process: Option<&Process>, truths: &[(&str, bool)]) {
    let row = Row {
        root: &Sysroot::at("/nonexistent"),
        subject: Subject::Namespace(namespace),
        process,
        holder: None,
        asked: None,
        is_member: false,
    };
    for (expression, truth) in truths {
        let filter = Filter::parse(expression).unwrap();
        assert_eq!(filter.matches(&row), *truth, "{expression}");
    }
}

fn namespace() -> Namespace {
    let id = NsId {
        ino: 4026531836,
        kind: Kind::Pid,
    };
    Namespace::new(id, Holder::Path(Text::default()))
}

/// Asserts it for a row of process 9 with these details.
fn assert_with(details: Details, truths: &[(&str, bool)]) {
    let mut process = Process::new(9, Links::default());
    process.details = Some(Box::new(details));
    assert_matches(&namespace(), Some(&process), truths);
}

/// Asserts it for a row without a process.
pub(super) fn assert_without_process(links: LinkSet, truths: &[(&str, bool)]) {
    let mut namespace = namespace();
    namespace.links = links;
    assert_matches(&namespace, None, truths);
}

fn command(command: &[u8]) -> Details {
    Details {
        command: Some(command.into()),
        ..Details::default()
    }
}

#[test]
fn a_bare_column_is_true_where_it_is_neither_empty_nor_0() {
    let truths = [
        ("NS", true),
        ("NPROCS", false),
        ("!NPROCS", true),
        ("NPROCS == 0", true),
        ("NPROCS == false", true),
        ("PID", false),
        ("USER", false),
        ("LINKS", false),
        ("not PID", true),
        ("NS and TYPE", true),
        ("NS and PID", false),
        ("PID or TYPE", true),
        ("PID or USER", false),
        ("true", true),
        ("false", false),
        ("''", false),
        ("'x' and 0", false),
        ("'0' and 0.5 and 1", true),
        ("0.0", false),
    ];
    assert_without_process(LinkSet::EMPTY, &truths);
    assert_without_process(LinkSet::of(Link::Pid), &[("LINKS", true)]);
    assert_with(command(b""), &[("COMMAND", false), ("PID", true)]);
}

#[test]
fn an_empty_cell_differs_from_every_value_and_has_no_order_beside_a_number() {
    for column in ["PID", "USER", "LINKS"] {
        for comparison in ["==", "!=", "<", "<=", ">", ">="] {
            for value in ["1", "1.5", "NS"] {
                let one = format!("{column} {comparison} {value}");
                let other = format!("{value} {comparison} {column}");
                let negated = format!("not ({column} {comparison} {value})");
                let differs = comparison == "!=";
                let truths = [(&*one, differs), (&*other, differs), (&*negated, !differs)];
                assert_without_process(LinkSet::EMPTY, &truths);
            }
            let beside_another = format!("{column} {comparison} PPID");
            assert_without_process(LinkSet::EMPTY, &[(&*beside_another, false)]);
        }
    }
}

#[test]
fn an_empty_cell_comes_before_every_text_equals_none_and_is_searched_as_an_empty_one() {
    for column in ["PID", "USER", "LINKS"] {
        for (condition, truth) in [
            ("== ''", false),
            ("!= ''", true),
            ("< 'a'", true),
            ("<= 'a'", true),
            ("> 'a'", false),
            (">= ''", false),
            ("=~ ''", true),
            ("=~ '^$'", true),
            ("=~ 'x'", false),
            ("!~ 'x'", true),
            ("!~ ''", false),
            ("== false", true),
            ("!= true", true),
            ("== true", false),
        ] {
            let expression = format!("{column} {condition}");
            assert_without_process(LinkSet::EMPTY, &[(&*expression, truth)]);
        }
        let other = format!("'a' > {column} and not 'a' < {column}");
        assert_without_process(LinkSet::EMPTY, &[(&*other, true)]);
    }
}

#[test]
fn each_comparison_of_a_chain_is_one_of_the_result_before_it() {
    let truths = [
        ("1 == 1 == 1", true),
        ("1 == 1 == 2", true),
        ("0 == 0 == 1", true),
        ("1 == 1 == 0", false),
        ("3 > 2 == true", true),
        ("1 < 2 < 3", false),
        ("'abc' =~ 'b' == true", true),
        ("NPROCS == 1 != true", true),
    ];
    assert_without_process(LinkSet::EMPTY, &truths);
}

#[test]
fn numbers_are_compared_as_numbers() {
    let truths = [
        ("PID == 9", true),
        ("PID != 9", false),
        ("PID < 10", true),
        ("PID <= 9", true),
        ("PID > 8.5", true),
        ("PID >= 9.5", false),
        ("PID == 9.0", true),
        ("10 > PID", true),
        ("PID > NPROCS", true),
        ("NS == 4026531836", true),
        ("NS > 3G and NS < 4G", true),
        ("NS < 1Y", true),
    ];
    assert_with(Details::default(), &truths);
}

#[test]
fn a_string_that_holds_a_number_is_a_number_beside_one() {
    let truths = [
        ("PID == '9'", true),
        ("PID == '09'", true),
        ("PID < '10'", true),
        ("PID != '9'", false),
        ("PID == '9.0'", true),
        // It is no number, so it is not equal and has no order.
        ("PID == 'x'", false),
        ("PID != 'x'", true),
        ("PID < 'x'", false),
        ("PID > 'x'", false),
        ("PID == ' 9'", false),
        ("PID == ''", false),
        ("PID == 'inf'", false),
    ];
    assert_with(Details::default(), &truths);
}

#[test]
fn a_text_that_holds_a_number_is_a_number_beside_one() {
    let truths = [
        ("COMMAND == 10", true),
        ("COMMAND > 9", true),
        ("COMMAND < 10.5", true),
        ("COMMAND == '10'", true),
        // Between two texts it is a text.
        ("COMMAND > '9'", false),
        ("COMMAND == '10.0'", false),
    ];
    assert_with(command(b"10"), &truths);
    let truths = [
        ("COMMAND == 1", false),
        ("COMMAND != 1", true),
        ("COMMAND < 1", false),
        ("COMMAND > 1", false),
    ];
    assert_with(command(b"unassigned"), &truths);
    assert_with(command(b"\xff1"), &truths);
}

#[test]
fn texts_are_ordered_by_their_bytes() {
    let truths = [
        ("COMMAND == 'init'", true),
        ("COMMAND == 'Init'", false),
        ("COMMAND > 'Init'", true),
        ("COMMAND < 'initd'", true),
        ("COMMAND < 'é'", true),
        ("COMMAND >= 'init' and COMMAND <= 'init'", true),
    ];
    assert_with(command(b"init"), &truths);
    assert_with(command(b"a\nb"), &[("COMMAND == 'a\nb'", true)]);
}

#[test]
fn a_value_is_compared_with_true_and_false_by_whether_it_is_empty() {
    let truths = [
        ("PID == true", true),
        ("PID == false", false),
        ("COMMAND == false", true),
        ("COMMAND != true", true),
        ("(PID > 1) == true", true),
        ("(PID > 1) != (PID > 10)", true),
        ("false < true", true),
    ];
    assert_with(command(b""), &truths);
}

#[test]
fn a_list_is_compared_by_its_elements() {
    let links = [Link::Pid, Link::PidForChildren].into_iter().collect();
    let truths = [
        ("LINKS == 'pid'", true),
        ("LINKS == 'pid_for_children'", true),
        ("'pid_for_children' == LINKS", true),
        ("LINKS == 'pid,pid_for_children'", false),
        ("LINKS != 'pid'", false),
        ("LINKS != 'x'", true),
        ("LINKS == 'x'", false),
        ("LINKS < 'pie'", true),
        ("LINKS < 'pid'", false),
        ("LINKS == LINKS", true),
        ("LINKS != 1", true),
        ("LINKS =~ '_for_children$'", true),
        ("LINKS !~ '_for_children$'", false),
        ("LINKS !~ 'x'", true),
        ("LINKS == true", true),
    ];
    assert_without_process(links, &truths);
    // An empty list is known to hold nothing.
    let truths = [("LINKS == 'x'", false), ("LINKS != 'x'", true)];
    assert_without_process(LinkSet::EMPTY, &truths);
}

#[test]
fn a_regular_expression_is_searched_in_the_text_of_any_value() {
    let truths = [
        ("COMMAND =~ 'nginx'", true),
        ("COMMAND =~ '^nginx'", false),
        ("COMMAND =~ '(?i)NGINX:? \\w+$'", true),
        ("COMMAND !~ 'apache|caddy'", true),
        ("COMMAND =~ '[[:digit:]]'", false),
        ("PID =~ '^9$'", true),
        ("NS !~ '^4026'", false),
        ("1.5 =~ '\\.'", true),
        ("true =~ 'true'", true),
        ("COMMAND =~ '\\<nginx\\>'", true),
        ("COMMAND =~ 'ngi{,1}nx'", true),
        ("COMMAND =~ 'ngi{,0}nx'", false),
        ("'a{,3}' =~ '^a\\{,3}$'", true),
        ("'{,' =~ '^[]{,]+$'", true),
        ("'0' =~ '[^]{,]'", true),
    ];
    assert_with(command(b"/usr/sbin/nginx worker"), &truths);
}

#[test]
fn bytes_that_are_no_text_match_as_replacement_characters() {
    let truths = [
        ("COMMAND =~ '^a.b$'", true),
        ("COMMAND =~ '\u{fffd}'", true),
        ("COMMAND == 'a\u{fffd}b'", false),
        ("COMMAND != 'ab'", true),
    ];
    assert_with(command(b"a\xffb"), &truths);
}

#[test]
fn a_user_without_a_name_is_found_by_number() {
    let nameless = Details {
        uid: Some(1000),
        ..Details::default()
    };
    let truths = [
        ("USER == 1000", true),
        ("USER == '1000'", true),
        ("USER != 'root'", true),
        ("USER =~ '^10+$'", true),
        ("USER", true),
    ];
    assert_with(nameless, &truths);
}

#[test]
fn an_id_may_be_a_number_or_a_word_and_a_parent_that_is_not_known_is_0() {
    for (netnsid, truths) in [
        (
            Some(NetNsId::Assigned(1)),
            [("NETNSID == 1", true), ("NETNSID == '1'", true)],
        ),
        (
            Some(NetNsId::Unassigned),
            [("NETNSID == 'unassigned'", true), ("NETNSID == 1", false)],
        ),
        (
            Some(NetNsId::Assigned(0)),
            [("NETNSID", true), ("NETNSID < 1", true)],
        ),
        (None, [("NETNSID", false), ("NETNSID != 0", true)]),
    ] {
        let mut namespace = namespace();
        namespace.relations.netnsid = netnsid;
        assert_matches(&namespace, None, &truths);
        let parent = [("PNS", false), ("PNS == 0", true), ("ONS != 0", false)];
        assert_matches(&namespace, None, &parent);
    }
}
