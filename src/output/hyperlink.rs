//! Paths as links that a terminal opens, by OSC 8.

/// What ends a link.
pub(super) const END: &str = "\x1b]8;;\x1b\\";

/// Returns what begins a link to a path of this machine, as a `file` URI, RFC 8089.
/// `None` if it is not absolute.
pub(super) fn begin(path: &[u8]) -> Option<String> {
    if !path.starts_with(b"/") {
        return None;
    }
    let uname = rustix::system::uname();
    let host = encode(uname.nodename().to_bytes());
    Some(format!("\x1b]8;;file://{host}{}\x1b\\", encode(path)))
}

/// Encodes all but unreserved characters and slashes, RFC 3986: a path is chosen by
/// others, and must neither end the sequence nor begin another.
fn encode(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len());
    for byte in bytes {
        if byte.is_ascii_alphanumeric() || b"-._~/".contains(byte) {
            text.push(char::from(*byte));
        } else {
            text.push('%');
            for digit in [byte >> 4, byte & 15] {
                let digit = char::from_digit(digit.into(), 16);
                text.extend(digit.map(|digit| digit.to_ascii_uppercase()));
            }
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_that_would_end_the_link_and_write_to_the_terminal_is_encoded() {
        let begin = begin(b"/a\x1b\\\x1b]0;owned\x07\n\x9c/b").unwrap();
        let uri = begin.strip_prefix("\x1b]8;;file://").unwrap();
        let uri = uri.strip_suffix("\x1b\\").unwrap();
        let (_, path) = uri.split_once('/').unwrap();
        assert_eq!(path, "a%1B%5C%1B%5D0%3Bowned%07%0A%9C/b");
        assert!(uri.bytes().all(|byte| byte.is_ascii_graphic()));
    }

    #[test]
    fn a_link_leads_to_the_bytes_of_the_path() {
        assert_eq!(
            encode("/run/a b/grün%20\u{202e}".as_bytes()),
            "/run/a%20b/gr%C3%BCn%2520%E2%80%AE"
        );
        assert_eq!(encode(b"/proc/1/ns/net-x_y.z~"), "/proc/1/ns/net-x_y.z~");
    }

    #[test]
    fn what_is_no_absolute_path_is_no_link() {
        for text in ["", "fd 4", "net:[1]", "a/b", "thread 4, uts"] {
            assert_eq!(begin(text.as_bytes()), None);
        }
    }
}
