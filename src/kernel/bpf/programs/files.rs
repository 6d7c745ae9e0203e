//! The program that tells of open files.

use crate::kernel::bpf::btf::Btf;
use crate::kernel::bpf::instructions::{Assembler, Jump, Pointer, R7, R8};
use crate::kernel::bpf::programs::{
    CONTEXT_FD, CONTEXT_FILE, CONTEXT_TASK, Carrier, FileType, Iterate, PID, Seen, TID, TaskFile,
    Types, put_ids, some_id,
};
use crate::kernel::bytes::{u32_at, u64_at, until_nul};
use crate::model::{Kind, NsId};

/// The open files of all tasks, except of those that share the table of the
/// first thread of their process.
pub(in crate::kernel::bpf) struct Files;

impl Files {
    pub(in crate::kernel::bpf) const FD: i16 = 32;
    pub(in crate::kernel::bpf) const WHAT: i16 = 36;
    pub(in crate::kernel::bpf) const INO: i16 = 40;
    /// The name of the type of a namespace, of 8 bytes, or the inode number of a
    /// socket.
    pub(in crate::kernel::bpf) const NAME: i16 = 48;
    pub(in crate::kernel::bpf) const TABLE: i16 = 56;
    /// The number of a namespace that is never given to another.
    pub(in crate::kernel::bpf) const UNIQUE_ID: i16 = 64;

    pub(super) const NAMESPACE: i32 = 1;
    pub(in crate::kernel::bpf) const SOCKET: i32 = 2;
    pub(super) const TUN: i32 = 3;
    /// A unix socket with messages, which holds a namespace as every socket.
    pub(super) const FULL_SOCKET: i32 = 4;
    /// An io_uring, which holds none.
    pub(super) const RING: i32 = 5;

    /// Puts what a file in [`R7`] is, by way of [`R8`], and calls `carries` with a
    /// socket (`struct sock`) that has messages, or with an io_uring
    /// (`struct io_ring_ctx`), in [`R8`]. Jumps for a file that holds nothing, and
    /// for an io_uring.
    pub(in crate::kernel::bpf) fn put_file<'a>(
        c: &mut Assembler<'a>,
        types: &Types,
        file: Pointer,
        mut carries: impl FnMut(&mut Assembler<'a>, Carrier, Pointer) -> Option<()>,
    ) -> Option<(Vec<Jump>, Jump)> {
        let inode = c.follow(R8, file, "f_inode")?;

        let not_nsfs = c.unless_equal(inode, "i_sb->s_magic", NSFS_MAGIC)?;
        let ns = c.cast(R8, inode, "i_private", types.ns_common)?;
        c.put_number(Self::WHAT, Self::NAMESPACE);
        c.put(Self::INO, ns, "inum")?;
        c.copy_from(Self::NAME, 8, ns, "ops->name")?;
        Self::put_unique_id(c, ns, "ns_id");
        let from_namespace = c.go();

        c.land(not_nsfs);
        let not_sockfs = c.unless_equal(inode, "i_sb->s_magic", SOCKFS_MAGIC)?;
        c.put(Self::NAME, inode, "i_ino")?;
        let socket = c.cast(R8, file, "private_data", types.socket)?;
        c.put_number(Self::WHAT, Self::SOCKET);
        let sock = c.follow(R8, socket, "sk")?;
        Self::put_net(c, sock)?;
        let not_unix = c.unless_equal(sock, "__sk_common.skc_family", AF_UNIX)?;
        let has_messages = c.unless_equal(sock, "sk_receive_queue.qlen", 0)?;
        let from_empty = c.go();
        c.land(has_messages);
        carries(c, Carrier::Socket, sock)?;
        let from_full = c.go();

        c.land(not_sockfs);
        let not_anonymous = c.unless_equal(inode, "i_sb->s_magic", ANON_INODE_FS_MAGIC)?;
        c.copy_from(Self::NAME, 8, file, "f_path.dentry->d_name.name")?;
        let not_ring = c.unless_wide(Self::NAME, u64::from_ne_bytes(RING_NAME));
        if let Some(context) = types.io_ring_ctx {
            let ring = c.cast(R8, file, "private_data", context)?;
            carries(c, Carrier::Ring, ring)?;
        }
        let from_ring = c.go();

        c.land(not_anonymous);
        let not_a_device = c.unless_masked(inode, "i_mode", S_IFMT, S_IFCHR)?;
        let not_tun = c.unless_equal(inode, "i_rdev", TUN_DEVICE)?;
        // It begins with its socket.
        let sock = c.cast(R8, file, "private_data", types.sock)?;
        c.put_number(Self::WHAT, Self::TUN);
        Self::put_net(c, sock)?;

        c.land_all([from_namespace, not_unix, from_empty, from_full]);
        Some((vec![not_ring, not_a_device, not_tun], from_ring))
    }

    /// Puts the net namespace of a socket.
    pub(in crate::kernel::bpf) fn put_net(c: &mut Assembler<'_>, sock: Pointer) -> Option<()> {
        c.put(Self::INO, sock, "__sk_common.skc_net.net->ns.inum")?;
        Self::put_unique_id(c, sock, "__sk_common.skc_net.net->ns.ns_id");
        Some(())
    }

    /// Puts the number of a namespace, which only a record of what is carried has
    /// a place for.
    fn put_unique_id(c: &mut Assembler<'_>, base: Pointer, path: &str) {
        if c.has_place(Self::UNIQUE_ID) {
            // The field is younger, so that it may be missing.
            let _ = c.put(Self::UNIQUE_ID, base, path);
        }
    }

    /// Parses what [`put_file`](Self::put_file) has put; `None` if it holds no
    /// namespace.
    pub(in crate::kernel::bpf) fn parse_file(record: &[u8]) -> Option<TaskFile> {
        let number = |place: i16| u32_at(record, place as usize);
        let (what, kind) = match number(Self::WHAT)?.cast_signed() {
            Self::NAMESPACE => {
                let name = record.get(Self::NAME as usize..)?.get(..8)?;
                let name = std::str::from_utf8(until_nul(name)).ok()?;
                (FileType::Namespace, name.parse().ok()?)
            }
            Self::SOCKET | Self::FULL_SOCKET => (FileType::Socket, Kind::Net),
            Self::TUN => (FileType::Tun, Kind::Net),
            _ => return None,
        };
        let ino = number(Self::INO).filter(|ino| *ino != 0)?.into();
        Some(TaskFile {
            pid: some_id(record, PID)?,
            tid: some_id(record, TID)?,
            fd: number(Self::FD)?,
            table: u64_at(record, Self::TABLE as usize)?,
            ns: NsId { ino, kind },
            what,
            ino: match what {
                FileType::Socket => u64_at(record, Self::NAME as usize)?,
                FileType::Namespace | FileType::Tun => 0,
            },
            carrier: None,
            unique_id: None,
        })
    }
}

// libc has these as numbers of other types.
const S_IFMT: i32 = 0o170_000;
const S_IFCHR: i32 = 0o020_000;
// linux/magic.h
const NSFS_MAGIC: i32 = 0x6e73_6673;
const SOCKFS_MAGIC: i32 = 0x534f_434b;
const ANON_INODE_FS_MAGIC: i32 = 0x0904_1934;
/// `[io_uring]`, as far as it is compared: nothing else there begins like this.
const RING_NAME: [u8; 8] = *b"[io_urin";
const AF_UNIX: i32 = 1;
/// `/dev/net/tun`, as the kernel keeps it: MKDEV(10, 200).
const TUN_DEVICE: i32 = 10 << 20 | 200;

impl Iterate for Files {
    const SIZE: i16 = 64;
    type Item = Seen;

    fn program(btf: &Btf<'_>, types: &Types) -> Option<Vec<u8>> {
        let mut c = Assembler::new(btf, types.cast, Self::SIZE);
        let file = c.argument(R7, CONTEXT_FILE, types.file);
        let (neither, from_ring) = Self::put_file(&mut c, types, file, |c, carrier, _| {
            let what = match carrier {
                Carrier::Socket => Self::FULL_SOCKET,
                Carrier::Ring => Self::RING,
            };
            c.put_number(Self::WHAT, what);
            Some(())
        })?;
        let from_file = c.go();
        c.land_all(neither);
        c.exit();
        c.land_all([from_file, from_ring]);
        let task = c.argument(R7, CONTEXT_TASK, types.task);
        c.put(Self::TABLE, task, "files")?;
        c.put_argument(Self::FD, CONTEXT_FD);
        put_ids(&mut c, task)?;
        c.write()
    }

    fn parse(record: &[u8]) -> Option<Seen> {
        let what = u32_at(record, Self::WHAT as usize)?.cast_signed();
        let carries = matches!(what, Self::FULL_SOCKET | Self::RING);
        let pid = some_id(record, PID)?;
        let file = Self::parse_file(record);
        (carries || file.is_some()).then_some(Seen {
            file,
            carries: carries.then_some(pid),
        })
    }
}
