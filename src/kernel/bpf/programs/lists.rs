//! The program that follows the kernel's lists of namespaces.

use crate::kernel::bpf::btf::{Btf, TypeId};
use crate::kernel::bpf::instructions::{Assembler, Pointer, R7, R8, R9};
use crate::kernel::bpf::programs::{CONTEXT_TASK, Tasks, Types};
use crate::kernel::bytes::{u32_at, u64_at, until_nul};
use crate::kernel::nsfs::flag_of_kind;
use crate::model::{Kind, Member, NsId};

/// The kernel's lists of namespaces, one for each type, from any of their
/// members on. Since Linux 6.18.
pub(in crate::kernel::bpf) struct Lists;

/// A namespace in such a list. It may be one that is being removed, or none at
/// all: the head of the list, or memory that was reused meanwhile.
pub(in crate::kernel::bpf) struct Listed {
    /// Where it is in memory.
    pub(in crate::kernel::bpf) address: u64,
    /// The address at which its list was entered.
    pub(in crate::kernel::bpf) start: u64,
    pub(in crate::kernel::bpf) unique_id: u64,
    pub(in crate::kernel::bpf) id: NsId,
    /// Whether it can be opened by its number. Since Linux 6.19 only namespaces can
    /// that processes or files are known to hold.
    pub(in crate::kernel::bpf) is_active: bool,
}

/// Where to enter lists.
pub(in crate::kernel::bpf) enum Entrance {
    /// At every namespace of this process.
    Own,
    /// At an address.
    At(u64),
}

impl Lists {
    pub(in crate::kernel::bpf) const SIZE: i16 = 48;
    /// How many records fit into what the kernel returns at once.
    pub(super) const MOST: usize = 680;

    pub(super) const ADDRESS: i16 = 0;
    pub(super) const START: i16 = 8;
    pub(super) const ID: i16 = 16;
    pub(super) const INO: i16 = 24;
    pub(super) const TYPE: i16 = 28;
    /// How many references there are, and how many that make it active.
    pub(super) const REFERENCES: i16 = 32;
    pub(super) const ACTIVE: i16 = 36;
    /// The name of its type, of 8 bytes.
    pub(super) const NAME: i16 = 40;

    /// Returns how many namespaces a program follows in each list at most.
    pub(in crate::kernel::bpf) fn most(entrance: &Entrance) -> usize {
        let lists = match entrance {
            Entrance::Own => Kind::ALL.len(),
            Entrance::At(_) => 1,
        };
        Self::MOST / lists
    }

    /// Writes a program for one task, this one.
    pub(in crate::kernel::bpf) fn program(
        btf: &Btf<'_>,
        types: &Types,
        entrance: &Entrance,
    ) -> Option<Vec<u8>> {
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
    pub(in crate::kernel::bpf) fn parse(record: &[u8]) -> Option<Listed> {
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
