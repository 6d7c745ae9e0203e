//! Open tun and tap files, each of which keeps the net namespace it was opened
//! in, wherever its device is.

use std::sync::Arc;

use crate::error::Error;
use crate::kernel::Kernel;
use crate::model::{Holder, OpenFile, Source};
use crate::scan::context::Context;
use crate::scan::groups::Find;
use crate::scan::sources::sockets::ask_devices;

/// Finds the net namespaces of tun files.
pub(crate) fn find<K: Kernel>(
    context: &Context<K>,
    kernel: &Arc<K>,
    tuns: &[OpenFile],
) -> Result<Vec<Find>, Error> {
    let asked = ask_devices(context, kernel, tuns, Source::Tuns)?;
    let found = tuns.iter().zip(asked);
    Ok(found
        .filter_map(|(file, id)| Some((id?, Holder::Tun(*file))))
        .collect())
}
