//! Writes files and links, and the directories they are in.

use std::fs;
use std::io;
use std::os::unix::fs::symlink;
use std::path::Path;

use crate::cli::error::CliError;
use crate::model::NsId;

/// Makes a directory. Fails if there is one that is not empty.
pub(super) fn make_empty_dir(path: &Path) -> Result<(), CliError> {
    make_dir(path)?;
    let mut entries = fs::read_dir(path).map_err(|error| failed(path, error))?;
    match entries.next() {
        None => Ok(()),
        Some(_) => Err(CliError::NotEmpty(path.to_owned())),
    }
}

/// Makes a directory and all above it.
pub(super) fn make_dir(path: &Path) -> Result<(), CliError> {
    fs::create_dir_all(path).map_err(|error| failed(path, error))
}

/// Writes a file.
pub(super) fn write(path: &Path, bytes: &[u8]) -> Result<(), CliError> {
    path.parent().map_or(Ok(()), make_dir)?;
    fs::write(path, bytes).map_err(|error| failed(path, error))
}

/// Makes a link that reads as the kernel's to a namespace.
pub(super) fn write_link(path: &Path, id: NsId) -> Result<(), CliError> {
    path.parent().map_or(Ok(()), make_dir)?;
    symlink(id.to_string(), path).map_err(|error| failed(path, error))
}

fn failed(path: &Path, source: io::Error) -> CliError {
    let path = path.to_owned();
    CliError::Write { path, source }
}
