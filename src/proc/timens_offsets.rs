use crate::model::{TimeOffset, TimeOffsets};
use crate::proc::ReadError;

/// Parses `/proc/PID/timens_offsets`, time_namespaces(7): two lines of the form
/// `CLOCK SECONDS NANOSECONDS`, about the time namespace of its children.
pub(crate) fn parse_timens_offsets(bytes: &[u8]) -> Result<TimeOffsets, ReadError> {
    let text = std::str::from_utf8(bytes).map_err(|_| ReadError::Malformed)?;
    match (find_clock(text, "monotonic"), find_clock(text, "boottime")) {
        (Some(monotonic), Some(boottime)) => Ok(TimeOffsets {
            monotonic,
            boottime,
        }),
        _ => Err(ReadError::Malformed),
    }
}

fn find_clock(text: &str, name: &str) -> Option<TimeOffset> {
    text.lines().find_map(|line| parse_line(line, name))
}

fn parse_line(line: &str, name: &str) -> Option<TimeOffset> {
    let mut words = line.split_ascii_whitespace();
    if words.next()? != name {
        return None;
    }
    let offset = TimeOffset {
        seconds: words.next()?.parse().ok()?,
        nanoseconds: words.next()?.parse().ok()?,
    };
    (words.next().is_none() && offset.nanoseconds < 1_000_000_000).then_some(offset)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn both_clocks_have_their_offset() {
        let text = b"monotonic      86400         0\nboottime          -1 500000000\n";
        let offsets = TimeOffsets {
            monotonic: TimeOffset {
                seconds: 86_400,
                nanoseconds: 0,
            },
            boottime: TimeOffset {
                seconds: -1,
                nanoseconds: 500_000_000,
            },
        };
        assert_eq!(parse_timens_offsets(text), Ok(offsets));
    }

    #[test]
    fn without_one_of_them_it_is_malformed() {
        for text in [
            "",
            "monotonic 0 0\n",
            "boottime 0 0\n",
            "monotonic 0\nboottime 0 0\n",
            "monotonic x 0\nboottime 0 0\n",
            "monotonic 0 0 0\nboottime 0 0\n",
            "monotonic 0 -1\nboottime 0 0\n",
            "monotonic 0 1000000000\nboottime 0 0\n",
        ] {
            let read = parse_timens_offsets(text.as_bytes());
            assert_eq!(read, Err(ReadError::Malformed), "{text:?}");
        }
        let read = parse_timens_offsets(b"monotonic 0 0\nboottime 0 0\xff\n");
        assert_eq!(read, Err(ReadError::Malformed));
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(bytes: Vec<u8>) {
            let _ = parse_timens_offsets(&bytes);
        }
    }
}
