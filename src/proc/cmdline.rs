/// The command line of a process.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct CommandLine {
    /// The arguments, joined by spaces; any bytes.
    pub(crate) text: Vec<u8>,
    /// Whether the command line goes on after the text.
    pub(crate) is_cut: bool,
}

/// Joins the arguments in `/proc/PID/cmdline` by spaces; `None` for a process
/// that has no arguments (kernel threads, zombies).
///
/// A NUL ends each argument, empty ones included: the last NUL ends the line and
/// every other becomes a space. A process may store any text there, without a
/// NUL at its end (setproctitle).
pub(crate) fn join_arguments(mut bytes: Vec<u8>) -> Option<Vec<u8>> {
    if bytes.last() == Some(&0) {
        bytes.pop();
    } else if bytes.is_empty() {
        return None;
    }
    for byte in &mut bytes {
        if *byte == 0 {
            *byte = b' ';
        }
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn arguments_are_joined_and_empty_ones_are_kept() {
        for (bytes, line) in [
            (&b"sleep\x0010\0"[..], &b"sleep 10"[..]),
            (b"sh\0-c\0\0x\0", b"sh -c  x"),
            (b"sh\0\0", b"sh "),
            (b"\0", b""),
            (b"nginx: master", b"nginx: master"),
            (b"a\xff\n\0", b"a\xff\n"),
        ] {
            assert_eq!(join_arguments(bytes.to_vec()).as_deref(), Some(line));
        }
    }

    #[test]
    fn no_bytes_are_no_command_line() {
        assert_eq!(join_arguments(Vec::new()), None);
    }

    proptest! {
        #[test]
        fn nothing_but_the_ends_of_arguments_is_changed(
            arguments in proptest::collection::vec(proptest::collection::vec(1u8.., 0..9), 1..9),
        ) {
            let bytes = arguments.iter().flat_map(|argument| [argument, &b"\0"[..]].concat()).collect();
            prop_assert_eq!(join_arguments(bytes), Some(arguments.join(&b' ')));
        }
    }
}
