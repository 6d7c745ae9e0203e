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
