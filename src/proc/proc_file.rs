use crate::proc::read::Limit;

/// A file below `/proc/PID` that is read as a whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ProcFile {
    Stat,
    Status,
    Cmdline,
    Cgroup,
    UidMap,
    GidMap,
    TimensOffsets,
}

impl ProcFile {
    /// The name of the file.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            ProcFile::Stat => "stat",
            ProcFile::Status => "status",
            ProcFile::Cmdline => "cmdline",
            ProcFile::Cgroup => "cgroup",
            ProcFile::UidMap => "uid_map",
            ProcFile::GidMap => "gid_map",
            ProcFile::TimensOffsets => "timens_offsets",
        }
    }

    /// How long it may be.
    pub(crate) const fn limit(self) -> Limit {
        match self {
            ProcFile::Cmdline => Limit::Cmdline,
            ProcFile::Status | ProcFile::Cgroup => Limit::Long,
            ProcFile::Stat | ProcFile::UidMap | ProcFile::GidMap | ProcFile::TimensOffsets => {
                Limit::Small
            }
        }
    }
}
