//! Open tun and tap files, each of which keeps the net namespace it was opened
//! in, wherever its device is.

use crate::error::Error;
use crate::kernel::{Kernel, OpenError};
use crate::model::{Holder, OpenFile, Source};
use crate::proc::PathHash;
use crate::scan::context::{Context, cause_of_open};
use crate::scan::groups::Find;
use crate::scan::parallel;
use crate::scan::sources::sockets::ask_devices;

/// Finds the net namespaces of the tun files among open files. Their paths may
/// be any, so all files are looked at, unless the kernel has no tun file open.
pub(crate) fn find<K: Kernel>(
    context: &Context<'_, K>,
    kernel: &K,
    files: &[(OpenFile, PathHash)],
) -> Result<Vec<Find>, Error> {
    if files.is_empty() || !kernel.may_have_tuns() {
        return Ok(Vec::new());
    }
    let are_tuns = parallel::map(files, context.threads, |(file, _)| {
        is_tun(context, kernel, file)
    })?;
    let tuns: Vec<OpenFile> = files
        .iter()
        .zip(are_tuns)
        .filter(|(_, is_tun)| *is_tun)
        .map(|((file, _), _)| *file)
        .collect();
    let asked = ask_devices(context, kernel, &tuns, Source::Tuns)?;
    Ok(tuns
        .iter()
        .zip(asked)
        .filter_map(|(file, id)| Some((id?, Holder::Tun(*file))))
        .collect())
}

fn is_tun<K: Kernel>(context: &Context<'_, K>, kernel: &K, file: &OpenFile) -> Result<bool, Error> {
    let OpenFile { pid, tid, fd } = file;
    let path = context.root.process_path(*pid).join(match tid {
        None => format!("fdinfo/{fd}"),
        Some(tid) => format!("task/{tid}/fdinfo/{fd}"),
    });
    match kernel.is_tun(&path) {
        Ok(is_tun) => Ok(is_tun),
        Err(OpenError::Gone) => Ok(false),
        Err(error) => {
            context.miss(Source::Tuns, cause_of_open(error, || path)?);
            Ok(false)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::Fake;
    use crate::model::{Kind, NsId};
    use crate::proc::Sysroot;
    use crate::scan::context::tests::with_kernel;

    #[test]
    fn a_tun_file_is_found_under_any_path_and_other_files_are_not_asked() {
        let net = |ino| NsId {
            ino,
            kind: Kind::Net,
        };
        let kernel = Fake {
            tuns: [
                ("/proc/5/fdinfo/3".to_owned(), true),
                ("/proc/5/fdinfo/4".to_owned(), false),
                ("/proc/5/task/6/fdinfo/3".to_owned(), true),
            ]
            .into(),
            sockets: [((5, 3), net(1)), ((5, 4), net(2)), ((6, 3), net(3))].into(),
            ..Fake::default()
        };
        let file = |tid, fd| OpenFile { pid: 5, tid, fd };
        let files = [
            file(None, 3),
            file(None, 4),
            file(None, 5),
            file(Some(6), 3),
        ];
        let path = PathHash::of(b"/tmp/x");
        let root = Sysroot::live();
        let context = with_kernel(&root, Fake::default());
        let found = find(&context, &kernel, &files.map(|file| (file, path))).unwrap();
        let first = (net(1), Holder::Tun(file(None, 3)));
        let second = (net(3), Holder::Tun(file(Some(6), 3)));
        assert_eq!(found, [first, second]);
        assert_eq!(context.gaps(9), []);
    }
}
