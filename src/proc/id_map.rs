use crate::model::IdMap;
use crate::proc::ReadError;

/// Parses a uid_map or gid_map, user_namespaces(7), with lines of the form
/// `INNER OUTER COUNT`. The file is empty until the map is written.
pub(crate) fn parse_id_map(bytes: &[u8]) -> Result<Vec<IdMap>, ReadError> {
    let text = std::str::from_utf8(bytes).map_err(|_| ReadError::Malformed)?;
    let lines = text.lines().map(parse_line);
    lines.collect::<Option<_>>().ok_or(ReadError::Malformed)
}

fn parse_line(line: &str) -> Option<IdMap> {
    let mut numbers = line.split_ascii_whitespace().map(str::parse);
    let map = IdMap {
        inner: numbers.next()?.ok()?,
        outer: numbers.next()?.ok()?,
        count: numbers.next()?.ok()?,
    };
    numbers.next().is_none().then_some(map)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn every_line_is_a_range_of_ids() {
        let map = |inner, outer, count| IdMap {
            inner,
            outer,
            count,
        };
        let whole = b"         0          0 4294967295\n";
        assert_eq!(parse_id_map(whole), Ok(vec![map(0, 0, u32::MAX)]));
        let two = b"0 1000 1\n1 100000 65536\n";
        let both = vec![map(0, 1000, 1), map(1, 100_000, 65_536)];
        assert_eq!(parse_id_map(two), Ok(both));
        assert_eq!(parse_id_map(b""), Ok(vec![]));
    }

    #[test]
    fn what_is_no_range_is_malformed() {
        for text in [
            "0 0",
            "0 0 1 2",
            "0 0 x",
            "-1 0 1",
            "0 0 4294967296",
            "\n",
            "0 0 1\n\n",
        ] {
            let read = parse_id_map(text.as_bytes());
            assert_eq!(read, Err(ReadError::Malformed), "{text:?}");
        }
        assert_eq!(parse_id_map(b"\xff"), Err(ReadError::Malformed));
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(bytes: Vec<u8>) {
            let _ = parse_id_map(&bytes);
        }
    }
}
