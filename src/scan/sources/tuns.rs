//! Open tun and tap files, each of which keeps the net namespace it was opened
//! in, wherever its device is.

use std::collections::{HashMap, HashSet};

use crate::error::Error;
use crate::kernel::{Kernel, OpenError};
use crate::model::{Fd, Holder, OpenFile, Pid, Source};
use crate::proc::PathHash;
use crate::scan::context::{Context, cause_of_open};
use crate::scan::groups::Find;
use crate::scan::parallel;
use crate::scan::sources::sockets::ask_devices;

/// Finds the net namespaces of the tun files among open files. Their paths may
/// be any, so all paths are looked at, unless no tun file is open at all.
///
/// A look costs several times what reading the link of a file does. A driver
/// that is a module counts its open files; for one that is built into the
/// kernel, of the files with one path in one mount namespace, `mount_ns`, the
/// first and the last are looked at, and the others only if one of those is a
/// tun file.
pub(crate) fn find<K: Kernel>(
    context: &Context<'_, K>,
    kernel: &K,
    files: &[(OpenFile, PathHash)],
    mount_ns: impl Fn(Pid) -> Option<u64>,
) -> Result<Vec<Find>, Error> {
    if files.is_empty() || !kernel.may_have_tuns() {
        return Ok(Vec::new());
    }
    let mut by_path: HashMap<(Option<u64>, PathHash), Vec<OpenFile>> = HashMap::new();
    for (file, path) in files {
        let key = (mount_ns(file.pid), *path);
        by_path.entry(key).or_default().push(*file);
    }
    let samples = by_path
        .values()
        .flat_map(|files| files.first().into_iter().chain(files.last()));
    let found = tuns_among(context, kernel, samples.copied().collect())?;
    let found: HashSet<OpenFile> = found.into_iter().collect();
    let suspects = by_path
        .into_values()
        .filter(|files| files.iter().any(|file| found.contains(file)))
        .flatten();
    let tuns = tuns_among(context, kernel, suspects.collect())?;
    let asked = ask_devices(context, kernel, &tuns, Source::Tuns)?;
    Ok(tuns
        .iter()
        .zip(asked)
        .filter_map(|(file, id)| Some((id?, Holder::Tun(*file))))
        .collect())
}

/// Returns which of some files are tun files.
fn tuns_among<K: Kernel>(
    context: &Context<'_, K>,
    kernel: &K,
    mut files: Vec<OpenFile>,
) -> Result<Vec<OpenFile>, Error> {
    files.sort_unstable();
    files.dedup();
    let processes: Vec<&[OpenFile]> = files
        .chunk_by(|one, next| (one.pid, one.tid) == (next.pid, next.tid))
        .collect();
    let tuns = parallel::map(&processes, context.threads, |files| {
        find_in_process(context, kernel, files)
    })?;
    Ok(tuns.into_iter().flatten().collect())
}

/// Finds the tun files among files of one process or thread.
fn find_in_process<K: Kernel>(
    context: &Context<'_, K>,
    kernel: &K,
    files: &[OpenFile],
) -> Result<Vec<OpenFile>, Error> {
    let Some(OpenFile { pid, tid, .. }) = files.first() else {
        return Ok(Vec::new());
    };
    let fdinfo = context.root.process_path(*pid).join(match tid {
        None => "fdinfo".to_owned(),
        Some(tid) => format!("task/{tid}/fdinfo"),
    });
    let fds: Vec<Fd> = files.iter().map(|file| file.fd).collect();
    let (pid, tid) = (*pid, *tid);
    match kernel.tuns_among(&fdinfo, &fds) {
        Ok(tuns) => Ok(tuns
            .into_iter()
            .map(|fd| OpenFile { pid, tid, fd })
            .collect()),
        Err(OpenError::Gone) => Ok(Vec::new()),
        Err(error) => {
            context.miss(Source::Tuns, cause_of_open(error, || fdinfo)?);
            Ok(Vec::new())
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
                ("/proc/5/fdinfo".to_owned(), vec![3]),
                ("/proc/5/task/6/fdinfo".to_owned(), vec![3]),
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
        let found = find(&context, &kernel, &files.map(|file| (file, path)), |_| None).unwrap();
        let first = (net(1), Holder::Tun(file(None, 3)));
        let second = (net(3), Holder::Tun(file(Some(6), 3)));
        assert_eq!(found, [first, second]);
        assert_eq!(context.gaps(9), []);
    }
}
