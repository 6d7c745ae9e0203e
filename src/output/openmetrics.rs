//! Metrics as text that the parsers of OpenMetrics 1.0 and of the older format
//! of Prometheus read alike: gauges, without timestamps.

use std::io::{self, Write};

use crate::analysis::Family;
use crate::text::for_table;

/// Writes families of samples. One without samples is left out.
pub(crate) fn write_metrics(families: &[Family], out: &mut dyn Write) -> io::Result<()> {
    for family in families.iter().filter(|family| !family.samples.is_empty()) {
        let name = family.name;
        writeln!(out, "# HELP {name} {}", escape(family.help))?;
        writeln!(out, "# TYPE {name} gauge")?;
        for sample in &family.samples {
            out.write_all(name.as_bytes())?;
            let mut before = '{';
            for (label, value) in &sample.labels {
                // As in a table, so that nothing reaches a terminal, and whatever
                // is not UTF-8 stays distinct.
                let value = escape(&for_table(value));
                write!(out, "{before}{label}=\"{value}\"")?;
                before = ',';
            }
            if before == ',' {
                out.write_all(b"}")?;
            }
            writeln!(out, " {}", sample.value)?;
        }
    }
    // A comment to parsers of the older format.
    out.write_all(b"# EOF\n")
}

/// Escapes what ends a label value or a line. Help has no quotes, for the two
/// formats differ about them.
fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '\\' => escaped.push_str(r"\\"),
            '"' => escaped.push_str("\\\""),
            '\n' => escaped.push_str(r"\n"),
            _ => escaped.push(letter),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use proptest::prelude::*;

    use super::*;
    use crate::analysis::{Reader, metrics};
    use crate::model::Snapshot;
    use crate::text::Text;

    /// Returns the families of an empty system, the labels of the first sample
    /// changed.
    fn families(value: Text) -> Vec<Family> {
        let snapshot = Snapshot::default();
        let mut families = metrics(&snapshot, &Reader::default(), Duration::from_millis(1500));
        families[0].samples.truncate(1);
        families[0].samples[0].labels[1].1 = value;
        families
    }

    fn text(families: &[Family]) -> String {
        let mut out = Vec::new();
        write_metrics(families, &mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn a_family_without_samples_and_braces_without_labels_are_left_out() {
        let mut families = families("a\"b\\c\nd\u{1b}e\u{202e}".into());
        families.retain(|family| {
            [
                "nsls_namespaces",
                "nsls_limit",
                "nsls_scan_duration_seconds",
            ]
            .contains(&family.name)
        });
        families[0].samples[0].value = f64::NAN;
        assert_eq!(
            text(&families),
            r#"# HELP nsls_namespaces Namespaces, by type and by the first kind of what holds them.
# TYPE nsls_namespaces gauge
nsls_namespaces{type="mnt",held="a\"b\\c\\x0ad\\x1be\\xe2\\x80\\xae"} NaN
# HELP nsls_scan_duration_seconds How long the scan took.
# TYPE nsls_scan_duration_seconds gauge
nsls_scan_duration_seconds 1.5
# EOF
"#
        );
    }

    #[test]
    fn help_is_the_same_to_both_formats() {
        for family in families("".into()) {
            let help = family.help;
            assert!(
                !help.contains(['"', '\\', '\n']) && help.ends_with('.'),
                "{help}"
            );
        }
    }

    /// Returns the value that a parser reads between quotes, and what follows.
    fn parse(quoted: &str) -> (String, &str) {
        let mut value = String::new();
        let mut letters = quoted.char_indices();
        while let Some((place, letter)) = letters.next() {
            match letter {
                '"' => return (value, &quoted[place + 1..]),
                '\\' => value.push(match letters.next().unwrap().1 {
                    'n' => '\n',
                    letter @ ('"' | '\\') => letter,
                    letter => panic!("unknown escape {letter}"),
                }),
                _ => value.push(letter),
            }
        }
        panic!("no end: {quoted}")
    }

    proptest! {
        #[test]
        fn no_bytes_of_a_label_make_another_line_or_label(
            bytes in prop_oneof![
                proptest::collection::vec(any::<u8>(), 0..40),
                "[a\"\\\\\n\r{},x0]{0,40}".prop_map(String::into_bytes),
            ]
        ) {
            let written = text(&families(bytes.as_slice().into()));
            let plain = text(&families("".into()));
            prop_assert_eq!(written.lines().count(), plain.lines().count());
            let line = written.lines().nth(2).unwrap();
            let quoted = line.strip_prefix("nsls_namespaces{type=\"mnt\",held=\"").unwrap();
            let (value, rest) = parse(quoted);
            prop_assert_eq!(rest, "} 0");
            prop_assert_eq!(value, for_table(&bytes));
        }
    }
}
