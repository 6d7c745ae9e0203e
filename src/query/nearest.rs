/// Returns the most similar of some names, if it differs by at most one edit per
/// three letters; case does not count.
pub(crate) fn nearest<'a>(word: &str, names: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    // The time and memory it takes grow with the length of both.
    const LONGEST: usize = 64;
    if word.len() > LONGEST {
        return None;
    }
    let word = word.to_lowercase();
    let names = names.into_iter().filter(|name| name.len() <= LONGEST);
    let (edits, nearest) = names
        .map(|name| {
            (
                strsim::damerau_levenshtein(&word, &name.to_lowercase()),
                name,
            )
        })
        .min_by_key(|(edits, _)| *edits)?;
    (edits <= (word.chars().count() / 3).max(1)).then_some(nearest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_near_by_an_edit_per_three_letters() {
        let names = ["limits", "containers", "web-1", &"x".repeat(100_000)];
        let nearest = |word: &str| nearest(word, names);
        assert_eq!(nearest("LIMTS"), Some("limits"));
        assert_eq!(nearest("cnotainer"), Some("containers"));
        assert_eq!(nearest("wbe-1"), Some("web-1"));
        for far in ["", "db", "contents", "wall", &"limits".repeat(100_000)] {
            assert_eq!(nearest(far), None);
        }
    }
}
