/// Returns the root of a cgroup namespace as a path of the reader's, from
/// `/proc/PID/cgroup` of a process in it, read outside and inside: the root is
/// what precedes the inner path, cgroup_namespaces(7).
///
/// Each hierarchy has its own root; the first that is not `/` is returned, in
/// the order of the file. Returns `None` if the process is below no common root.
pub(crate) fn cgroup_root(outside: &[u8], inside: &[u8]) -> Option<Vec<u8>> {
    let mut roots = Vec::new();
    for (outer, inner) in lines(outside).zip(lines(inside)) {
        let ((hierarchy, outer), (inner_hierarchy, inner)) = (outer?, inner?);
        if hierarchy != inner_hierarchy {
            return None;
        }
        let below = inner.strip_suffix(b"/").unwrap_or(inner);
        roots.push(outer.strip_suffix(below)?);
    }
    let is_below = |root: &&&[u8]| !matches!(**root, b"" | b"/");
    let root = roots.iter().find(is_below).or(roots.first())?;
    Some(if root.is_empty() {
        b"/".to_vec()
    } else {
        root.to_vec()
    })
}

/// Iterates over the hierarchy and the path of each line.
fn lines(text: &[u8]) -> impl Iterator<Item = Option<(&[u8], &[u8])>> {
    let lines = text
        .split(|byte| *byte == b'\n')
        .filter(|line| !line.is_empty());
    lines.map(|line| {
        let mut colons = line.iter().enumerate().filter(|(_, byte)| **byte == b':');
        let (place, _) = colons.nth(1)?;
        line.split_at_checked(place + 1)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn root(outside: &str, inside: &str) -> Option<String> {
        let root = cgroup_root(outside.as_bytes(), inside.as_bytes());
        root.map(|root| String::from_utf8(root).unwrap())
    }

    #[test]
    fn the_root_is_what_stands_before_the_inner_path() {
        assert_eq!(root("0::/a/b\n", "0::/\n").as_deref(), Some("/a/b"));
        assert_eq!(root("0::/a/b/c\n", "0::/c\n").as_deref(), Some("/a/b"));
        assert_eq!(root("0::/a\n", "0::/a\n").as_deref(), Some("/"));
        assert_eq!(root("0::/\n", "0::/\n").as_deref(), Some("/"));
        let (outside, inside) = (
            "2:pids:/x:y/c\n1:cpu:/\n0::/\n",
            "2:pids:/c\n1:cpu:/\n0::/\n",
        );
        assert_eq!(root(outside, inside).as_deref(), Some("/x:y"));
        assert_eq!(
            root("1:cpu:/\n0::/d\n", "1:cpu:/\n0::/\n").as_deref(),
            Some("/d")
        );
    }

    #[test]
    fn without_a_common_root_it_is_not_known() {
        assert_eq!(root("0::/a\n", "0::/../b\n"), None);
        assert_eq!(root("0::/a\n", "1:cpu:/\n"), None);
        assert_eq!(root("0:/a\n", "0::/\n"), None);
        assert_eq!(root("", ""), None);
    }
}
