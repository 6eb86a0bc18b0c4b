//! Texts: what people read of a program and of its rewrites.

use crate::btf::Btf;
use crate::btf::ext::{FuncInfo, LineInfo};
use crate::insn::{Insn, Numbers};
use crate::plan::Plan;
use crate::testing::{Elf, SIGNED, Types, kind, plan};
use crate::xlated::*;

const fn i(code: u8, regs: u8, off: i16, imm: i32) -> Insn {
    Insn { code, regs, off, imm }
}

const EXIT: Insn = i(0x95, 0, 0, 0);
const KALLSYMS: &str = "ffff0000 T __bpf_call_base\nffff1040 T bpf_skb_load_bytes\nffff1080 t __htab_map_lookup_elem\n";

/// A plan of one program, `filter`, of these slots.
fn plan_of(insns: &[Insn]) -> Plan {
    let mut elf = Elf::new();
    elf.program("socket", "filter", &Insn::encode_all(insns));
    plan(&elf.build()).unwrap()
}

/// A kernel's `struct sk_buff`, of three members, one of them in an anonymous union, another of three bits.
fn layouts() -> Layouts {
    let mut types = Types::new();
    let int = types.int("unsigned int", 4, 0);
    let (len, hash, pkt_type) = (types.string("len"), types.string("hash"), types.string("pkt_type"));
    let union = types.add("", kind::UNION, 1, 4, &[hash, int, 0]);
    let members = [len, int, 112 * 8, 0, union, 148 * 8, pkt_type, int, (3 << 24) | (128 * 8)];
    types.add("sk_buff", kind::STRUCT | kind::FLAG, 3, 232, &members);
    Layouts::of(&types.build()).unwrap()
}

/// Both sides, as they are shown.
fn side_by_side(given: &[Insn], xlated: &[Insn]) -> String {
    let plan = plan_of(given);
    let program = plan.prog_loads().next().unwrap();
    let [one, two] = [given, xlated].map(|insns| Code::new(insns, &[]));
    let program_of_kernel = Xlated { insns: xlated.to_vec(), ..Xlated::default() };
    let symbols = Kallsyms::parse(KALLSYMS);
    let names = XlatedNames { program: &program_of_kernel, symbols: &symbols };
    let given_lines = listing(given, Records::default(), &GivenNames { plan: &plan, program });
    let xlated_lines = listing(xlated, Records::default(), &names);
    let (alignment, layouts) = (align(&one, &two), layouts());
    let reasons = Reasons::new(&plan, program, 1, [&one, &two], &symbols, &layouts);
    let comparison = Comparison::new(&given_lines, &xlated_lines, &alignment, &reasons);
    assert!(comparison.contradictions.is_empty());
    assert_eq!(comparison.json().len(), comparison.rows.iter().map(|row| row.xlated.len().max(1)).sum::<usize>());
    format!("\n{}\n", comparison.text(false).join("\n"))
}

#[test]
fn fields_of_the_context_are_named_on_both_sides() {
    let given = [i(0x61, 0x12, 0, 0), i(0x61, 0x13, 4, 0), i(0x61, 0x10, 68, 0), i(0x71, 0x1, 17, 0), EXIT];
    let xlated = [
        i(0x61, 0x12, 112, 0),
        i(0x71, 0x13, 128, 0),
        i(0x54, 0x03, 0, 7),
        i(0x61, 0x10, 148, 0),
        i(0x71, 0x1, 17, 0),
        EXIT,
    ];
    assert_eq!(
        side_by_side(&given, &xlated),
        "
   0: (61) r2 = *(u32 *)(r1 +0)  ~    0: (61) r2 = *(u32 *)(r1 +112)
      ^ skb->len is `len`, at offset 112 of this kernel's struct sk_buff
   1: (61) r3 = *(u32 *)(r1 +4)  ~    1: (71) r3 = *(u8 *)(r1 +128)
                                 ~    2: (54) w3 &= 7
      ^ skb->pkt_type is `pkt_type`, at offset 128 of this kernel's struct sk_buff; 2 instructions make of it what the view promises
   2: (61) r0 = *(u32 *)(r1 +68) ~    3: (61) r0 = *(u32 *)(r1 +148)
      ^ skb->hash is `hash`, at offset 148 of this kernel's struct sk_buff
   3: (71) r1 = *(u8 *)(r0 +17)  |    4: (71) r1 = *(u8 *)(r0 +17)
   4: (95) exit                  |    5: (95) exit
"
    );
}

#[test]
fn helpers_are_named_and_lookups_and_divisions_explained() {
    let given = [i(0x85, 0, 0, 26), i(0x85, 0, 0, 1), i(0x15, 0, 1, 0), i(0x3f, 0x10, 0, 0), EXIT];
    let xlated = [
        i(0x85, 0, 0, 0x1040),
        i(0x85, 0, 0, 0x1080),
        i(0x15, 0, 1, 0),
        i(0x07, 0, 0, 56),
        i(0x15, 0, 4, 0),
        i(0x55, 0x01, 2, 0),
        i(0xac, 0x00, 0, 0),
        i(0x05, 0, 1, 0),
        i(0x3f, 0x10, 0, 0),
        EXIT,
    ];
    assert_eq!(
        side_by_side(&given, &xlated),
        "
   0: (85) call bpf_skb_load_bytes#26 ~    0: (85) call bpf_skb_load_bytes#4160
      ^ number 26 became the address of bpf_skb_load_bytes
   1: (85) call bpf_map_lookup_elem#1 ~    1: (85) call __htab_map_lookup_elem#4224
                                      ~    2: (15) if r0 == 0x0 goto pc+1
                                      ~    3: (07) r0 += 56
      ^ bpf_map_lookup_elem inlined: __htab_map_lookup_elem finds the element, its value lies 56 bytes on
   2: (15) if r0 == 0x0 goto pc+1     ~    4: (15) if r0 == 0x0 goto pc+4
      ^ the distance changed with what lies between
   3: (3f) r0 /= r1                   ~    5: (55) if r1 != 0x0 goto pc+2
                                      ~    6: (ac) w0 ^= w0
                                      ~    7: (05) goto pc+1
                                      ~    8: (3f) r0 /= r1
      ^ guarded: x / 0 is 0, and x % 0 is x, as the instruction set says; the processor would trap
   4: (95) exit                       |    9: (95) exit
"
    );
}

#[test]
fn what_was_cut_out_is_shown_beside_nothing() {
    let given = [i(0xb7, 0, 0, 1), i(0x15, 1, 2, 0), i(0xb7, 0, 0, 2), i(0x05, 0, 1, 0), i(0xb7, 0, 0, 3), EXIT];
    let xlated = [i(0xb7, 0, 0, 1), i(0xb7, 0, 0, 3), EXIT];
    assert_eq!(
        side_by_side(&given, &xlated),
        "
   0: (b7) r0 = 1                 |    0: (b7) r0 = 1
   1: (15) if r1 == 0x0 goto pc+2 -
      ^ always jumps, and there is nothing left to jump over: cut out
   2: (b7) r0 = 2                 -
      ^ no path leads here: cut out
   3: (05) goto pc+1              -
      ^ no path leads here: cut out
   4: (b7) r0 = 3                 |    1: (b7) r0 = 3
   5: (95) exit                   |    2: (95) exit
"
    );
}

#[test]
fn packet_loads_and_calls_in_place_of_them_end_the_program_where_there_is_no_byte() {
    let given = [i(0x28, 0, 0, 12), i(0x07, 0, 0, 1), EXIT];
    let xlated = [
        i(0xb7, 2, 0, 12),
        i(0xbf, 0x61, 0, 0),
        i(0x85, 0, 0, 4096),
        i(0x75, 0, 2, 0),
        i(0xac, 0, 0, 0),
        EXIT,
        i(0x07, 0, 0, 1),
        EXIT,
    ];
    let text = side_by_side(&given, &xlated);
    assert!(text.contains("^ 2 bytes of the packet: 6 instructions that call a function"), "{text}");
    assert!(text.ends_with("   2: (95) exit                  |    7: (95) exit\n"), "{text}");
}

#[test]
fn what_the_verifier_does_without_privileges_is_explained_too() {
    // A barrier, blinded constants, dead code that stays as a jump to itself.
    let given = [i(0x7b, 0x1a, -8, 0), i(0xb7, 3, 0, 5), i(0x05, 0, 1, 0), i(0xb7, 0, 0, 1), EXIT];
    let xlated = [
        i(0x7b, 0x1a, -8, 0),
        i(0xc2, 0, 0, 0),
        i(0xb7, 11, 0, 77),
        i(0xa7, 11, 0, 72),
        i(0xbf, 0xb3, 0, 0),
        i(0x05, 0, 1, 0),
        i(0x05, 0, -1, 0),
        EXIT,
    ];
    let text = side_by_side(&given, &xlated);
    let whys: Vec<_> = text.lines().filter(|line| line.trim().starts_with('^')).map(str::trim).collect();
    assert_eq!(
        whys,
        [
            "^ a barrier: the processor is not to speculate past this point",
            "^ rewritten with a register of the kernel's own: a constant is hidden (net.core.bpf_jit_harden), or an address kept in bounds",
            "^ no path leads here: made a jump to itself",
        ],
        "{text}"
    );
}

#[test]
fn for_a_rewrite_that_is_not_known_no_reason_is_invented() {
    let given = [i(0xb7, 3, 0, 5), i(0xb7, 4, 0, 6), EXIT];
    let xlated = [i(0xb7, 5, 0, 5), i(0xb7, 6, 0, 6), EXIT];
    let text = side_by_side(&given, &xlated);
    assert!(text.contains("^ rewritten by the verifier"), "{text}");
    let empty = side_by_side(&given, &[]);
    assert_eq!(empty.matches('-').count(), 3, "{empty}");
}

/// `int filter(struct __sk_buff * skb)`, with a line; its FUNC, and the two records.
fn records() -> (Vec<u8>, [FuncInfo; 1], [LineInfo; 3]) {
    let mut types = Types::new();
    let int = types.int("int", 4, SIGNED);
    let context = types.add("__sk_buff", kind::STRUCT, 0, 192, &[]);
    let pointer = types.ptr(context);
    let (skb, file) = (types.string("skb"), types.string("a.c"));
    let lines = ["\treturn\x1b[1m 1;", "other"].map(|text| types.string(text));
    let proto = types.add("", kind::FUNC_PROTO, 3, int, &[skb, pointer, 0, int, 0, 0]);
    let func = types.add("filter", kind::FUNC, 1, proto, &[]);
    let line = |insn_off, line_off| LineInfo { insn_off, file_name_off: file, line_off, line_col: 7 << 10 | 2 };
    let lines = [line(0, lines[0]), line(1, u32::MAX), line(1, lines[1])];
    (types.build(), [FuncInfo { insn_off: 0, type_id: func }], lines)
}

#[test]
fn functions_and_lines_stand_where_they_begin() {
    let (types, func_info, line_info) = records();
    let btf = Btf::parse(&types).unwrap();
    let records = Records { func_info: &func_info, line_info: &line_info, btf: Some(&btf) };
    let lines = listing(&[i(0x18, 1, 0, 7), Insn::default(), EXIT], records, &Numbers);
    assert_eq!((lines.len(), lines[0].text.as_str(), lines[1].at), (2, "(18) r1 = 0x7", 2));
    assert_eq!(lines[0].function.as_deref(), Some("int filter(struct __sk_buff * skb, int, ...)"));
    let source = lines[0].source.as_ref().unwrap();
    assert_eq!(
        (source.file.as_str(), source.line, source.column, source.text.as_str()),
        ("a.c", 7, 2, "return\x1b[1m 1;")
    );
    assert_eq!(printable(&source.text), "return\\u{1b}[1m 1;");
    // A record inside a lddw is shown at the next instruction, the last of several.
    assert_eq!(lines[1].source.as_ref().unwrap().text, "other");
    let without = listing(&[EXIT], Records { btf: None, ..records }, &Numbers);
    assert_eq!((without[0].function.as_ref(), without[0].source.as_ref()), (None, None));
}

#[test]
fn types_without_an_end_have_no_signature() {
    let mut types = Types::new();
    // A pointer to itself; a function that returns itself; one with too many parameters to be written.
    let pointer = types.ptr(1);
    let proto = types.add("", kind::FUNC_PROTO, 1, 2, &[0, 2]);
    let many = types.add("", kind::FUNC_PROTO, 1000, 0, &[0; 2000].map(|_: u32| 4));
    types.int("int", 4, SIGNED);
    let bytes = types.build();
    let btf = Btf::parse(&bytes).unwrap();
    assert_eq!([pointer, proto, many, 99].map(|id| signature(&btf, id)), [const { None }; 4]);
}
