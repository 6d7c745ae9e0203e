//! Kernel releases, for what no system call reveals.

/// Parses major and minor version of a release such as `6.8.0-31-generic`.
pub(crate) fn version_of(release: &[u8]) -> Option<(u32, u32)> {
    let text = String::from_utf8_lossy(release);
    let mut numbers = text.split(|letter: char| !letter.is_ascii_digit());
    let major = numbers.next()?.parse().ok()?;
    let minor = numbers.next()?.parse().ok()?;
    Some((major, minor))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_release_begins_with_two_numbers() {
        for (release, version) in [
            ("6.17.0", Some((6, 17))),
            ("6.18.44-fc", Some((6, 18))),
            ("7.0-rc1", Some((7, 0))),
            ("5.15.0-1.el9", Some((5, 15))),
            ("10.1", Some((10, 1))),
            ("", None),
            ("6", None),
            ("6.x", None),
            ("x", None),
            ("6.99999999999", None),
        ] {
            assert_eq!(version_of(release.as_bytes()), version, "{release}");
        }
    }
}
