use std::collections::HashMap;

/// So many that are alike are shown one by one; with more, one stands for all.
const MOST_ALIKE: usize = 12;

/// Returns for each thing the place of the one that stands for it, by what is the same
/// of those that are alike: the first of many, else it itself. What has no shape is like
/// nothing.
pub(super) fn stand_ins(shapes: &[Option<Vec<u8>>]) -> Vec<usize> {
    let mut firsts: HashMap<&[u8], usize> = HashMap::new();
    let mut counts = vec![0; shapes.len()];
    let mut places: Vec<usize> = (0..shapes.len()).collect();
    for (place, shape) in shapes.iter().enumerate() {
        if let Some(shape) = shape
            && let Some(to) = places.get_mut(place)
        {
            *to = *firsts.entry(shape).or_insert(place);
            if let Some(count) = counts.get_mut(*to) {
                *count += 1;
            }
        }
    }
    for (place, to) in places.iter_mut().enumerate() {
        if counts.get(*to).is_none_or(|count| *count <= MOST_ALIKE) {
            *to = place;
        }
    }
    places
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_of_many_stands_for_all_and_few_stand_for_themselves() {
        let shapes = |count| [vec![None; 2], vec![Some(b"a".to_vec()); count]].concat();
        assert_eq!(stand_ins(&shapes(12)), Vec::from_iter(0..14));
        let many = [&[0, 1][..], &[2; 13]].concat();
        assert_eq!(stand_ins(&shapes(13)), many);
        assert!(stand_ins(&[]).is_empty());
    }
}
