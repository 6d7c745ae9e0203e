//! Open files that are namespaces although their links do not name them: files
//! opened by the path of a bind mount.

use std::sync::Arc;

use crate::error::Error;
use crate::kernel::{Kernel, OpenError};
use crate::model::{Holder, OpenFile, Source};
use crate::scan::context::{Context, cause_of_open};
use crate::scan::groups::Find;

/// Finds out which namespaces some open files are.
pub(crate) fn identify<K: Kernel>(
    context: &Context<K>,
    kernel: &Arc<K>,
    files: &[OpenFile],
) -> Result<Vec<Find>, Error> {
    let kernel = Arc::clone(kernel);
    let found = context.map_counting(
        Source::Fds,
        "files",
        files.to_vec(),
        move |context, file| {
            let path = context.root.open_file_path(file);
            match kernel.look_at(&path) {
                Ok(id) => Ok(id.map(|id| (id, Holder::Fd(*file)))),
                Err(OpenError::Gone) => Ok(None),
                Err(error) => {
                    context.miss(Source::Fds, cause_of_open(error, || path)?);
                    Ok(None)
                }
            }
        },
    )?;
    Ok(found.into_iter().flatten().collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::Fake;
    use crate::model::{Kind, NsId};
    use crate::proc::Sysroot;
    use crate::scan::context::tests::with_kernel;

    #[test]
    fn a_file_is_the_namespace_it_leads_to_and_nothing_if_it_was_exchanged() {
        let net = |ino| NsId {
            ino,
            kind: Kind::Net,
        };
        let kernel = Arc::new(Fake {
            paths: [("/proc/5/fd/3".to_owned(), net(1))].into(),
            ..Fake::default()
        });
        let file = |fd| OpenFile {
            pid: 5,
            tid: None,
            fd,
        };
        let root = Sysroot::live();
        let context = with_kernel(&root, Fake::default());
        let found = identify(&context, &kernel, &[file(3), file(4)]).unwrap();
        assert_eq!(found, [(net(1), Holder::Fd(file(3)))]);
        assert_eq!(context.gaps(9), []);
    }
}
