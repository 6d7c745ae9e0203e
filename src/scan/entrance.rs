use crate::error::Error;
use crate::kernel::{Kernel, NsFile, OpenError};
use crate::model::{Cause, Holder, NsId};
use crate::scan::Scanner;
use crate::scan::context::cause_of_open;
use crate::scan::sources::relations::open;

/// A way into a namespace.
#[derive(Debug)]
pub(crate) enum Entrance {
    /// This process is in it.
    Here,
    /// It is open.
    Open(NsFile),
    /// It cannot be opened.
    Closed(Cause),
}

impl Scanner {
    /// Opens a namespace through the first of some holders that leads to it.
    pub(crate) fn open(&self, id: NsId, holders: Vec<Holder>) -> Result<Entrance, Error> {
        let opened = self
            .context()
            .ask((id, holders), |context, (id, holders)| {
                let Some(kernel) = &context.kernel else {
                    return Ok(Entrance::Closed(Cause::Unsupported));
                };
                if kernel.is_own(*id) {
                    return Ok(Entrance::Here);
                }
                let mut closed = OpenError::Unreachable;
                for holder in holders {
                    match open(context, &**kernel, holder, *id) {
                        // What led there may have come to mean another.
                        Ok(ns) if kernel.id(&ns) == Ok(*id) => return Ok(Entrance::Open(ns)),
                        Ok(_) => closed = OpenError::Moved,
                        Err(error) => closed = error,
                    }
                }
                let cause = cause_of_open(closed, || id.to_string().into())?;
                Ok(Entrance::Closed(cause))
            })?;
        Ok(opened.unwrap_or(Entrance::Closed(Cause::Blocked)))
    }
}
