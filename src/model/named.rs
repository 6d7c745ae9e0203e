use std::fmt;

/// A word that names no value of the type it was parsed as.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct UnknownName;

impl fmt::Display for UnknownName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("unknown name")
    }
}

impl std::error::Error for UnknownName {}

/// Declares an enum whose values have one name each, the same on the command
/// line, in JSON and in the kernel where it has one. Values are ordered as
/// they are declared.
macro_rules! named {
    (
        $(#[$meta:meta])*
        pub enum $Name:ident {
            $($(#[$doc:meta])* $Variant:ident = $word:literal,)+
        }
    ) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[non_exhaustive]
        pub enum $Name {
            $($(#[$doc])* $Variant,)+
        }

        impl $Name {
            /// Returns its name.
            pub const fn name(self) -> &'static str {
                match self {
                    $($Name::$Variant => $word,)+
                }
            }
        }

        impl $crate::model::Member for $Name {
            const ALL: &'static [Self] = &[$($Name::$Variant,)+];

            fn index(self) -> usize {
                self as usize
            }
        }

        impl std::fmt::Display for $Name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.pad(self.name())
            }
        }

        impl std::str::FromStr for $Name {
            type Err = $crate::model::UnknownName;

            fn from_str(name: &str) -> Result<Self, Self::Err> {
                match name {
                    $($word => Ok($Name::$Variant),)+
                    _ => Err($crate::model::UnknownName),
                }
            }
        }

        impl serde::Serialize for $Name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.name())
            }
        }
    };
}

pub(crate) use named;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Engine, Kind, Link, Member, Source};

    fn round_trips<T>()
    where
        T: Member + PartialEq + fmt::Debug + fmt::Display,
        T: std::str::FromStr<Err = UnknownName>,
    {
        for (index, value) in T::ALL.iter().enumerate() {
            assert_eq!(value.index(), index);
            assert_eq!(value.to_string().parse(), Ok(*value));
            assert_eq!(
                value.to_string().to_uppercase().parse::<T>(),
                Err(UnknownName)
            );
        }
        assert_eq!("".parse::<T>(), Err(UnknownName));
    }

    #[test]
    fn every_value_has_its_index_and_parses_from_its_name_alone() {
        round_trips::<Kind>();
        round_trips::<Link>();
        round_trips::<Source>();
        round_trips::<Engine>();
    }
}
