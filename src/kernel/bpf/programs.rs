//! What the iterators tell, and the programs that tell it. Each line of a
//! program is one of C, which stands in the names of the fields.

use crate::kernel::bpf::btf::{Btf, TypeId};
use crate::kernel::bpf::instructions::{Assembler, Jump, Pointer, R7, R8, R9};
use crate::kernel::bytes::{u32_at, u64_at, until_nul};
use crate::kernel::nsfs::flag_of_kind;
use crate::model::{Cause, Fd, HiddenProcess, Kind, Link, Links, Member, NsId, Pid, Tid};

/// A task, which is a thread: the first of a process has its PID.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Task {
    pub(crate) pid: Pid,
    pub(crate) tid: Tid,
    /// Without those that it has left. A `pid_for_children` need not have a
    /// process yet.
    pub(crate) links: Links,
    /// Whether it moved meanwhile, so that the links may be neither the old nor
    /// the new ones.
    pub(crate) has_moved: bool,
    /// The number of its `pid_for_children` that is never given to another
    /// namespace, since Linux 6.18.
    pub(crate) for_children: Option<u64>,
    pub(crate) run: Run,
    /// Whether it is on a processor.
    pub(crate) is_running: bool,
}

/// How far a task has come: one that is not on a processor now, and has the same
/// value as before, did not run in between.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Run {
    /// Its number in the initial pid namespace.
    pub(crate) task: u32,
    /// Its table of open files; 0 for a kernel thread or a task that has ended,
    /// which have none.
    pub(crate) table: u64,
    /// When it started, in nanoseconds, and how often it has left a processor
    /// since: the sum. It leaves one far less than once in a nanosecond, so that
    /// no later task of the same number comes to the same sum.
    pub(crate) sum: u64,
}

/// An open file that holds a namespace.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TaskFile {
    pub(crate) pid: Pid,
    pub(crate) tid: Tid,
    pub(crate) fd: Fd,
    /// Which table of open files it is in: threads with the same number share
    /// theirs.
    pub(crate) table: u64,
    pub(crate) ns: NsId,
    pub(crate) what: FileType,
    /// The inode number of a socket, else 0.
    pub(crate) ino: u64,
    /// What carries it, if it is not open itself: `fd` is that of the carrier.
    pub(crate) carrier: Option<Carrier>,
    /// The number of a namespace that is never given to another, of one that is
    /// carried, since Linux 6.18.
    pub(crate) unique_id: Option<u64>,
}

/// An open file that carries others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Carrier {
    /// A unix socket: they are in messages that nobody has received yet.
    Socket,
    /// An io_uring, in which they are registered.
    Ring,
}

/// What the iterators tell of open files.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct TaskFiles {
    pub(crate) all: Vec<TaskFile>,
    /// Processes that have a file which carries others that are not in `all`,
    /// and why.
    pub(crate) unseen: Vec<(Pid, Cause)>,
}

/// An open file, as the iterator tells of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Seen {
    /// What it holds, if it holds a namespace.
    pub(super) file: Option<TaskFile>,
    /// The process, if the file may carry others.
    pub(super) carries: Option<Pid>,
}

/// What an open file is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum FileType {
    /// The namespace itself.
    Namespace,
    /// A socket created in it.
    Socket,
    /// A tun file opened in it.
    Tun,
}

/// The structures that programs begin at, and the functions that they call.
pub(super) struct Types {
    pub(super) task: TypeId,
    pub(super) file: TypeId,
    pub(super) socket: TypeId,
    pub(super) sock: TypeId,
    pub(super) ns_common: TypeId,
    pid_namespace: TypeId,
    /// Messages, and what those between unix sockets carry.
    pub(super) messages: Option<[TypeId; 3]>,
    pub(super) io_ring_ctx: Option<TypeId>,
    /// `bpf_rdonly_cast`, since Linux 6.2.
    cast: Option<TypeId>,
    /// Open-coded iterators over numbers, since Linux 6.4.
    pub(super) numbers: Option<[TypeId; 3]>,
    /// The functions that stand for iterators.
    pub(super) of_tasks: Option<TypeId>,
    pub(super) of_files: Option<TypeId>,
}

impl Types {
    pub(super) fn find(btf: &Btf<'_>) -> Option<Self> {
        let structs = [
            "task_struct",
            "file",
            "socket",
            "sock",
            "ns_common",
            "pid_namespace",
            "sk_buff",
            "unix_skb_parms",
            "scm_fp_list",
            "io_ring_ctx",
        ];
        let functions = [
            "bpf_rdonly_cast",
            "bpf_iter_num_new",
            "bpf_iter_num_next",
            "bpf_iter_num_destroy",
            "bpf_iter_task",
            "bpf_iter_task_file",
        ];
        let mut found = btf.find(&structs, &functions).into_iter();
        let mut next = || found.next().flatten();
        let three = |[one, two, three]: [Option<TypeId>; 3]| Some([one?, two?, three?]);
        Some(Types {
            task: next()?,
            file: next()?,
            socket: next()?,
            sock: next()?,
            ns_common: next()?,
            pid_namespace: next()?,
            messages: three([next(), next(), next()]),
            io_ring_ctx: next(),
            cast: next(),
            numbers: three([next(), next(), next()]),
            of_tasks: next(),
            of_files: next(),
        })
    }
}

// libc has these as numbers of other types.
const S_IFMT: i32 = 0o170_000;
const S_IFCHR: i32 = 0o020_000;
/// The flag of kernel threads, linux/sched.h.
const PF_KTHREAD: i32 = 0x0020_0000;

/// Something to iterate over, and the program that runs for each.
pub(super) trait Iterate {
    /// The size of a record.
    const SIZE: i16;
    type Item;

    /// Writes the program; `None` if this kernel lacks a field.
    fn program(btf: &Btf<'_>, types: &Types) -> Option<Vec<u8>>;

    /// Parses a record; `None` if it is of nothing that can be named.
    fn parse(record: &[u8]) -> Option<Self::Item>;
}

// Places in the context of an iterator, struct bpf_iter__task_file. The first
// member is `meta`.
pub(super) const CONTEXT_TASK: i16 = 8;
pub(super) const CONTEXT_FD: i16 = 16;
pub(super) const CONTEXT_FILE: i16 = 24;

/// The number of a task in the pid namespace of the reader: the first of the 16
/// bytes of a `struct upid`.
pub(super) const TID: i16 = 0;
/// That of its process.
pub(super) const PID: i16 = 16;

/// All tasks.
pub(super) struct Tasks;

impl Tasks {
    /// The namespace of the task itself: the second member of a `struct upid`.
    const OWN: i16 = 32;
    /// Its links, 32 bits each.
    const LINKS: i16 = 48;
    /// The `struct nsproxy` before and after the links were read.
    const BEFORE: i16 = 88;
    const AFTER: i16 = 96;
    const FOR_CHILDREN: i16 = 104;
    const RUN: i16 = 112;
    const ON_CPU: i16 = 136;

    const NSPROXY: [(Link, &str); 8] = [
        (Link::Uts, "uts_ns->ns.inum"),
        (Link::Ipc, "ipc_ns->ns.inum"),
        (Link::Mnt, "mnt_ns->ns.inum"),
        (Link::PidForChildren, "pid_ns_for_children->ns.inum"),
        (Link::Net, "net_ns->ns.inum"),
        (Link::Time, "time_ns->ns.inum"),
        (Link::TimeForChildren, "time_ns_for_children->ns.inum"),
        (Link::Cgroup, "cgroup_ns->ns.inum"),
    ];

    fn place(link: Link) -> i16 {
        Self::LINKS + 4 * link.index() as i16
    }
}

impl Iterate for Tasks {
    const SIZE: i16 = 144;
    type Item = Task;

    fn program(btf: &Btf<'_>, types: &Types) -> Option<Vec<u8>> {
        let mut c = Assembler::new(btf, types.cast, Self::SIZE);
        let task = c.argument(R7, CONTEXT_TASK, types.task);
        // Long before `put_run`: a task that is not on a processor has counted by
        // then how often it left one.
        c.put(Self::ON_CPU, task, "on_cpu")?;
        let nsproxy = c.follow(R8, task, "nsproxy")?;
        c.put_pointer(Self::BEFORE, nsproxy);
        for (link, path) in Self::NSPROXY {
            c.put(Self::place(link), nsproxy, path)?;
        }
        // This field is younger, so that it may be missing.
        let _ = c.put(Self::FOR_CHILDREN, nsproxy, "pid_ns_for_children->ns.ns_id");
        c.put(Self::place(Link::User), task, "real_cred->user_ns->ns.inum")?;
        let pid = c.follow(R9, task, "thread_pid")?;
        c.copy_element(Self::OWN, pid, "numbers", (pid, "level"))?;
        let own = c.pointer_at(R9, Self::OWN + 8, types.pid_namespace);
        c.put(Self::place(Link::Pid), own, "ns.inum")?;
        put_ids(&mut c, task)?;
        let is_kernel_thread = put_run(&mut c, Self::RUN, task)?;
        c.land(is_kernel_thread);
        c.put(Self::AFTER, task, "nsproxy")?;
        c.write()
    }

    fn parse(record: &[u8]) -> Option<Task> {
        let mut links = Links::default();
        for link in Link::ALL {
            let ino = u32_at(record, Self::place(*link) as usize)?;
            links.set(*link, ino.into());
        }
        let word = |place: i16| u64_at(record, place as usize);
        Some(Task {
            pid: some_id(record, PID)?,
            tid: some_id(record, TID)?,
            links,
            has_moved: word(Self::BEFORE)? != word(Self::AFTER)?,
            run: parse_run(record.get(Self::RUN as usize..)?)?,
            is_running: u32_at(record, Self::ON_CPU as usize)? != 0,
            for_children: word(Self::FOR_CHILDREN).filter(|id| *id != 0),
        })
    }
}

/// How far each task has come.
pub(super) struct Runs;

impl Iterate for Runs {
    const SIZE: i16 = 24;
    type Item = Run;

    fn program(btf: &Btf<'_>, types: &Types) -> Option<Vec<u8>> {
        let mut c = Assembler::new(btf, types.cast, Self::SIZE);
        let task = c.argument(R7, CONTEXT_TASK, types.task);
        let is_kernel_thread = put_run(&mut c, 0, task)?;
        c.emit();
        c.land(is_kernel_thread);
        c.end()
    }

    fn parse(record: &[u8]) -> Option<Run> {
        parse_run(record)
    }
}

/// Puts a [`Run`] at this place, except for a kernel thread, for which it jumps:
/// those share one table and do not change it. Changes [`R9`].
fn put_run(c: &mut Assembler<'_>, place: i16, task: Pointer) -> Option<Jump> {
    let is_kernel_thread = c.unless_masked(task, "flags", PF_KTHREAD, 0)?;
    c.put(place, task, "pid")?;
    c.put(place + 8, task, "files")?;
    // The kernel counts before it clears `on_cpu`.
    c.put_sum(place + 16, R9, task, &["start_boottime", "nvcsw", "nivcsw"])?;
    Some(is_kernel_thread)
}

fn parse_run(record: &[u8]) -> Option<Run> {
    Some(Run {
        task: u32_at(record, 0)?,
        table: u64_at(record, 8)?,
        sum: u64_at(record, 16)?,
    })
}

/// `record.tid = task->thread_pid->numbers[level].nr` and the same for its
/// process, where level is that of the reader. Changes [`R8`] and [`R9`].
pub(super) fn put_ids(c: &mut Assembler<'_>, task: Pointer) -> Option<()> {
    let reader = c.current(R8, task);
    let reader = c.follow(R8, reader, "thread_pid")?;
    let pid = c.follow(R9, task, "thread_pid")?;
    c.copy_element(TID, pid, "numbers", (reader, "level"))?;
    let pid = c.follow(R9, task, "group_leader->thread_pid")?;
    c.copy_element(PID, pid, "numbers", (reader, "level"))
}

/// Returns a number of a task, which is 0 for one that is being released.
pub(super) fn some_id(record: &[u8], place: i16) -> Option<u32> {
    u32_at(record, place as usize).filter(|id| *id != 0)
}

/// What the proc tree shows of processes that it lists.
pub(super) struct Names;

impl Names {
    const PARENT: i16 = 32;
    const COMM: i16 = 48;
    const UID: i16 = 64;
}

impl Iterate for Names {
    const SIZE: i16 = 72;
    type Item = HiddenProcess;

    fn program(btf: &Btf<'_>, types: &Types) -> Option<Vec<u8>> {
        let mut c = Assembler::new(btf, types.cast, Self::SIZE);
        let task = c.argument(R7, CONTEXT_TASK, types.task);
        c.put(Self::UID, task, "real_cred->euid.val")?;
        c.copy_member(Self::COMM, 16, task, "comm")?;
        put_ids(&mut c, task)?;
        let reader = c.current(R8, task);
        let reader = c.follow(R8, reader, "thread_pid")?;
        let pid = c.follow(R9, task, "real_parent->group_leader->thread_pid")?;
        c.copy_element(Self::PARENT, pid, "numbers", (reader, "level"))?;
        c.write()
    }

    /// Parses a record; `None` for other threads than the first.
    fn parse(record: &[u8]) -> Option<HiddenProcess> {
        let pid = some_id(record, PID)?;
        let uid = u32_at(record, Self::UID as usize)?;
        let comm = record.get(Self::COMM as usize..)?.get(..16)?;
        // In the pid namespace of the reader, or else in one above it.
        let namespace = |place: i16| u64_at(record, place as usize + 8);
        let is_inside = namespace(Self::PARENT)? == namespace(TID)?;
        let ppid = u32_at(record, Self::PARENT as usize)?;
        (some_id(record, TID)? == pid).then(|| HiddenProcess {
            pid,
            ppid: if is_inside { ppid } else { 0 },
            uid,
            comm: until_nul(comm).into(),
        })
    }
}

/// The open files of all tasks, except of those that share the table of the
/// first thread of their process.
pub(super) struct Files;

impl Files {
    pub(super) const FD: i16 = 32;
    pub(super) const WHAT: i16 = 36;
    pub(super) const INO: i16 = 40;
    /// The name of the type of a namespace, of 8 bytes, or the inode number of a
    /// socket.
    pub(super) const NAME: i16 = 48;
    pub(super) const TABLE: i16 = 56;
    /// The number of a namespace that is never given to another.
    pub(super) const UNIQUE_ID: i16 = 64;

    const NAMESPACE: i32 = 1;
    pub(super) const SOCKET: i32 = 2;
    const TUN: i32 = 3;
    /// A unix socket with messages, which holds a namespace as every socket.
    const FULL_SOCKET: i32 = 4;
    /// An io_uring, which holds none.
    const RING: i32 = 5;

    /// Puts what a file in [`R7`] is, by way of [`R8`], and calls `carries` with a
    /// socket (`struct sock`) that has messages, or with an io_uring
    /// (`struct io_ring_ctx`), in [`R8`]. Jumps for a file that holds nothing, and
    /// for an io_uring.
    pub(super) fn put_file<'a>(
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
    pub(super) fn put_net(c: &mut Assembler<'_>, sock: Pointer) -> Option<()> {
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
    pub(super) fn parse_file(record: &[u8]) -> Option<TaskFile> {
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

/// The kernel's lists of namespaces, one for each type, from any of their
/// members on. Since Linux 6.18.
pub(super) struct Lists;

/// A namespace in such a list. It may be one that is being removed, or none at
/// all: the head of the list, or memory that was reused meanwhile.
pub(super) struct Listed {
    /// Where it is in memory.
    pub(super) address: u64,
    /// The address at which its list was entered.
    pub(super) start: u64,
    pub(super) unique_id: u64,
    pub(super) id: NsId,
    /// Whether it can be opened by its number. Since Linux 6.19 only namespaces can
    /// that processes or files are known to hold.
    pub(super) is_active: bool,
}

/// Where to enter lists.
pub(super) enum Entrance {
    /// At every namespace of this process.
    Own,
    /// At an address.
    At(u64),
}

impl Lists {
    pub(super) const SIZE: i16 = 48;
    /// How many records fit into what the kernel returns at once.
    const MOST: usize = 680;

    const ADDRESS: i16 = 0;
    const START: i16 = 8;
    const ID: i16 = 16;
    const INO: i16 = 24;
    const TYPE: i16 = 28;
    /// How many references there are, and how many that make it active.
    const REFERENCES: i16 = 32;
    const ACTIVE: i16 = 36;
    /// The name of its type, of 8 bytes.
    const NAME: i16 = 40;

    /// Returns how many namespaces a program follows in each list at most.
    pub(super) fn most(entrance: &Entrance) -> usize {
        let lists = match entrance {
            Entrance::Own => Kind::ALL.len(),
            Entrance::At(_) => 1,
        };
        Self::MOST / lists
    }

    /// Writes a program for one task, this one.
    pub(super) fn program(btf: &Btf<'_>, types: &Types, entrance: &Entrance) -> Option<Vec<u8>> {
        let numbers = types.numbers?;
        let mut c = Assembler::new(btf, types.cast, Self::SIZE);
        let task = c.argument(R7, CONTEXT_TASK, types.task);
        match entrance {
            Entrance::Own => {
                let links: Vec<_> = Tasks::NSPROXY
                    .iter()
                    .filter(|(link, _)| !link.is_for_children())
                    .map(|(_, path)| format!("nsproxy->{}", path.trim_end_matches(".inum")))
                    .chain(["real_cred->user_ns->ns".into(), String::new()])
                    .collect();
                let most = Self::most(entrance) as i32;
                for path in links {
                    let own = match path.rsplit_once("->") {
                        Some((to, member)) => {
                            let ns = c.follow(R8, task, to)?;
                            let offset = btf.member(ns.to(), member)?.offset;
                            c.shift(R8, ns, i32::try_from(offset).ok()?, types.ns_common)
                        }
                        // That of the process itself, not of its children.
                        None => {
                            let pid = c.follow(R8, task, "thread_pid")?;
                            c.copy_element(Self::ADDRESS, pid, "numbers", (pid, "level"))?;
                            let ns = c.pointer_at(R8, Self::START, types.pid_namespace);
                            let offset = btf.member(types.pid_namespace, "ns")?.offset;
                            c.shift(R8, ns, i32::try_from(offset).ok()?, types.ns_common)
                        }
                    };
                    Self::walk(&mut c, btf, types, numbers, most, own)?;
                }
            }
            Entrance::At(address) => {
                let start = c.address(R8, *address, types.ns_common);
                let most = Self::most(entrance) as i32;
                Self::walk(&mut c, btf, types, numbers, most, start)?;
            }
        }
        c.end()
    }

    /// `for (ns = start; …; ns = ns->node.next) write(ns);`
    fn walk(
        c: &mut Assembler<'_>,
        btf: &Btf<'_>,
        types: &Types,
        numbers: [TypeId; 3],
        times: i32,
        start: Pointer,
    ) -> Option<()> {
        let (path, node) = match btf.member(types.ns_common, "ns_list_node") {
            Some(node) => ("ns_list_node.next", node.offset),
            // Since Linux 6.19.
            None => {
                let node = btf.member(types.ns_common, "ns_tree_node")?;
                let entry = btf.member(node.of, "ns_list_entry")?.offset;
                let offset = node.offset.checked_add(entry)?;
                ("ns_tree_node.ns_list_entry.next", offset)
            }
        };
        let node = i32::try_from(node).ok()?;
        let ns = c.shift(R9, start, 0, types.ns_common);
        c.put_pointer(Self::START, start);
        c.repeat(numbers, times, |c| {
            c.put_pointer(Self::ADDRESS, ns);
            c.put(Self::ID, ns, "ns_id")?;
            c.put(Self::INO, ns, "inum")?;
            c.put(Self::TYPE, ns, "ns_type")?;
            c.put(Self::REFERENCES, ns, "__ns_ref.refs.counter")?;
            c.copy_from(Self::NAME, 8, ns, "ops->name")?;
            if c.put(Self::ACTIVE, ns, "__ns_ref_active.counter").is_none() {
                c.put_number(Self::ACTIVE, 1);
            }
            c.emit();
            let next = c.follow(R9, ns, path)?;
            c.shift(R9, next, -node, types.ns_common);
            Some(vec![c.if_same(ns, start)])
        })
    }

    /// Parses a record; an `id` with number 0 is none.
    pub(super) fn parse(record: &[u8]) -> Option<Listed> {
        let word = |place: i16| u64_at(record, place as usize);
        let number = |place: i16| u32_at(record, place as usize);
        let flag = number(Self::TYPE)?;
        let name = until_nul(record.get(Self::NAME as usize..)?.get(..8)?);
        let is_held = number(Self::REFERENCES)? != 0;
        let kind = Kind::ALL.iter().find(|kind| {
            let is_kind = flag_of_kind(**kind) == flag && kind.name().as_bytes() == name;
            is_kind && is_held
        });
        let ino = u32_at(record, Self::INO as usize)?.into();
        let id = match kind {
            Some(kind) => NsId { ino, kind: *kind },
            None => NsId {
                ino: 0,
                kind: Kind::Net,
            },
        };
        Some(Listed {
            address: word(Self::ADDRESS)?,
            start: word(Self::START)?,
            unique_id: word(Self::ID)?,
            id,
            is_active: number(Self::ACTIVE)? != 0,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::bpf::btf::tests::{NAME, numbers, structure, table};
    use crate::kernel::bpf::carried::Carried;
    use crate::kernel::bpf::iterator::with_btf;

    /// Writes 32-bit numbers at places of a record of this size.
    fn record(size: i16, words: &[(i16, u32)]) -> Vec<u8> {
        let mut record = vec![0; size as usize];
        for (place, word) in words {
            let place = *place as usize;
            record[place..place + 4].copy_from_slice(&word.to_ne_bytes());
        }
        record
    }

    /// Every record that is cut short is malformed.
    fn assert_whole<I: Iterate>(record: &[u8], spare: usize) {
        assert!(I::parse(record).is_some());
        for length in 0..record.len() {
            if I::SIZE as usize - length > spare {
                assert!(I::parse(&record[..length]).is_none(), "{length}");
            }
        }
    }

    #[test]
    fn a_task_is_what_its_record_says() {
        let net = Tasks::place(Link::Net);
        let run = Tasks::RUN;
        let words = [
            (TID, 8),
            (PID, 5),
            (net, 4_026_531_840),
            (Tasks::BEFORE, 1),
            (Tasks::AFTER, 1),
            (Tasks::FOR_CHILDREN, 70),
            (run, 800),
            (run + 8, 3),
            (run + 16, 9),
            (Tasks::ON_CPU, 1),
        ];
        let whole = record(Tasks::SIZE, &words);
        let mut task = Tasks::parse(&whole).unwrap();
        let mut links = Links::default();
        links.set(Link::Net, 4_026_531_840);
        let expected = Task {
            pid: 5,
            tid: 8,
            links,
            has_moved: false,
            for_children: Some(70),
            run: Run {
                task: 800,
                table: 3,
                sum: 9,
            },
            is_running: true,
        };
        assert_eq!(task, expected);
        assert_whole::<Tasks>(&whole, 4);
        let other = |word| Tasks::parse(&record(Tasks::SIZE, &[&words[..], &[word]].concat()));
        task.has_moved = true;
        assert_eq!(other((Tasks::AFTER, 2)), Some(task));
        // It is being released.
        assert_eq!(other((TID, 0)), None);
        assert_eq!(other((PID, 0)), None);
    }

    #[test]
    fn a_process_is_what_its_record_says() {
        let word = |text: &[u8; 4]| u32::from_ne_bytes(*text);
        let words = [
            (TID, 5),
            (TID + 8, 77),
            (PID, 5),
            (Names::PARENT, 4),
            (Names::PARENT + 8, 77),
            (Names::COMM, word(b"a b\n")),
            (Names::COMM + 4, word(b"c\0xy")),
            (Names::UID, 1000),
        ];
        let whole = record(Names::SIZE, &words);
        let mut process = HiddenProcess {
            pid: 5,
            ppid: 4,
            uid: 1000,
            comm: b"a b\nc"[..].into(),
        };
        assert_eq!(Names::parse(&whole).as_ref(), Some(&process));
        assert_whole::<Names>(&whole, 4);
        let other = |word| Names::parse(&record(Names::SIZE, &[&words[..], &[word]].concat()));
        // A thread, and one that is being released.
        assert_eq!(other((TID, 6)), None);
        assert_eq!(other((TID, 0)), None);
        assert_eq!(other((PID, 0)), None);
        // The parent is outside.
        process.ppid = 0;
        assert_eq!(other((Names::PARENT + 8, 78)), Some(process));
    }

    #[test]
    fn an_open_file_is_what_its_record_says() {
        let name = u32::from_ne_bytes(*b"uts\0");
        let words = [
            (TID, 8),
            (PID, 5),
            (Files::FD, 3),
            (Files::WHAT, 1),
            (Files::INO, 7),
            (Files::NAME, name),
            (Files::TABLE, 4),
        ];
        let whole = record(Files::SIZE, &words);
        let kind = Kind::Uts;
        let file = TaskFile {
            pid: 5,
            tid: 8,
            fd: 3,
            table: 4,
            ns: NsId { ino: 7, kind },
            what: FileType::Namespace,
            ino: 0,
            carrier: None,
            unique_id: None,
        };
        let seen = |file, carries| Some(Seen { file, carries });
        assert_eq!(Files::parse(&whole), seen(Some(file), None));
        assert_whole::<Files>(&whole, 0);
        let other = |words_of: &[(i16, u32)]| {
            Files::parse(&record(Files::SIZE, &[&words[..], words_of].concat()))
        };
        let kind = Kind::Net;
        let mut socket = TaskFile {
            ns: NsId { ino: 7, kind },
            what: FileType::Socket,
            ino: 99,
            ..file
        };
        assert_eq!(
            other(&[(Files::WHAT, 2), (Files::NAME, 99)]),
            seen(Some(socket), None)
        );
        let full = other(&[(Files::WHAT, 4), (Files::NAME, 99)]);
        assert_eq!(full, seen(Some(socket), Some(5)));
        assert_eq!(other(&[(Files::WHAT, 5)]), seen(None, Some(5)));
        (socket.what, socket.ino) = (FileType::Tun, 0);
        assert_eq!(other(&[(Files::WHAT, 3)]), seen(Some(socket), None));
        for malformed in [
            (Files::WHAT, 0),
            (Files::WHAT, 6),
            (Files::INO, 0),
            (Files::NAME, u32::from_ne_bytes(*b"abc\0")),
            (Files::NAME, u32::MAX),
            (TID, 0),
            (PID, 0),
        ] {
            assert_eq!(other(&[malformed]), None, "{malformed:?}");
        }
    }

    #[test]
    fn a_listed_namespace_of_no_type_is_none() {
        let words = [
            (Lists::ADDRESS, 1),
            (Lists::START, 2),
            (Lists::ID, 3),
            (Lists::INO, 4),
            (Lists::TYPE, flag_of_kind(Kind::User)),
            (Lists::REFERENCES, 2),
            (Lists::ACTIVE, 1),
            (Lists::NAME, u32::from_ne_bytes(*b"user")),
        ];
        let whole = record(Lists::SIZE, &words);
        let facts = |record: &[u8]| {
            let listed = Lists::parse(record)?;
            let addresses = (listed.address, listed.start);
            let id = (listed.id.ino, listed.id.kind);
            Some((addresses, listed.unique_id, id, listed.is_active))
        };
        let user = (4, Kind::User);
        assert_eq!(facts(&whole), Some(((1, 2), 3, user, true)));
        let other = |word| facts(&record(Lists::SIZE, &[&words[..], &[word]].concat()));
        assert_eq!(other((Lists::ACTIVE, 0)), Some(((1, 2), 3, user, false)));
        for none in [
            (Lists::TYPE, 5),
            (Lists::TYPE, flag_of_kind(Kind::Uts)),
            (Lists::NAME, u32::from_ne_bytes(*b"uts\0")),
            // It is being removed.
            (Lists::REFERENCES, 0),
        ] {
            assert_eq!(other(none), Some(((1, 2), 3, (0, Kind::Net), true)));
        }
        assert_eq!(facts(&whole[..47]), None);
    }

    /// Makes a table with `task_struct` of members of 8 bytes with these names,
    /// and of everything else that types are.
    fn tasks_of(members: &[&str]) -> Vec<u8> {
        let empty = ["file", "socket", "sock", "ns_common", "pid_namespace"];
        let names = |names: &[&str]| names.join(" ");
        let mut members_of: Vec<u32> = structure(members.len() as u32);
        for index in 0..members.len() as u32 {
            members_of.extend([NAME, 1, index * 64]);
        }
        let nothing = structure(0);
        let task = names(&[&["task_struct"], members].concat());
        let number = numbers(8);
        let mut types: Vec<(&str, &[u32])> = vec![("long", &number), (&task, &members_of)];
        types.extend(empty.iter().map(|name| (*name, nothing.as_slice())));
        table(&types)
    }

    const OF_RUNS: [&str; 6] = ["flags", "pid", "files", "start_boottime", "nvcsw", "nivcsw"];

    #[cfg(target_endian = "little")]
    #[test]
    fn the_lean_program_is_these_instructions() {
        let bytes = tasks_of(&OF_RUNS);
        let btf = Btf::parse(&bytes).unwrap();
        let types = Types::find(&btf).unwrap();
        let code = Runs::program(&btf, &types).unwrap();
        let code: Vec<String> = code
            .chunks(8)
            .map(|code| code.iter().map(|byte| format!("{byte:02x}")).collect())
            .collect();
        let expected = "
            bf16000000000000 7a0ae8ff00000000 7a0af0ff00000000 7a0af8ff00000000
            7967080000000000 5507020000000000 b700000000000000 9500000000000000
            7970000000000000 5700000000002000 1801000000000000 0000000000000000 5d10120000000000
            7970080000000000 7b0ae8ff00000000
            7970100000000000 7b0af0ff00000000
            b709000000000000
            7970180000000000 0f09000000000000
            7970200000000000 0f09000000000000
            7970280000000000 0f09000000000000
            7b9af8ff00000000
            7961000000000000 7911000000000000 bfa2000000000000 07020000e8ffffff
            b703000018000000 850000007f000000
            b700000000000000 9500000000000000";
        let expected: Vec<&str> = expected.split_whitespace().collect();
        assert_eq!(code, expected);
    }

    #[test]
    fn a_kernel_that_lacks_a_field_has_no_program() {
        for lacking in OF_RUNS {
            let members: Vec<_> = OF_RUNS
                .into_iter()
                .filter(|name| *name != lacking)
                .collect();
            let bytes = tasks_of(&members);
            let btf = Btf::parse(&bytes).unwrap();
            let types = Types::find(&btf).unwrap();
            assert!(Runs::program(&btf, &types).is_none(), "{lacking}");
        }
        let bytes = tasks_of(&OF_RUNS);
        let btf = Btf::parse(&bytes).unwrap();
        let types = Types::find(&btf).unwrap();
        assert!(Tasks::program(&btf, &types).is_none());
        assert!(Files::program(&btf, &types).is_none());
        assert!(Lists::program(&btf, &types, &Entrance::Own).is_none());
        let without = table(&[("task_struct", &structure(0))]);
        assert!(Types::find(&Btf::parse(&without).unwrap()).is_none());
    }

    #[test]
    fn every_jump_of_a_program_stays_inside_and_its_end_is_an_exit() {
        // Of the kernel that runs, if it says what its types are.
        let programs = with_btf(|btf| {
            let types = Types::find(btf)?;
            let older = Types {
                numbers: None,
                ..Types::find(btf)?
            };
            let programs = [
                Tasks::program(btf, &types),
                Runs::program(btf, &types),
                Files::program(btf, &types),
                Names::program(btf, &types),
                Carried::program(btf, &types, 0),
                Carried::program(btf, &older, 0),
                Carried::skim(btf, &older),
                Lists::program(btf, &types, &Entrance::Own),
                Lists::program(btf, &types, &Entrance::At(u64::MAX)),
            ];
            Some(programs)
        });
        for code in programs.into_iter().flatten().flatten() {
            let count = code.len() / 8;
            assert!(code.len().is_multiple_of(8) && count < 4096);
            assert_eq!(code[code.len() - 8], 0x95);
            for (index, code) in code.chunks(8).enumerate() {
                let is_jump = [0x05, 0x25, 0x55, 0x1d, 0x3d, 0x5d].contains(&code[0]);
                let distance = i16::from_ne_bytes([code[2], code[3]]);
                let to = index as i32 + 1 + i32::from(distance);
                assert!(!is_jump || distance != 0, "{index}");
                assert!(!is_jump || (0..count as i32).contains(&to), "{index}");
            }
        }
    }
}
