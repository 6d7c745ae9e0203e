//! The kernel's list of all active namespaces, listns(2), since Linux 6.19.

use rustix::io::Errno;

use crate::error::Error;
use crate::kernel::{Kernel, OpenError};
use crate::model::{Cause, Holder, Source};
use crate::scan::context::{Context, cause_of_open};
use crate::scan::groups::Find;

/// Finds every namespace in the kernel's list; `None` if it has none for the
/// caller.
pub(crate) fn find<K: Kernel>(
    context: &Context<K>,
    kernel: &K,
) -> Result<Option<Vec<Find>>, Error> {
    let listed = match kernel.list() {
        Ok(listed) => listed,
        Err(errno) => {
            refuse(context, errno.into(), Source::Listns)?;
            return Ok(None);
        }
    };
    let mut finds = Vec::new();
    for unique_id in listed {
        match kernel.identify_listed(unique_id) {
            Ok(Some(id)) => finds.push((id, Holder::Listed { unique_id })),
            Ok(None) => {}
            Err(errno) => refuse(context, errno.into(), Source::Listns)?,
        }
    }
    Ok(Some(finds))
}

/// Counts that one of the kernel's lists could not be read. A kernel that lacks
/// the list hides nothing; one that refuses does, unless it shows such lists in
/// the initial namespaces only and the caller is elsewhere.
pub(super) fn refuse<K>(
    context: &Context<K>,
    error: OpenError,
    source: Source,
) -> Result<(), Error> {
    let cause = match error {
        OpenError::Errno(Errno::NOTTY | Errno::NOSYS | Errno::INVAL) => Cause::Unsupported,
        OpenError::Errno(Errno::PERM) if !context.root.is_initial() => Cause::Outside,
        error => cause_of_open(error, || source.name().into())?,
    };
    context.miss(source, cause);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::Fake;
    use crate::model::{Kind, NsId};
    use crate::proc::Sysroot;
    use crate::scan::context::tests::{one, with_kernel};
    use crate::scan::sources::mount_namespaces;

    #[test]
    fn the_list_has_every_namespace_and_a_kernel_without_one_is_a_gap() {
        let id = |kind, ino| NsId { ino, kind };
        let kernel = Fake {
            listed: Some([(70, id(Kind::Uts, 7)), (80, id(Kind::Ipc, 8))].into()),
            ..Fake::default()
        };
        let listed = |unique_id| Holder::Listed { unique_id };
        let root = Sysroot::at("/nonexistent");
        let context = with_kernel(&root, Fake::default());
        assert_eq!(
            find(&context, &kernel).unwrap(),
            Some(vec![
                (id(Kind::Uts, 7), listed(70)),
                (id(Kind::Ipc, 8), listed(80))
            ])
        );
        let old = Fake::default();
        assert_eq!(find(&context, &old).unwrap(), None);
        let found = mount_namespaces::find(&context, &old, &[].into());
        assert_eq!(found.unwrap(), []);
        assert_eq!(
            context.gaps(9),
            [Source::MountNamespaces, Source::Listns].map(|source| one(source, Cause::Unsupported))
        );
    }
}
