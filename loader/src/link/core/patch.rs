//! A number goes into an instruction: an immediate, an offset, or the 64 bits of `lddw`.

use super::value::Value;
use crate::insn::Insn;
use crate::plan::PatchKind;

/// Nobody's helper: what a part that the target does not have becomes. libbpf and cilium/ebpf use the same number, so that
/// every tool can tell.
const POISON: Insn = Insn { code: Insn::CALL, regs: 0, off: 0, imm: 0x0bad_2310 };

/// Bytes of a memory access, by bits 3 and 4 of the code.
const SIZES: [(u8, u64); 4] = [(0x10, 1), (0x08, 2), (0x00, 4), (0x18, 8)];

/// Patches an instruction (of two slots, if it has a second) that was compiled with the value `here`.
pub(super) fn make(insn: Insn, second: Option<Insn>, here: Value, there: Option<Value>) -> Result<PatchKind, String> {
    let poison = PatchKind::Core { first: POISON, second: second.map(|_| POISON) };
    let Some(there) = there else { return Ok(poison) };
    // The low 32 bits decide: compilers differ in the sign of what an enum of 32 bits holds.
    let compiled = |number: i64| {
        if here.is_certain && number as u32 != here.number as u32 {
            return Err(format!("the instruction holds {number}, but the object's own types say {}", here.number));
        }
        Ok(())
    };
    let (first, second) = match (insn.code & 7, second) {
        (0, Some(second)) if insn.is_lddw() => {
            compiled(i64::from(second.imm) << 32 | i64::from(insn.imm.cast_unsigned()))?;
            let (low, high) = (there.number as u32, (there.number >> 32) as u32);
            (insn.with_imm(low.cast_signed()), Some(second.with_imm(high.cast_signed())))
        }
        (4 | 7, _) if insn.code & 0x08 == 0 => {
            compiled(i64::from(insn.imm))?;
            (insn.with_imm(immediate(there.number)?), None)
        }
        (1..=3, _) => {
            compiled(i64::from(insn.off))?;
            let off = i16::try_from(there.number).map_err(|_| format!("offset {} does not fit", there.number))?;
            // An access that cannot be right is only wrong if the program gets there.
            let Some(code) = resize(insn.code, here, there)? else { return Ok(poison) };
            (Insn { code, off, ..insn }, None)
        }
        _ => return Err(format!("opcode {:#04x} has no number to be patched", insn.code)),
    };
    Ok(PatchKind::Core { first, second })
}

/// Whether the part could not be used.
pub(super) fn is_poison(kind: &PatchKind) -> bool {
    matches!(kind, PatchKind::Core { first, .. } if *first == POISON)
}

/// A number as an immediate of 32 bits, signed or not.
fn immediate(number: u64) -> Result<i32, String> {
    let signed = i32::try_from(number.cast_signed()).ok();
    let unsigned = u32::try_from(number).ok().map(u32::cast_signed);
    signed.or(unsigned).ok_or_else(|| format!("{number} does not fit"))
}

/// The field has another size there: the access takes it, if it is an unsigned number or a pointer, which no sign can spoil.
fn resize(code: u8, here: Value, there: Value) -> Result<Option<u8>, String> {
    let (Some((size, resizable)), Some((other, also))) = (here.access, there.access) else { return Ok(Some(code)) };
    if size == other {
        return Ok(Some(code));
    }
    if !resizable || !also {
        return Ok(None);
    }
    let accessed = SIZES.iter().find(|(bits, _)| *bits == code & 0x18).map_or(0, |(_, bytes)| *bytes);
    if accessed != size {
        return Err(format!("it accesses {accessed} bytes of a field of {size}, which has {other} there"));
    }
    let bits = SIZES.iter().find(|(_, bytes)| *bytes == other).map(|(bits, _)| *bits);
    bits.map(|bits| Some(code & !0x18 | bits)).ok_or_else(|| format!("no access takes {other} bytes"))
}
