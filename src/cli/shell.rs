//! Words of command lines that people paste into a shell.

use crate::analysis::NETNS;
use crate::text::{Text, for_table};

/// Returns the name that ip-netns(8) knows.
pub(crate) fn netns_name(path: &Text) -> Option<&[u8]> {
    let name = path.strip_prefix(NETNS)?;
    (!name.contains(&b'/') && !name.starts_with(b"-")).then_some(name)
}

/// Quotes a word for a POSIX shell; for one with control characters, as bash and
/// zsh read it.
pub(crate) fn quote(word: &[u8]) -> Vec<u8> {
    let is_plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"/._-:@%+=,".contains(byte);
    if !word.is_empty() && word.iter().all(is_plain) {
        return word.to_vec();
    }
    let text = std::str::from_utf8(word).ok();
    let is_shown = text.is_some_and(|text| !for_table(text.as_bytes()).contains('\\'));
    if is_shown {
        let parts: Vec<_> = word.split(|byte| *byte == b'\'').collect();
        return [b"'", &*parts.join(&b"'\\''"[..]), b"'"].concat();
    }
    let escaped: Vec<String> = word
        .iter()
        .map(|byte| match byte {
            b'\'' | b'\\' => format!("\\x{byte:02x}"),
            byte if byte.is_ascii_graphic() || *byte == b' ' => char::from(*byte).to_string(),
            byte => format!("\\x{byte:02x}"),
        })
        .collect();
    format!("$'{}'", escaped.concat()).into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_one_word_for_a_shell_whatever_is_in_it() {
        for (path, expected) in [
            ("/run/netns/blue", "/run/netns/blue"),
            ("/a b", "'/a b'"),
            ("/a;reboot", "'/a;reboot'"),
            ("/it's", r"'/it'\''s'"),
            ("/$(x)`y`", "'/$(x)`y`'"),
            ("", "''"),
            ("~", "'~'"),
            ("/grün", "'/grün'"),
            ("/a\n'b", r"$'/a\x0a\x27b'"),
            ("/\u{202e}x", r"$'/\xe2\x80\xaex'"),
        ] {
            let quoted = String::from_utf8(quote(path.as_bytes())).unwrap();
            assert_eq!(quoted, expected);
        }
        assert_eq!(quote(b"/\xff"), br"$'/\xff'");
    }

    #[test]
    fn a_shell_reads_a_quoted_path_as_it_was() {
        for path in ["/a b", "/it's", "/a\n'b\\c\t", "/\u{202e}x", "$x*?~"] {
            let quoted = String::from_utf8(quote(path.as_bytes())).unwrap();
            let script = format!("printf %s {quoted}");
            let run = std::process::Command::new("bash")
                .args(["-c", &script])
                .output();
            assert_eq!(run.unwrap().stdout, path.as_bytes());
        }
    }

    #[test]
    fn only_a_name_right_below_run_netns_is_one_of_ip_netns() {
        let name = |path: &str| netns_name(&path.into()).map(<[u8]>::to_vec);
        assert_eq!(name("/run/netns/blue"), Some(b"blue".to_vec()));
        for path in ["/run/netns/a/b", "/run/docker/netns/x", "/run/netns/-f"] {
            assert_eq!(name(path), None);
        }
    }
}
