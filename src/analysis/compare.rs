use crate::model::{Kind, Links, Member, NsId};

/// The namespaces of one type that several processes are in.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Comparison {
    /// The type.
    pub kind: Kind,
    /// The namespace of each process, in the order given; `None` if it is
    /// unknown or the process has none, as a zombie.
    pub namespaces: Vec<Option<NsId>>,
}

impl Comparison {
    /// Returns whether all processes are known to share one namespace.
    pub fn is_shared(&self) -> bool {
        let mut namespaces = self.namespaces.iter();
        let first = namespaces.next().copied().flatten();
        first.is_some() && namespaces.all(|other| *other == first)
    }
}

/// Compares the namespaces of processes, type by type. Leaves out types of
/// which no process has a namespace.
///
/// ```no_run
/// # fn main() -> Result<(), nsls::Error> {
/// use nsls::{Scanner, Sysroot, analysis};
///
/// let scanner = Scanner::new(Sysroot::live());
/// for compared in analysis::compare([&scanner.links_of(1)?, &scanner.links_of(4242)?]) {
///     println!("{} {}", compared.kind, compared.is_shared());
/// }
/// # Ok(())
/// # }
/// ```
pub fn compare<'a>(processes: impl IntoIterator<Item = &'a Links>) -> Vec<Comparison> {
    let processes: Vec<&Links> = processes.into_iter().collect();
    Kind::ALL
        .iter()
        .map(|&kind| Comparison {
            kind,
            namespaces: processes.iter().map(|links| links.own(kind)).collect(),
        })
        .filter(|compared| compared.namespaces.iter().any(Option::is_some))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Link;

    fn links(all: &[(Link, u64)]) -> Links {
        let mut links = Links::default();
        for (link, ino) in all {
            links.set(*link, *ino);
        }
        links
    }

    #[test]
    fn a_type_is_shared_if_all_are_in_one_namespace_and_absent_if_none_is_in_any() {
        let processes = [
            links(&[(Link::Net, 1), (Link::Uts, 3), (Link::User, 5)]),
            links(&[(Link::Net, 1), (Link::Uts, 4), (Link::TimeForChildren, 6)]),
        ];
        let compared: Vec<_> = compare(&processes)
            .into_iter()
            .map(|one| {
                let numbers: Vec<_> = one
                    .namespaces
                    .iter()
                    .map(|id| id.map(|id| id.ino))
                    .collect();
                (one.kind, numbers, one.is_shared())
            })
            .collect();
        assert_eq!(
            compared,
            [
                (Kind::Net, vec![Some(1), Some(1)], true),
                (Kind::User, vec![Some(5), None], false),
                (Kind::Uts, vec![Some(3), Some(4)], false),
            ]
        );
    }

    #[test]
    fn unknown_namespaces_are_never_shared() {
        let namespaces = vec![None, None];
        let kind = Kind::Net;
        assert!(!Comparison { kind, namespaces }.is_shared());
        assert_eq!(compare(&[Links::default(), Links::default()]), []);
        assert_eq!(compare([]), []);
    }
}
