//! Command lines that enter a namespace.

use std::os::unix::ffi::OsStrExt;

use crate::analysis::{Found, NETNS};
use crate::cli::commands::find::Hit;
use crate::model::Kind;
use crate::text::Text;

impl Hit<'_> {
    /// Returns a command line for a shell; `None` if nothing opens the namespace.
    ///
    /// A process is entered with everything that it is in; what lies in a
    /// namespace, in that one alone, so that the programs of the caller work
    /// there.
    pub(super) fn enter(&self) -> Option<Vec<u8>> {
        if !self.root.is_live() {
            return None;
        }
        let namespace = self.one.namespace;
        if let (Found::Processes(_), Some(process)) = (&self.one.found, self.one.process) {
            return Some(format!("nsenter --target {} --all", process.pid).into_bytes());
        }
        let option = option(namespace.id.kind);
        if let Some(pid) = namespace.pid {
            return Some(format!("nsenter --target {pid} --{option}").into_bytes());
        }
        if namespace.id.kind == Kind::Net
            && let Some(name) = namespace.mounts.iter().find_map(|path| netns_name(path))
        {
            return Some([b"ip netns exec ", &*quote(name), b" sh"].concat());
        }
        let path = self.snapshot.row(self.root, namespace).path()?;
        let path = quote(path.as_os_str().as_bytes());
        Some([b"nsenter --", option.as_bytes(), b"=", &*path].concat())
    }
}

/// Returns the option of nsenter(1) for a type.
const fn option(kind: Kind) -> &'static str {
    match kind {
        Kind::Mnt => "mount",
        kind => kind.name(),
    }
}

/// Returns the name that ip-netns(8) knows.
fn netns_name(path: &Text) -> Option<&[u8]> {
    let name = path.strip_prefix(NETNS)?;
    (!name.contains(&b'/') && !name.starts_with(b"-")).then_some(name)
}

/// Quotes a word for a POSIX shell; for one with control characters, as bash and
/// zsh read it.
fn quote(word: &[u8]) -> Vec<u8> {
    let is_plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"/._-:@%+=,".contains(byte);
    if !word.is_empty() && word.iter().all(is_plain) {
        return word.to_vec();
    }
    let text = std::str::from_utf8(word).ok();
    let is_shown = text.is_some_and(|text| !crate::text::for_table(text.as_bytes()).contains('\\'));
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
