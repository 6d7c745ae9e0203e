//! Where the running kernel keeps the fields of its structures: its type
//! information, BTF, Documentation/bpf/btf.rst.
//!
//! Any bytes are read without harm: a malformed table has fewer names.

use crate::kernel::bytes::{u16_at, u32_at, until_nul};

const MAGIC: u16 = 0xeb9f;
/// Size of `struct btf_type`, without what follows it.
const TYPE: usize = 12;
/// How many names a type may go by, and how deep a member may lie in structures
/// without names.
const DEEPEST: u8 = 8;

// Values of the kind of a type, linux/btf.h.
const INT: u32 = 1;
const PTR: u32 = 2;
const ARRAY: u32 = 3;
const STRUCT: u32 = 4;
const UNION: u32 = 5;
const ENUM: u32 = 6;
const TYPEDEF: u32 = 8;
const VOLATILE: u32 = 9;
const CONST: u32 = 10;
const RESTRICT: u32 = 11;
const FUNC: u32 = 12;
const FUNC_PROTO: u32 = 13;
const VAR: u32 = 14;
const DATASEC: u32 = 15;
const DECL_TAG: u32 = 17;
const TYPE_TAG: u32 = 18;
const ENUM64: u32 = 19;

/// The number of a type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct TypeId(pub(super) u32);

/// A member of a structure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Member {
    /// Bytes from the start of the structure.
    pub(super) offset: u32,
    pub(super) of: TypeId,
}

/// The types of a kernel.
pub(super) struct Btf<'a> {
    types: &'a [u8],
    strings: &'a [u8],
    /// Where each type is, from number 1 on.
    places: Vec<u32>,
}

impl<'a> Btf<'a> {
    /// Reads a table; `None` if it is malformed.
    pub(super) fn parse(bytes: &'a [u8]) -> Option<Self> {
        if u16_at(bytes, 0) != Some(MAGIC) {
            return None;
        }
        let field = |place| u32_at(bytes, place).map(|field| field as usize);
        let body = bytes.get(field(4)?..)?;
        let section = |offset, length| body.get(offset..)?.get(..length);
        let types = section(field(8)?, field(12)?)?;
        let strings = section(field(16)?, field(20)?)?;
        let mut places = Vec::with_capacity(types.len() / 24);
        let mut place = 0;
        while place < types.len() {
            places.push(u32::try_from(place).ok()?);
            let info = u32_at(types, place + 4)?;
            place += TYPE + following(info)?;
            if place > types.len() {
                return None;
            }
        }
        Some(Btf {
            types,
            strings,
            places,
        })
    }

    /// Finds structures and functions by name, in one pass.
    pub(super) fn find(&self, structs: &[&str], functions: &[&str]) -> Vec<Option<TypeId>> {
        let mut found = vec![None; structs.len() + functions.len()];
        let (of_structs, of_functions) = found.split_at_mut(structs.len());
        for (index, place) in self.places.iter().enumerate() {
            let place = *place as usize;
            let (names, found) = match u32_at(self.types, place + 4).map(kind_of) {
                Some(STRUCT) => (structs, &mut *of_structs),
                Some(FUNC) => (functions, &mut *of_functions),
                _ => continue,
            };
            let name = self.name(place).unwrap_or_default();
            for (wanted, found) in names.iter().zip(found) {
                if found.is_none()
                    && name.starts_with(wanted.as_bytes())
                    && name.get(wanted.len()) == Some(&0)
                {
                    *found = u32::try_from(index + 1).ok().map(TypeId);
                }
            }
        }
        found
    }

    /// Finds a member of a structure, also inside of members without names.
    pub(super) fn member(&self, of: TypeId, name: &str) -> Option<Member> {
        self.member_within(of, name, DEEPEST)
    }

    fn member_within(&self, of: TypeId, name: &str, depth: u8) -> Option<Member> {
        let depth = depth.checked_sub(1)?;
        let place = self.place(self.plain(of)?)?;
        let info = u32_at(self.types, place + 4)?;
        if !matches!(kind_of(info), STRUCT | UNION) {
            return None;
        }
        let has_bitfields = info >> 31 == 1;
        for index in 0..(info & 0xffff) as usize {
            let place = place + TYPE + index * 12;
            let of = TypeId(u32_at(self.types, place + 4)?);
            let bits = u32_at(self.types, place + 8)?;
            let is_bitfield = has_bitfields && bits >> 24 != 0;
            let offset = if has_bitfields {
                bits & 0xff_ffff
            } else {
                bits
            } / 8;
            let known = until_nul(self.name(place)?);
            if known == name.as_bytes() && !is_bitfield {
                return Some(Member { offset, of });
            }
            if known.is_empty()
                && let Some(inner) = self.member_within(of, name, depth)
            {
                return Some(Member {
                    offset: offset.checked_add(inner.offset)?,
                    ..inner
                });
            }
        }
        None
    }

    /// Returns what a pointer points to; `None` for anything else.
    pub(super) fn pointee(&self, id: TypeId) -> Option<TypeId> {
        let (kind, to) = self.head(self.plain(id)?)?;
        (kind == PTR).then_some(TypeId(to))
    }

    /// Returns how many bytes a number, pointer or structure takes.
    pub(super) fn size(&self, id: TypeId) -> Option<u32> {
        match self.head(self.plain(id)?)? {
            (INT | STRUCT | UNION | ENUM | ENUM64, size) => Some(size),
            (PTR, _) => Some(8),
            (ARRAY, _) => {
                let place = self.place(self.plain(id)?)? + TYPE;
                let element = self.size(TypeId(u32_at(self.types, place)?))?;
                element.checked_mul(u32_at(self.types, place + 8)?)
            }
            _ => None,
        }
    }

    /// Returns the type behind the names and qualifiers of one.
    pub(super) fn plain(&self, mut id: TypeId) -> Option<TypeId> {
        for _ in 0..DEEPEST {
            match self.head(id)? {
                (TYPEDEF | VOLATILE | CONST | RESTRICT | TYPE_TAG, of) => id = TypeId(of),
                _ => return Some(id),
            }
        }
        None
    }

    /// Returns the kind of a type, and its size or what it refers to.
    fn head(&self, id: TypeId) -> Option<(u32, u32)> {
        let place = self.place(id)?;
        let info = u32_at(self.types, place + 4)?;
        Some((kind_of(info), u32_at(self.types, place + 8)?))
    }

    fn place(&self, id: TypeId) -> Option<usize> {
        let index = id.0.checked_sub(1)?;
        let place = self.places.get(index as usize)?;
        Some(*place as usize)
    }

    /// Returns the string that the type or member at a place is named by, and
    /// everything after it.
    fn name(&self, place: usize) -> Option<&'a [u8]> {
        self.strings.get(u32_at(self.types, place)? as usize..)
    }
}

const fn kind_of(info: u32) -> u32 {
    info >> 24 & 0x1f
}

/// Returns the number of bytes that follow a type; `None` for a kind that is
/// not known, after which nothing can be found.
const fn following(info: u32) -> Option<usize> {
    let each = match kind_of(info) {
        INT | VAR | DECL_TAG => return Some(4),
        ARRAY => return Some(12),
        STRUCT | UNION | DATASEC | ENUM64 => 12,
        ENUM | FUNC_PROTO => 8,
        kind if kind != 0 && kind <= TYPE_TAG => 0,
        _ => return None,
    };
    Some((info & 0xffff) as usize * each)
}

#[cfg(test)]
pub(super) mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Makes a table of these types, each of 32-bit words that begin with a
    /// name.
    pub(in crate::kernel::bpf) fn table(types: &[(&str, &[u32])]) -> Vec<u8> {
        let mut strings = vec![0];
        let mut words: Vec<u32> = Vec::new();
        for (names, rest) in types {
            let mut names = names.split(' ').map(|name| {
                if name == "-" {
                    return 0;
                }
                let place = strings.len() as u32;
                strings.extend(name.bytes().chain([0]));
                place
            });
            words.extend(names.next());
            words.extend(rest.iter().map(|word| match word {
                // The name of a member.
                &u32::MAX => names.next().unwrap(),
                word => *word,
            }));
        }
        let types: Vec<u8> = words.iter().flat_map(|word| word.to_ne_bytes()).collect();
        let header = [24, 0, types.len(), types.len(), strings.len()];
        let mut bytes = MAGIC.to_ne_bytes().to_vec();
        bytes.extend([1, 0]);
        bytes.extend(header.iter().flat_map(|word| (*word as u32).to_ne_bytes()));
        [bytes, types, strings].concat()
    }

    /// Stands for the name of a member.
    pub(in crate::kernel::bpf) const NAME: u32 = u32::MAX;

    /// Returns the beginning of a structure of so many members, of three words
    /// each.
    pub(in crate::kernel::bpf) fn structure(members: u32) -> Vec<u32> {
        vec![STRUCT << 24 | members, 64]
    }

    /// Returns a number of so many bytes.
    pub(in crate::kernel::bpf) fn numbers(size: u32) -> Vec<u32> {
        vec![INT << 24, size, 8 * size]
    }

    /// Returns a pointer to a type.
    pub(in crate::kernel::bpf) fn pointer(to: u32) -> Vec<u32> {
        vec![PTR << 24, to]
    }

    fn example() -> Vec<u8> {
        table(&[
            ("int", &[INT << 24, 4, 32]),
            // struct inner { int a; int b; }
            ("inner a b", &[STRUCT << 24 | 2, 8, NAME, 1, 0, NAME, 1, 32]),
            ("-", &[PTR << 24, 4]),
            ("-", &[CONST << 24, 2]),
            // struct outer { int x; struct { struct { int deep; }; }; int *p; }
            (
                "outer x - p",
                &[STRUCT << 24 | 3, 24, NAME, 1, 0, NAME, 7, 32, NAME, 3, 128],
            ),
            ("- deep", &[STRUCT << 24 | 1, 4, NAME, 1, 0]),
            ("- -", &[UNION << 24 | 1, 4, NAME, 6, 32]),
            ("call", &[FUNC << 24, 0]),
            ("-", &[ARRAY << 24, 0, 1, 1, 16]),
            // struct bits { int flag:1; int y; }
            (
                "bits flag y",
                &[1 << 31 | STRUCT << 24 | 2, 8, NAME, 1, 1 << 24, NAME, 1, 32],
            ),
        ])
    }

    #[test]
    fn members_are_found_by_name_at_any_depth() {
        let bytes = example();
        let btf = Btf::parse(&bytes).unwrap();
        let found = btf.find(&["inner", "outer", "bits"], &["call"]);
        let [inner, outer, bits, call] = [0, 1, 2, 3].map(|index| found[index].unwrap());
        assert_eq!((inner, outer), (TypeId(2), TypeId(5)));
        assert_eq!(call, TypeId(8));
        let offset = |of, name| btf.member(of, name).map(|member| member.offset);
        assert_eq!(offset(inner, "b"), Some(4));
        assert_eq!(offset(outer, "deep"), Some(8));
        assert_eq!(offset(bits, "y"), Some(4));
        assert_eq!(offset(bits, "flag"), None);
        assert_eq!(offset(inner, "c"), None);
        let pointer = btf.member(outer, "p").unwrap().of;
        let to = btf.pointee(pointer).unwrap();
        assert_eq!(btf.plain(to), Some(inner));
        let size = |id| btf.size(TypeId(id));
        assert_eq!((size(1), size(3), size(9)), (Some(4), Some(8), Some(64)));
        assert_eq!((size(8), size(0), size(99)), (None, None, None));
    }

    #[test]
    fn what_is_missing_is_not_found() {
        let bytes = example();
        let btf = Btf::parse(&bytes).unwrap();
        assert_eq!(btf.find(&["absent", "inne"], &["inner"]), [None; 3]);
        assert_eq!(btf.member(TypeId(1), "a"), None);
        assert_eq!(btf.member(TypeId(0), "a"), None);
        assert_eq!(btf.pointee(TypeId(1)), None);
    }

    #[test]
    fn types_that_refer_to_themselves_end() {
        let bytes = table(&[
            ("loop", &[TYPEDEF << 24, 1]),
            ("nest -", &[STRUCT << 24 | 1, 8, NAME, 2, 0]),
            ("-", &[ARRAY << 24, 0, 3, 1, 2]),
        ]);
        let btf = Btf::parse(&bytes).unwrap();
        assert_eq!(btf.plain(TypeId(1)), None);
        assert_eq!(btf.size(TypeId(1)), None);
        assert_eq!(btf.member(TypeId(2), "a"), None);
    }

    #[test]
    fn a_table_that_is_cut_or_foreign_is_malformed() {
        let bytes = example();
        for length in [0, 1, 2, 7, 23, 24, 40, bytes.len() - 1] {
            assert!(Btf::parse(&bytes[..length]).is_none(), "{length}");
        }
        let mut swapped = bytes.clone();
        swapped[..2].reverse();
        assert!(Btf::parse(&swapped).is_none());
        assert!(Btf::parse(&table(&[("future", &[31 << 24, 0])])).is_none());
        assert!(Btf::parse(&table(&[("cut", &[STRUCT << 24 | 9, 0])])).is_none());
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(noise: Vec<u8>, place in 0usize..400, value: u8) {
            let mut bytes = example();
            if let Some(byte) = bytes.get_mut(place) {
                *byte = value;
            }
            for bytes in [bytes, noise] {
                let Some(btf) = Btf::parse(&bytes) else { continue };
                let _ = btf.find(&["inner", "outer"], &["call"]);
                for id in (0..12).map(TypeId) {
                    let _ = (btf.member(id, "deep"), btf.size(id), btf.pointee(id));
                }
            }
        }
    }
}
