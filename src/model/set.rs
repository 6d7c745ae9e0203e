use std::fmt;
use std::marker::PhantomData;

/// What can be put into a [`Set`]: an enum of at most 32 values.
pub trait Member: Copy + 'static {
    /// Every value, in order; a value's place is its [`index`](Member::index).
    const ALL: &'static [Self];

    /// The place of this value in [`ALL`](Member::ALL).
    fn index(self) -> usize;
}

/// A small set of enum values, one bit each.
pub struct Set<T> {
    bits: u32,
    member: PhantomData<T>,
}

impl<T: Member> Set<T> {
    /// The set without members.
    pub const EMPTY: Self = Set {
        bits: 0,
        member: PhantomData,
    };

    /// The set of all values.
    pub fn all() -> Self {
        T::ALL.iter().copied().collect()
    }

    /// The set with one member.
    pub fn of(member: T) -> Self {
        Set {
            bits: 1 << member.index(),
            member: PhantomData,
        }
    }

    /// Puts a value in.
    pub fn insert(&mut self, member: T) {
        self.bits |= Set::of(member).bits;
    }

    /// Whether a value is in.
    pub fn contains(self, member: T) -> bool {
        self.bits & Set::of(member).bits != 0
    }

    /// Whether nothing is in.
    pub fn is_empty(self) -> bool {
        self.bits == 0
    }

    /// How many values are in.
    pub fn len(self) -> usize {
        self.bits.count_ones() as usize
    }

    /// What is in this set, in the other, or in both.
    pub fn union(self, other: Self) -> Self {
        Set {
            bits: self.bits | other.bits,
            member: PhantomData,
        }
    }

    /// What is in this set and in the other.
    pub fn intersection(self, other: Self) -> Self {
        Set {
            bits: self.bits & other.bits,
            member: PhantomData,
        }
    }

    /// What is in this set and not in the other.
    pub fn without(self, other: Self) -> Self {
        Set {
            bits: self.bits & !other.bits,
            member: PhantomData,
        }
    }

    /// The members, in the order of their type.
    pub fn iter(self) -> impl Iterator<Item = T> {
        T::ALL
            .iter()
            .copied()
            .filter(move |member| self.contains(*member))
    }
}

// Derived, these would ask the same of T.
impl<T> Clone for Set<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Set<T> {}

impl<T> PartialEq for Set<T> {
    fn eq(&self, other: &Self) -> bool {
        self.bits == other.bits
    }
}

impl<T> Eq for Set<T> {}

impl<T: Member> Default for Set<T> {
    fn default() -> Self {
        Set::EMPTY
    }
}

impl<T: Member> FromIterator<T> for Set<T> {
    fn from_iter<I: IntoIterator<Item = T>>(members: I) -> Self {
        members
            .into_iter()
            .fold(Set::EMPTY, |set, member| set.union(Set::of(member)))
    }
}

impl<T: Member + fmt::Debug> fmt::Debug for Set<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.iter()).finish()
    }
}

#[cfg(test)]
mod tests {
    use crate::model::{Kind, KindSet};

    #[test]
    fn a_set_keeps_each_member_once_and_in_the_order_of_its_type() {
        let mut set = KindSet::of(Kind::Uts);
        set.insert(Kind::Mnt);
        set.insert(Kind::Uts);
        assert_eq!(set.iter().collect::<Vec<_>>(), [Kind::Mnt, Kind::Uts]);
        assert_eq!(set.len(), 2);
        assert!(!set.contains(Kind::Net));
        assert_eq!(KindSet::all().without(set).len(), 6);
        assert_eq!(
            set.intersection(KindSet::of(Kind::Mnt)),
            KindSet::of(Kind::Mnt)
        );
        assert!(KindSet::default().is_empty());
    }
}
