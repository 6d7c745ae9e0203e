//! Writes instructions of BPF, Documentation/bpf/standardization/instruction-set.rst,
//! for programs that follow pointers through the structures of the kernel.
//!
//! A program says in C what it reads: [`get`](Assembler::get) takes
//! `nsproxy->uts_ns->ns.inum` and finds the offsets in the type information of
//! the running kernel.

use std::os::fd::RawFd;

use crate::kernel::bpf::btf::{Btf, TypeId};

/// A register. Calls keep those from [`R6`] to [`R9`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Register(u8);

const R0: Register = Register(0);
const R1: Register = Register(1);
const R2: Register = Register(2);
const R3: Register = Register(3);
pub(super) const R6: Register = Register(6);
pub(super) const R7: Register = Register(7);
pub(super) const R8: Register = Register(8);
pub(super) const R9: Register = Register(9);
/// The end of the stack.
const FRAME: Register = Register(10);

/// Functions of the kernel for programs, enum bpf_func_id.
#[derive(Clone, Copy)]
enum Helper {
    MapLookupElem = 1,
    GetCurrentTask = 35,
    ProbeReadKernel = 113,
    SeqWrite = 127,
}

/// `bpf_get_current_task()` and the like are called by number, functions of
/// the kernel itself by the number of their type.
const PSEUDO_KFUNC_CALL: u8 = 2;
/// A number to load is a map, given by its file descriptor.
const PSEUDO_MAP_FD: u8 = 1;

// Operations, linux/bpf.h: what they do, on what.
const LOAD: u8 = 0x61;
const STORE: u8 = 0x63;
const STORE_NUMBER: u8 = 0x62;
const LOAD_NUMBER_64: u8 = 0x18;
const ADD_NUMBER: u8 = 0x07;
const ADD: u8 = 0x0f;
const AND_NUMBER: u8 = 0x57;
const SHIFT_LEFT_NUMBER: u8 = 0x67;
const MOVE_NUMBER: u8 = 0xb7;
const MOVE: u8 = 0xbf;
const JUMP: u8 = 0x05;
const JUMP_UNLESS_EQUAL_NUMBER: u8 = 0x55;
const JUMP_IF_EQUAL: u8 = 0x1d;
const JUMP_UNLESS_LESS: u8 = 0x3d;
const JUMP_UNLESS_EQUAL: u8 = 0x5d;
const JUMP_IF_GREATER_NUMBER: u8 = 0x25;
const CALL: u8 = 0x85;
const EXIT: u8 = 0x95;

/// Returns the bits of a load or store that say how many bytes it moves.
const fn width(size: u32) -> Option<u8> {
    Some(match size {
        1 => 0x10,
        2 => 0x08,
        4 => 0x00,
        8 => 0x18,
        _ => return None,
    })
}

/// A pointer to a structure, in a register.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pointer {
    register: Register,
    to: TypeId,
    /// Whether the verifier knows what it points to, so that it can be followed
    /// by plain loads. They read 0 where there is no memory.
    is_known: bool,
}

impl Pointer {
    /// Returns the type of what it points to.
    pub(super) const fn to(self) -> TypeId {
        self.to
    }
}

/// A jump whose end is not known yet.
#[must_use]
pub(super) struct Jump(usize);

/// A program under construction.
///
/// It keeps a record on its stack, which it writes to the reader of the
/// iterator. Methods return `None` if this kernel has no such field.
pub(super) struct Assembler<'a> {
    btf: &'a Btf<'a>,
    /// The function `bpf_rdonly_cast`, since Linux 6.2.
    cast: Option<TypeId>,
    code: Vec<[u8; 8]>,
    /// The size of the record.
    size: i16,
    /// Whether a jump is longer than one can be.
    is_too_long: bool,
}

/// Where programs put what they read from memory of no known type: below the
/// record.
const SCRATCH: i16 = 16;

impl<'a> Assembler<'a> {
    /// Begins a program with a record of this size, all zero. Its context is in
    /// [`R6`].
    pub(super) fn new(btf: &'a Btf<'a>, cast: Option<TypeId>, size: i16) -> Self {
        let mut program = Assembler {
            btf,
            cast,
            code: Vec::new(),
            size,
            is_too_long: false,
        };
        program.push(MOVE, R6, R1, 0, 0);
        for place in (0..size).step_by(8) {
            program.push(STORE_NUMBER | 0x18, FRAME, R0, place - size, 0);
        }
        program
    }

    /// Returns whether the record has this place.
    pub(super) const fn has_place(&self, place: i16) -> bool {
        place < self.size
    }

    /// `pointer = context[offset]; if (!pointer) return 0;`
    pub(super) fn argument(&mut self, into: Register, offset: i16, to: TypeId) -> Pointer {
        self.push(LOAD | 0x18, into, R6, offset, 0);
        let there = self.jump_unless_zero(into);
        self.exit();
        self.land(there);
        self.know(into, to, true)
    }

    /// `record[place] = context[offset];`, 32 bits
    pub(super) fn put_argument(&mut self, place: i16, offset: i16) {
        self.push(LOAD, R0, R6, offset, 0);
        self.put_result(place, 4);
    }

    /// `pointer = (struct to *) path;` for a path to a `void *`
    pub(super) fn cast(
        &mut self,
        into: Register,
        base: Pointer,
        path: &str,
        to: TypeId,
    ) -> Option<Pointer> {
        self.get(base, path)?;
        self.push(MOVE, into, R0, 0, 0);
        Some(self.know(into, to, false))
    }

    /// `pointer = current;`, the task that reads; `task` is any other
    pub(super) fn current(&mut self, into: Register, task: Pointer) -> Pointer {
        self.call(Helper::GetCurrentTask);
        self.push(MOVE, into, R0, 0, 0);
        self.know(into, task.to, false)
    }

    /// `pointer = path;`
    pub(super) fn follow(&mut self, into: Register, base: Pointer, path: &str) -> Option<Pointer> {
        let of = self.get(base, path)?;
        let to = self.btf.plain(self.btf.pointee(of)?)?;
        self.push(MOVE, into, R0, 0, 0);
        Some(Pointer {
            register: into,
            to,
            ..base
        })
    }

    /// `record[place] = path;`
    pub(super) fn put(&mut self, place: i16, base: Pointer, path: &str) -> Option<()> {
        let length = self.code.len();
        let done = self.try_put(place, base, path);
        if done.is_none() {
            self.code.truncate(length);
        }
        done
    }

    fn try_put(&mut self, place: i16, base: Pointer, path: &str) -> Option<()> {
        let place = place - self.size;
        match self.load(base, path, place)? {
            // It is there already.
            (_, false) => Some(()),
            (of, true) => {
                let width = width(self.btf.size(of)?)?;
                self.push(STORE | width, FRAME, R0, place, 0);
                Some(())
            }
        }
    }

    /// `record[place] = path + path…;`, 64 bits, by way of a register
    pub(super) fn put_sum(
        &mut self,
        place: i16,
        by: Register,
        base: Pointer,
        paths: &[&str],
    ) -> Option<()> {
        self.push(MOVE_NUMBER, by, R0, 0, 0);
        for path in paths {
            self.get(base, path)?;
            self.push(ADD, by, R0, 0, 0);
        }
        self.push(STORE | 0x18, FRAME, by, place - self.size, 0);
        Some(())
    }

    /// `record[place] = pointer;`
    pub(super) fn put_pointer(&mut self, place: i16, pointer: Pointer) {
        let place = place - self.size;
        self.push(STORE | 0x18, FRAME, pointer.register, place, 0);
    }

    /// `record[place] = number;`
    pub(super) fn put_number(&mut self, place: i16, number: i32) {
        self.push(STORE_NUMBER, FRAME, R0, place - self.size, number);
    }

    /// `if (path == number) …`, with the jump taken otherwise
    pub(super) fn unless_equal(&mut self, base: Pointer, path: &str, number: i32) -> Option<Jump> {
        self.get(base, path)?;
        Some(self.unless_result(number))
    }

    /// `if ((path & mask) == number) …`, with the jump taken otherwise
    pub(super) fn unless_masked(
        &mut self,
        base: Pointer,
        path: &str,
        mask: i32,
        number: i32,
    ) -> Option<Jump> {
        self.get(base, path)?;
        self.push(AND_NUMBER, R0, R0, 0, mask);
        Some(self.unless_result(number))
    }

    fn unless_result(&mut self, number: i32) -> Jump {
        // A number of 32 bits must not be extended by its sign.
        self.push(LOAD_NUMBER_64, R1, R0, 0, number);
        self.push(0, R0, R0, 0, 0);
        self.jump(JUMP_UNLESS_EQUAL, R0, R1, 0)
    }

    /// `goto …;`
    pub(super) fn go(&mut self) -> Jump {
        self.jump(JUMP, R0, R0, 0)
    }

    /// The place that a jump leads to.
    pub(super) fn land(&mut self, jump: Jump) {
        match i16::try_from(self.code.len() - jump.0 - 1) {
            Ok(distance) => self.set_distance(&jump, distance),
            Err(_) => self.is_too_long = true,
        }
    }

    /// The place that several jumps lead to.
    pub(super) fn land_all(&mut self, jumps: impl IntoIterator<Item = Jump>) {
        for jump in jumps {
            self.land(jump);
        }
    }

    /// Leads a jump back to a place before it.
    fn land_at(&mut self, jump: &Jump, place: usize) {
        match i16::try_from(jump.0 + 1 - place) {
            Ok(distance) => self.set_distance(jump, -distance),
            Err(_) => self.is_too_long = true,
        }
    }

    fn set_distance(&mut self, jump: &Jump, distance: i16) {
        if let Some(code) = self.code.get_mut(jump.0) {
            let [low, high] = distance.to_ne_bytes();
            (code[2], code[3]) = (low, high);
        }
    }

    /// `bpf_probe_read_kernel(&record[place], size, path_in_base)`: reads a
    /// member of the structure, or what a member points to, of any type.
    pub(super) fn copy_from(
        &mut self,
        place: i16,
        size: i32,
        base: Pointer,
        path: &str,
    ) -> Option<()> {
        self.get(base, path)?;
        self.push(MOVE, R3, R0, 0, 0);
        self.probe(place - self.size, size);
        Some(())
    }

    /// `bpf_probe_read_kernel(&record[place], size, &base->member)`
    pub(super) fn copy_member(
        &mut self,
        place: i16,
        size: i32,
        base: Pointer,
        member: &str,
    ) -> Option<()> {
        let member = self.btf.member(base.to, member)?;
        if i64::from(self.btf.size(member.of)?) < i64::from(size) {
            return None;
        }
        self.push(MOVE, R3, base.register, 0, 0);
        self.push(ADD_NUMBER, R3, R0, 0, i32::try_from(member.offset).ok()?);
        self.probe(place - self.size, size);
        Some(())
    }

    /// `copy(&record[place], &base->array[base->index])`, of elements of 16
    /// bytes
    pub(super) fn copy_element(
        &mut self,
        place: i16,
        base: Pointer,
        array: &str,
        index: (Pointer, &str),
    ) -> Option<()> {
        self.get(index.0, index.1)?;
        // The verifier has to see that it is small; pid namespaces nest 32 deep.
        self.push(AND_NUMBER, R0, R0, 0, 63);
        self.push(SHIFT_LEFT_NUMBER, R0, R0, 0, 4);
        self.push(MOVE, R3, R0, 0, 0);
        let offset = self.btf.member(base.to, array)?.offset;
        self.push(ADD, R3, base.register, 0, 0);
        self.push(ADD_NUMBER, R3, R0, 0, i32::try_from(offset).ok()?);
        self.probe(place - self.size, 16);
        Some(())
    }

    /// Returns the same pointer as one that the verifier knows nothing of: every
    /// field is then read by a function, on every kernel alike, and is a mere
    /// number.
    pub(super) const fn unknown(pointer: Pointer) -> Pointer {
        Pointer {
            is_known: false,
            ..pointer
        }
    }

    /// `pointer = *(struct to **) &record[place];`, of which the verifier knows
    /// nothing
    pub(super) fn number_at(&mut self, into: Register, place: i16, to: TypeId) -> Pointer {
        self.push(LOAD | 0x18, into, FRAME, place - self.size, 0);
        Pointer {
            register: into,
            to,
            is_known: false,
        }
    }

    /// `memset(&record[place], 0, size);`, after which the verifier takes them for
    /// any bytes: a read of what cannot be read clears them. It need not follow
    /// each value through a loop then.
    pub(super) fn clear(&mut self, place: i16, size: i32) {
        self.push(MOVE_NUMBER, R3, R0, 0, 0);
        self.probe(place - self.size, size);
    }

    /// `record[place] = record[from];`, 64 bits as all that follow. The verifier
    /// takes what is at `place` for any bytes.
    pub(super) fn copy_word(&mut self, place: i16, from: i16) {
        self.push(MOVE, R3, FRAME, 0, 0);
        self.push(ADD_NUMBER, R3, R0, 0, i32::from(from - self.size));
        self.probe(place - self.size, 8);
    }

    /// `record[place] += number;`
    pub(super) fn add(&mut self, place: i16, number: i32) {
        self.push(LOAD | 0x18, R0, FRAME, place - self.size, 0);
        self.push(ADD_NUMBER, R0, R0, 0, number);
        self.keep(place);
    }

    /// `record[place] = record[from] & mask;`
    pub(super) fn mask_word(&mut self, place: i16, from: i16, mask: i32) {
        self.push(LOAD | 0x18, R0, FRAME, from - self.size, 0);
        self.push(AND_NUMBER, R0, R0, 0, mask);
        self.keep(place);
    }

    /// `record[place] = record[array] + 8 * record[index];`
    pub(super) fn put_slot(&mut self, place: i16, array: i16, index: i16) {
        self.push(LOAD | 0x18, R0, FRAME, index - self.size, 0);
        self.push(SHIFT_LEFT_NUMBER, R0, R0, 0, 3);
        self.push(LOAD | 0x18, R1, FRAME, array - self.size, 0);
        self.push(ADD, R0, R1, 0, 0);
        self.keep(place);
    }

    /// `record[place] = number;`
    pub(super) fn put_word(&mut self, place: i16, number: i32) {
        self.push(MOVE_NUMBER, R0, R0, 0, number);
        self.keep(place);
    }

    /// `record[place] = (u64) pointer;`
    pub(super) fn put_address(&mut self, place: i16, pointer: Pointer) {
        self.push(MOVE, R0, pointer.register, 0, 0);
        self.keep(place);
    }

    /// `record[place] = R0;`
    fn keep(&mut self, place: i16) {
        self.put_result(place, 8);
        self.copy_word(place, place);
    }

    /// `record[place] = *(u64 *) record[from];`
    pub(super) fn fetch(&mut self, place: i16, from: i16) {
        self.push(LOAD | 0x18, R3, FRAME, from - self.size, 0);
        self.probe(place - self.size, 8);
    }

    /// `if (record[place] == number) …`, with the jump taken otherwise
    pub(super) fn unless_word(&mut self, place: i16, number: i32) -> Jump {
        self.push(LOAD | 0x18, R0, FRAME, place - self.size, 0);
        self.jump(JUMP_UNLESS_EQUAL_NUMBER, R0, R0, number)
    }

    /// `if (record[place] == number) …`, 64 bits, with the jump taken otherwise
    pub(super) fn unless_wide(&mut self, place: i16, number: u64) -> Jump {
        let [low, high] = [number as u32, (number >> 32) as u32].map(u32::cast_signed);
        self.push(LOAD | 0x18, R0, FRAME, place - self.size, 0);
        self.push(LOAD_NUMBER_64, R1, R0, 0, low);
        self.push(0, R0, R0, 0, high);
        self.jump(JUMP_UNLESS_EQUAL, R0, R1, 0)
    }

    /// `if (record[one] == record[other]) …`, with the jump taken otherwise
    pub(super) fn unless_same_words(&mut self, one: i16, other: i16) -> Jump {
        self.load_words(one, other);
        self.jump(JUMP_UNLESS_EQUAL, R0, R1, 0)
    }

    /// `if (record[one] < record[other]) …`, with the jump taken otherwise
    pub(super) fn unless_less(&mut self, one: i16, other: i16) -> Jump {
        self.load_words(one, other);
        self.jump(JUMP_UNLESS_LESS, R0, R1, 0)
    }

    /// `if (++counter <= number) …`, with the jumps taken otherwise, for a counter
    /// that is a map with this file descriptor. The 8 bytes at `place` must be 0.
    pub(super) fn unless_counted(&mut self, map: RawFd, place: i16, number: i32) -> [Jump; 2] {
        self.push(LOAD_NUMBER_64, R1, Register(PSEUDO_MAP_FD), 0, map);
        self.push(0, R0, R0, 0, 0);
        self.push(MOVE, R2, FRAME, 0, 0);
        self.push(ADD_NUMBER, R2, R0, 0, i32::from(place - self.size));
        self.call(Helper::MapLookupElem);
        let is_there = self.jump_unless_zero(R0);
        let not_there = self.go();
        self.land(is_there);
        self.push(LOAD | 0x18, R1, R0, 0, 0);
        self.push(ADD_NUMBER, R1, R0, 0, 1);
        self.push(STORE | 0x18, R0, R1, 0, 0);
        let is_over = self.jump(JUMP_IF_GREATER_NUMBER, R1, R0, number);
        [not_there, is_over]
    }

    fn load_words(&mut self, one: i16, other: i16) {
        self.push(LOAD | 0x18, R0, FRAME, one - self.size, 0);
        self.push(LOAD | 0x18, R1, FRAME, other - self.size, 0);
    }

    /// `pointer = *(struct to **) &record[place];`
    pub(super) fn pointer_at(&mut self, into: Register, place: i16, to: TypeId) -> Pointer {
        self.push(LOAD | 0x18, into, FRAME, place - self.size, 0);
        self.know(into, to, false)
    }

    /// `pointer = (struct to *) number;`
    pub(super) fn address(&mut self, into: Register, number: u64, to: TypeId) -> Pointer {
        let [low, high] = [number as u32, (number >> 32) as u32].map(u32::cast_signed);
        self.push(LOAD_NUMBER_64, into, R0, 0, low);
        self.push(0, R0, R0, 0, high);
        self.know(into, to, false)
    }

    /// `pointer = (struct to *) ((char *) pointer + offset);`
    pub(super) fn shift(
        &mut self,
        into: Register,
        from: Pointer,
        offset: i32,
        to: TypeId,
    ) -> Pointer {
        self.push(MOVE, into, from.register, 0, 0);
        self.push(ADD_NUMBER, into, R0, 0, offset);
        self.know(into, to, false)
    }

    /// `for (int i = 0; i < times; i++) { body }`, which `body` leaves by the
    /// jumps it returns: open-coded iterators, since Linux 6.4
    pub(super) fn repeat(
        &mut self,
        [new, next, destroy]: [TypeId; 3],
        times: i32,
        body: impl FnOnce(&mut Self) -> Option<Vec<Jump>>,
    ) -> Option<()> {
        let slot = -self.size - SCRATCH - 8;
        self.push(MOVE, R1, FRAME, 0, 0);
        self.push(ADD_NUMBER, R1, R0, 0, i32::from(slot));
        self.push(MOVE_NUMBER, R2, R0, 0, 0);
        self.push(MOVE_NUMBER, R3, R0, 0, times);
        self.call_kernel(new);
        let begin = self.code.len();
        self.push(MOVE, R1, FRAME, 0, 0);
        self.push(ADD_NUMBER, R1, R0, 0, i32::from(slot));
        self.call_kernel(next);
        let goes_on = self.jump_unless_zero(R0);
        let is_over = self.go();
        self.land(goes_on);
        let leaves = body(self)?;
        let back = self.go();
        self.land_at(&back, begin);
        self.land(is_over);
        self.land_all(leaves);
        self.push(MOVE, R1, FRAME, 0, 0);
        self.push(ADD_NUMBER, R1, R0, 0, i32::from(slot));
        self.call_kernel(destroy);
        Some(())
    }

    /// The same, counted in a register that `body` leaves alone: since Linux 5.3.
    /// The verifier goes through it as often as the program may.
    pub(super) fn repeat_by(
        &mut self,
        counter: Register,
        times: i32,
        body: impl FnOnce(&mut Self) -> Option<Vec<Jump>>,
    ) -> Option<()> {
        self.push(MOVE_NUMBER, counter, R0, 0, 0);
        let begin = self.code.len();
        let leaves = body(self)?;
        self.push(ADD_NUMBER, counter, R0, 0, 1);
        let back = self.jump(JUMP_UNLESS_EQUAL_NUMBER, counter, R0, times);
        self.land_at(&back, begin);
        self.land_all(leaves);
        Some(())
    }

    /// `if (one == other) …`, with the jump taken if they are equal
    pub(super) fn if_same(&mut self, one: Pointer, other: Pointer) -> Jump {
        self.jump(JUMP_IF_EQUAL, one.register, other.register, 0)
    }

    /// `bpf_seq_write(context->meta->seq, record, sizeof record); return 0;`
    pub(super) fn write(mut self) -> Option<Vec<u8>> {
        self.emit();
        self.end()
    }

    /// `return 0;`, at the end; `None` if a jump is too long
    pub(super) fn end(mut self) -> Option<Vec<u8>> {
        self.exit();
        (!self.is_too_long).then(|| self.code.concat())
    }

    /// `bpf_seq_write(context->meta->seq, record, sizeof record);`
    pub(super) fn emit(&mut self) {
        self.emit_first(self.size);
    }

    /// `bpf_seq_write(context->meta->seq, record, size);`
    pub(super) fn emit_first(&mut self, size: i16) {
        self.push(LOAD | 0x18, R1, R6, 0, 0);
        self.push(LOAD | 0x18, R1, R1, 0, 0);
        self.push(MOVE, R2, FRAME, 0, 0);
        self.push(ADD_NUMBER, R2, R0, 0, -i32::from(self.size));
        self.push(MOVE_NUMBER, R3, R0, 0, i32::from(size));
        self.call(Helper::SeqWrite);
    }

    /// `return 0;`
    pub(super) fn exit(&mut self) {
        self.push(MOVE_NUMBER, R0, R0, 0, 0);
        self.push(EXIT, R0, R0, 0, 0);
    }

    /// Tells the verifier what a register points to, as far as the kernel can.
    ///
    /// Since Linux 6.2 it takes a millisecond for each pointer loaded off one
    /// that it trusts, and none off a mere copy.
    fn know(&mut self, register: Register, to: TypeId, is_trusted: bool) -> Pointer {
        if let Some(cast) = self.cast {
            self.push(MOVE, R1, register, 0, 0);
            self.push(MOVE_NUMBER, R2, R0, 0, to.0.cast_signed());
            self.call_kernel(cast);
            self.push(MOVE, register, R0, 0, 0);
        }
        let is_known = is_trusted || self.cast.is_some();
        Pointer {
            register,
            to,
            is_known,
        }
    }

    /// Reads what a path leads to into [`R0`] and returns its type.
    ///
    /// `a->b.c` begins in the structure of `base`; each `->` follows a pointer.
    /// Writes nothing if there is no such field.
    fn get(&mut self, base: Pointer, path: &str) -> Option<TypeId> {
        let length = self.code.len();
        let of = self.try_get(base, path);
        if of.is_none() {
            self.code.truncate(length);
        }
        of
    }

    fn try_get(&mut self, base: Pointer, path: &str) -> Option<TypeId> {
        let scratch = -self.size - SCRATCH;
        let (of, is_in_register) = self.load(base, path, scratch)?;
        if !is_in_register {
            let width = width(self.btf.size(of)?)?;
            self.push(LOAD | width, R0, FRAME, scratch, 0);
        }
        Some(of)
    }

    /// Reads what a path leads to into [`R0`], or by a function to a place on the
    /// stack; returns its type, and whether it is in the register.
    fn load(&mut self, base: Pointer, path: &str, place: i16) -> Option<(TypeId, bool)> {
        let scratch = -self.size - SCRATCH;
        let mut from = base.register;
        let mut at = base.to;
        let mut steps = path.split("->").peekable();
        while let Some(step) = steps.next() {
            let mut offset = 0u32;
            let mut of = at;
            for name in step.split('.') {
                let member = self.btf.member(of, name)?;
                offset = offset.checked_add(member.offset)?;
                of = member.of;
            }
            let size = self.btf.size(of)?;
            let width = width(size)?;
            let offset = i16::try_from(offset).ok()?;
            let is_last = steps.peek().is_none();
            if base.is_known {
                self.push(LOAD | width, R0, from, offset, 0);
            } else {
                self.push(MOVE, R3, from, 0, 0);
                self.push(ADD_NUMBER, R3, R0, 0, i32::from(offset));
                let place = if is_last { place } else { scratch };
                self.probe(place, i32::try_from(size).ok()?);
                if !is_last {
                    self.push(LOAD | width, R0, FRAME, scratch, 0);
                }
            }
            if is_last {
                return Some((of, base.is_known));
            }
            at = self.btf.plain(self.btf.pointee(of)?)?;
            from = R0;
        }
        None
    }

    /// `bpf_probe_read_kernel(frame + place, size, R3)`
    fn probe(&mut self, place: i16, size: i32) {
        self.push(MOVE, R1, FRAME, 0, 0);
        self.push(ADD_NUMBER, R1, R0, 0, i32::from(place));
        self.push(MOVE_NUMBER, R2, R0, 0, size);
        self.call(Helper::ProbeReadKernel);
    }

    fn put_result(&mut self, place: i16, size: u32) {
        let width = width(size).unwrap_or(0);
        self.push(STORE | width, FRAME, R0, place - self.size, 0);
    }

    fn jump_unless_zero(&mut self, register: Register) -> Jump {
        self.jump(JUMP_UNLESS_EQUAL_NUMBER, register, R0, 0)
    }

    fn jump(&mut self, operation: u8, left: Register, right: Register, number: i32) -> Jump {
        self.push(operation, left, right, 0, number);
        Jump(self.code.len() - 1)
    }

    fn call_kernel(&mut self, function: TypeId) {
        let function = function.0.cast_signed();
        self.push(CALL, R0, Register(PSEUDO_KFUNC_CALL), 0, function);
    }

    fn call(&mut self, helper: Helper) {
        self.push(CALL, R0, R0, 0, helper as i32);
    }

    /// Appends `struct bpf_insn`.
    fn push(&mut self, operation: u8, to: Register, from: Register, offset: i16, number: i32) {
        let registers = if cfg!(target_endian = "little") {
            from.0 << 4 | to.0
        } else {
            to.0 << 4 | from.0
        };
        let [o0, o1] = offset.to_ne_bytes();
        let [n0, n1, n2, n3] = number.to_ne_bytes();
        let code = [operation, registers, o0, o1, n0, n1, n2, n3];
        self.code.push(code);
    }
}

// The known bytes are those of little-endian machines.
#[cfg(test)]
#[cfg(target_endian = "little")]
mod tests {
    use super::*;
    use crate::kernel::bpf::btf::tests::{NAME, numbers, pointer, structure, table};

    const OUTER: TypeId = TypeId(6);

    /// ```c
    /// struct inner { u32 low; u32 high; };
    /// struct outer { u8 byte; u16 half; u32 word; u64 wide; struct inner *to;
    ///                struct inner in; u64 far; };
    /// ```
    fn types() -> Vec<u8> {
        let inner = [structure(2), vec![NAME, 3, 0, NAME, 3, 32]].concat();
        let members = [
            [NAME, 1, 0],
            [NAME, 2, 16],
            [NAME, 3, 32],
            [NAME, 4, 64],
            [NAME, 7, 128],
            [NAME, 5, 192],
            [NAME, 4, 0x8000 * 8],
        ];
        let outer = [structure(7), members.concat()].concat();
        table(&[
            ("u8", &numbers(1)),
            ("u16", &numbers(2)),
            ("u32", &numbers(4)),
            ("u64", &numbers(8)),
            ("inner low high", &inner),
            ("outer byte half word wide to in far", &outer),
            ("-", &pointer(5)),
        ])
    }

    /// A pointer to the outer structure in [`R7`].
    fn outer(is_known: bool) -> Pointer {
        Pointer {
            register: R7,
            to: OUTER,
            is_known,
        }
    }

    /// Returns the instructions after the beginning of a program with a record
    /// of 16 bytes.
    fn written(cast: Option<TypeId>, act: impl FnOnce(&mut Assembler<'_>)) -> Vec<String> {
        let bytes = types();
        let btf = Btf::parse(&bytes).unwrap();
        let mut program = Assembler::new(&btf, cast, 16);
        act(&mut program);
        let code = program.code.iter().skip(3);
        code.map(|code| code.iter().map(|byte| format!("{byte:02x}")).collect())
            .collect()
    }

    #[track_caller]
    fn assert_written(expected: &str, act: impl FnOnce(&mut Assembler<'_>)) {
        let expected: Vec<&str> = expected.split_whitespace().collect();
        assert_eq!(written(None, act), expected);
    }

    #[test]
    fn a_program_begins_with_a_record_of_zeros_and_ends_with_an_exit() {
        let bytes = types();
        let btf = Btf::parse(&bytes).unwrap();
        let hex = |code: Option<Vec<u8>>| -> String {
            code.unwrap()
                .iter()
                .map(|byte| format!("{byte:02x}"))
                .collect()
        };
        let begin = "bf160000000000007a0af0ff000000007a0af8ff00000000";
        let end = "b7000000000000009500000000000000";
        let program = || Assembler::new(&btf, None, 16);
        assert_eq!(hex(program().end()), [begin, end].concat());
        let write = concat!(
            "7961000000000000",
            "7911000000000000",
            "bfa2000000000000",
            "07020000f0ffffff",
            "b703000010000000",
            "850000007f000000"
        );
        assert_eq!(hex(program().write()), [begin, write, end].concat());
    }

    #[test]
    fn fields_are_loaded_in_their_width_at_their_offset() {
        let known = outer(true);
        for (path, load) in [
            ("byte", "7170000000000000"),
            ("half", "6970020000000000"),
            ("word", "6170040000000000"),
            ("wide", "7970080000000000"),
            ("in.high", "61701c0000000000"),
            ("to->high", "7970100000000000 6100040000000000"),
        ] {
            assert_written(load, |c| assert!(c.get(known, path).is_some()));
        }
        assert_written("7970080000000000 7b0af8ff00000000", |c| {
            c.put(8, known, "wide").unwrap();
        });
        assert_written("6970020000000000 6b0af2ff00000000", |c| {
            c.put(2, known, "half").unwrap();
        });
        assert_written("7970100000000000 bf08000000000000", |c| {
            let to = c.follow(R8, known, "to").unwrap();
            assert_eq!((to.register, to.to, to.is_known), (R8, TypeId(5), true));
        });
        let sum = "b709000000000000 7170000000000000 0f09000000000000 6170040000000000
            0f09000000000000 7b9af8ff00000000";
        assert_written(sum, |c| {
            c.put_sum(8, R9, known, &["byte", "word"]).unwrap();
        });
    }

    #[test]
    fn memory_of_no_known_type_is_read_by_a_function() {
        let load = "bf73000000000000 0703000004000000 bfa1000000000000 07010000e0ffffff
            b702000004000000 8500000071000000 61a0e0ff00000000";
        assert_written(load, |c| {
            c.get(outer(false), "word").unwrap();
        });
        let copy = "7970080000000000 bf03000000000000 bfa1000000000000 07010000f0ffffff
            b702000008000000 8500000071000000";
        assert_written(copy, |c| {
            c.copy_from(0, 8, outer(true), "wide").unwrap();
        });
        let member = "bf73000000000000 0703000018000000 bfa1000000000000 07010000f0ffffff
            b702000010000000 8500000071000000";
        assert_written(member, |c| {
            assert!(c.copy_member(0, 16, outer(true), "word").is_none());
            assert!(c.copy_member(0, 16, outer(true), "absent").is_none());
            c.copy_member(0, 16, outer(true), "in").unwrap();
        });
        let element = "6170040000000000 570000003f000000 6700000004000000 bf03000000000000
            0f73000000000000 0703000018000000 bfa1000000000000 07010000f0ffffff
            b702000010000000 8500000071000000";
        assert_written(element, |c| {
            let known = outer(true);
            c.copy_element(0, known, "in", (known, "word")).unwrap();
        });
    }

    #[test]
    fn numbers_and_pointers_are_put_and_made() {
        assert_written("620af8ff07000000", |c| c.put_number(8, 7));
        assert_written("7b7af0ff00000000", |c| c.put_pointer(0, outer(true)));
        assert_written("6160100000000000 630af0ff00000000", |c| {
            c.put_argument(0, 16);
        });
        assert_written("79a8f8ff00000000", |c| {
            c.pointer_at(R8, 8, OUTER);
        });
        assert_written("1808000088776655 00000000ccbbaaff", |c| {
            c.address(R8, 0xffaa_bbcc_5566_7788, OUTER);
        });
        assert_written("bf79000000000000 07090000f8ffffff", |c| {
            c.shift(R9, outer(true), -8, OUTER);
        });
        assert_written("8500000023000000 bf08000000000000", |c| {
            c.current(R8, outer(true));
        });
        assert_written(
            "7967080000000000 5507020000000000 b700000000000000 9500000000000000",
            |c| {
                assert!(c.argument(R7, 8, OUTER).is_known);
            },
        );
    }

    #[test]
    fn words_of_the_record_are_any_bytes_to_the_verifier() {
        // Each value is read over itself.
        let keep = "7b0af8ff00000000 bfa3000000000000 07030000f8ffffff bfa1000000000000
            07010000f8ffffff b702000008000000 8500000071000000";
        let kept = |before: &str| format!("{before} {keep}");
        assert_written(&kept("79a0f8ff00000000 07000000fcffffff"), |c| c.add(8, -4));
        assert_written(&kept("79a0f0ff00000000 57000000f8ffffff"), |c| {
            c.mask_word(8, 0, !7);
        });
        let slot = "79a0f8ff00000000 6700000003000000 79a1f0ff00000000 0f10000000000000";
        assert_written(&kept(slot), |c| c.put_slot(8, 0, 8));
        assert_written(&kept("b700000005000000"), |c| c.put_word(8, 5));
        assert_written(&kept("bf70000000000000"), |c| {
            c.put_address(8, outer(true));
        });
        let read = "bfa1000000000000 07010000f8ffffff b702000008000000 8500000071000000";
        let from = |before: &str| format!("{before} {read}");
        let copy = "bfa3000000000000 07030000f0ffffff";
        assert_written(&from(copy), |c| c.copy_word(8, 0));
        assert_written(&from("79a3f0ff00000000"), |c| c.fetch(8, 0));
        assert_written(&from("b703000000000000"), |c| c.clear(8, 8));
        assert_written(&from("bf73000000000000 0703000008000000"), |c| {
            let known = outer(true);
            c.put(8, Assembler::unknown(known), "wide").unwrap();
        });
        assert_written("79a8f8ff00000000", |c| {
            assert!(!c.number_at(R8, 8, OUTER).is_known);
        });
    }

    #[test]
    fn a_pointer_of_a_known_type_is_cast_where_the_kernel_can() {
        let code = written(Some(TypeId(0x1234)), |c| {
            assert!(c.pointer_at(R8, 8, OUTER).is_known);
        });
        let cast = [
            "79a8f8ff00000000",
            "bf81000000000000",
            "b702000006000000",
            "8520000034120000",
            "bf08000000000000",
        ];
        assert_eq!(code, cast);
    }

    #[test]
    fn jumps_lead_to_where_they_land() {
        let code = "6170040000000000 1801000073666e73 0000000000000000 5d10010000000000
            620af0ff01000000";
        assert_written(code, |c| {
            let other = c.unless_equal(outer(true), "word", 0x736e_6673);
            c.put_number(0, 1);
            c.land(other.unwrap());
        });
        let code = "6170040000000000 5700000000f00000 1801000000200000 0000000000000000
            5d10000000000000";
        assert_written(code, |c| {
            let other = c.unless_masked(outer(true), "word", 0xf000, 0x2000);
            c.land(other.unwrap());
        });
        assert_written("0500020000000000 620af0ff01000000 1d77000000000000", |c| {
            let over = c.go();
            c.put_number(0, 1);
            let same = c.if_same(outer(true), outer(true));
            c.land(over);
            c.land(same);
        });
        let word = "79a0f8ff00000000 5500010003000000 620af0ff01000000";
        assert_written(word, |c| {
            let other = c.unless_word(8, 3);
            c.put_number(0, 1);
            c.land(other);
        });
        let wide = "79a0f8ff00000000 1801000088776655 00000000ccbbaaff 5d10000000000000";
        assert_written(wide, |c| {
            let other = c.unless_wide(8, 0xffaa_bbcc_5566_7788);
            c.land(other);
        });
        assert_written("79a0f0ff00000000 79a1f8ff00000000 5d10000000000000", |c| {
            let other = c.unless_same_words(0, 8);
            c.land(other);
        });
        assert_written("79a0f0ff00000000 79a1f8ff00000000 3d10000000000000", |c| {
            let other = c.unless_less(0, 8);
            c.land(other);
        });
        let counted = "1811000007000000 0000000000000000 bfa2000000000000 07020000f8ffffff
            8500000001000000 5500010000000000 0500040000000000
            7901000000000000 0701000001000000 7b10000000000000 2501000009000000";
        assert_written(counted, |c| {
            let others = c.unless_counted(7, 8, 9);
            c.land_all(others);
        });
        let repeat = "b709000000000000 1d77020000000000 0709000001000000 5509fdff05000000";
        assert_written(repeat, |c| {
            let body = |c: &mut Assembler<'_>| Some(vec![c.if_same(outer(true), outer(true))]);
            c.repeat_by(R9, 5, body).unwrap();
        });
        let repeat = "bfa1000000000000 07010000d8ffffff b702000000000000 b703000009000000
            852000000b000000
            bfa1000000000000 07010000d8ffffff 852000000c000000 5500010000000000 0500030000000000
            620af0ff01000000 1d77010000000000 0500f8ff00000000
            bfa1000000000000 07010000d8ffffff 852000000d000000";
        assert_written(repeat, |c| {
            let body = |c: &mut Assembler<'_>| {
                c.put_number(0, 1);
                Some(vec![c.if_same(outer(true), outer(true))])
            };
            c.repeat([11, 12, 13].map(TypeId), 9, body).unwrap();
        });
    }

    #[test]
    fn a_path_that_leads_nowhere_writes_nothing() {
        for path in [
            "",
            "absent",
            "word.low",
            "word->low",
            "to->absent",
            "in->low",
            "to.low",
            // A structure does not fit into a register.
            "in",
            // An offset that no instruction holds.
            "far",
        ] {
            for is_known in [true, false] {
                let base = outer(is_known);
                assert_written("", |c| {
                    assert!(c.get(base, path).is_none(), "{path}");
                });
            }
        }
    }

    #[test]
    fn a_jump_that_is_too_long_is_refused() {
        let bytes = types();
        let btf = Btf::parse(&bytes).unwrap();
        let program = |length: usize| {
            let mut c = Assembler::new(&btf, None, 16);
            let over = c.go();
            for _ in 0..length {
                c.put_number(0, 1);
            }
            c.land(over);
            c.end()
        };
        assert!(program(0x7fff).is_some());
        assert!(program(0x8000).is_none());
        let mut c = Assembler::new(&btf, None, 16);
        let body = |c: &mut Assembler<'_>| {
            for _ in 0..0x8000 {
                c.put_number(0, 1);
            }
            Some(vec![c.go()])
        };
        assert!(c.repeat([TypeId(1); 3], 1, body).is_some());
        assert!(c.end().is_none());
    }
}
