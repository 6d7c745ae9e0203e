use std::fmt;
use std::marker::PhantomData;

use serde::{Serialize, Serializer};

/// An enum of at most 64 values, which a [`Set`] can hold.
pub trait Member: Copy + 'static {
    /// All values in order; each stands at its [`index`](Member::index).
    const ALL: &'static [Self];

    /// Returns the place of this value in [`ALL`](Member::ALL).
    fn index(self) -> usize;
}

/// A small set of enum values, one bit each.
#[must_use]
pub struct Set<T> {
    bits: u64,
    member: PhantomData<T>,
}

impl<T: Member> Set<T> {
    /// The empty set.
    pub const EMPTY: Self = Set {
        bits: 0,
        member: PhantomData,
    };

    /// Returns the set of all values.
    pub fn all() -> Self {
        T::ALL.iter().copied().collect()
    }

    /// Returns the set of one value.
    pub fn of(member: T) -> Self {
        Set {
            bits: 1 << member.index(),
            member: PhantomData,
        }
    }

    /// Adds a value.
    pub fn insert(&mut self, member: T) {
        self.bits |= Set::of(member).bits;
    }

    /// Returns whether it contains a value.
    pub fn contains(self, member: T) -> bool {
        self.bits & Set::of(member).bits != 0
    }

    /// Returns whether it contains nothing.
    pub fn is_empty(self) -> bool {
        self.bits == 0
    }

    /// Returns the number of values in it.
    pub fn len(self) -> usize {
        self.bits.count_ones() as usize
    }

    /// Returns the values in this set, the other, or both.
    pub fn union(self, other: Self) -> Self {
        Set {
            bits: self.bits | other.bits,
            member: PhantomData,
        }
    }

    /// Returns the values in both this set and the other.
    pub fn intersection(self, other: Self) -> Self {
        Set {
            bits: self.bits & other.bits,
            member: PhantomData,
        }
    }

    /// Returns the values in this set but not in the other.
    pub fn without(self, other: Self) -> Self {
        Set {
            bits: self.bits & !other.bits,
            member: PhantomData,
        }
    }

    /// Iterates over its values in the order of their type.
    pub fn iter(self) -> impl Iterator<Item = T> {
        T::ALL
            .iter()
            .copied()
            .filter(move |member| self.contains(*member))
    }
}

// Derived, these would require the same of T.
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

impl<T: Member> From<T> for Set<T> {
    fn from(member: T) -> Self {
        Set::of(member)
    }
}

impl<T: Member, const N: usize> From<[T; N]> for Set<T> {
    fn from(members: [T; N]) -> Self {
        members.into_iter().collect()
    }
}

impl<T: Member> Extend<T> for Set<T> {
    fn extend<I: IntoIterator<Item = T>>(&mut self, members: I) {
        for member in members {
            self.insert(member);
        }
    }
}

impl<T: Member + Serialize> Serialize for Set<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.iter())
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
