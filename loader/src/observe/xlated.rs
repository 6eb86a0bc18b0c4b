//! The instructions that the verifier made of a program, read back.

use std::os::fd::AsFd;

use crate::insn::Insn;
use crate::kernel::Program;
use crate::sys::SysError;
use crate::sys::prog_dump::prog_dump;
use crate::xlated::{self, Xlated};

impl Program {
    /// Its instructions as the verifier rewrote them, with their records. Where the kernel hides them (without `CAP_BPF`, or of a
    /// program whose constants are blinded where it hides addresses), the list is empty.
    ///
    /// # Errors
    ///
    /// `E2BIG`: a list is larger than any program needs.
    pub fn xlated(&self) -> Result<Xlated, SysError> {
        let dump = prog_dump(self.as_fd())?;
        Ok(Xlated {
            insns: Insn::decode_all(&dump.xlated),
            map_ids: dump.map_ids,
            func_info: xlated::func_records(&dump.func_info, dump.func_info_size),
            line_info: xlated::line_records(&dump.line_info, dump.line_info_size),
            ksyms: dump.ksyms,
            functions: dump.functions,
        })
    }
}
