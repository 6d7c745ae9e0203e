//! Open files that are namespaces although their paths do not show it: files
//! opened through a bind mount of a namespace.

use std::collections::HashSet;

use crate::error::Error;
use crate::kernel::{Kernel, OpenError};
use crate::model::{Holder, OpenFile, Source};
use crate::proc::PathHash;
use crate::scan::context::{Context, cause_of_open};
use crate::scan::groups::Find;
use crate::scan::parallel;

/// Finds the files that are namespaces behind a bind mount, by the paths of all
/// such mounts. The kernel shows `/` once the mount is gone.
pub(crate) fn find_behind_mounts<K: Kernel>(
    context: &Context<'_, K>,
    kernel: &K,
    files: &[(OpenFile, PathHash)],
    paths: &HashSet<PathHash>,
) -> Result<Vec<Find>, Error> {
    let candidates: Vec<OpenFile> = files
        .iter()
        .filter(|(_, path)| paths.contains(path))
        .map(|(file, _)| *file)
        .collect();
    let found = parallel::map(&candidates, context.threads, |file| {
        let path = context.root.open_file_path(file);
        match kernel.look_at(&path) {
            Ok(id) => Ok(id.map(|id| (id, Holder::Fd(*file)))),
            Err(OpenError::Gone) => Ok(None),
            Err(error) => {
                context.miss(Source::Fds, cause_of_open(error, || path)?);
                Ok(None)
            }
        }
    })?;
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
    fn only_files_with_the_path_of_a_mounted_namespace_are_looked_at() {
        let net = |ino| NsId {
            ino,
            kind: Kind::Net,
        };
        let kernel = Fake {
            paths: [
                ("/proc/5/fd/3".to_owned(), net(1)),
                ("/proc/5/fd/4".to_owned(), net(2)),
                ("/proc/5/fd/5".to_owned(), net(3)),
            ]
            .into(),
            ..Fake::default()
        };
        let file = |fd| OpenFile {
            pid: 5,
            tid: None,
            fd,
        };
        let files = [(3, "/run/netns/a"), (4, "/etc/passwd"), (5, "/"), (6, "/")]
            .map(|(fd, path)| (file(fd), PathHash::of(path.as_bytes())));
        let paths = ["/", "/run/netns/a"].map(|path| PathHash::of(path.as_bytes()));
        let root = Sysroot::live();
        let context = with_kernel(&root, Fake::default());
        let found = find_behind_mounts(&context, &kernel, &files, &paths.into());
        let fd = |ino, fd| (net(ino), Holder::Fd(file(fd)));
        assert_eq!(found.unwrap(), [fd(1, 3), fd(3, 5)]);
        assert_eq!(context.gaps(9), []);
    }
}
