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
mod tests;
