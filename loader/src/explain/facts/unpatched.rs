//! What the kernel says of a hole that nobody filled. Each of these was seen on Linux 6.18; a test sees it again.

/// A kind of hole.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HoleKind {
    /// Its name, as JSON has it.
    pub name: &'static str,
    /// Words of the verifier's log for a program with such a hole left open; empty where it has nothing to say.
    pub log: &'static str,
    /// What that means, in one clause.
    pub means: &'static str,
}

/// A map.
pub(super) const MAP_FD: HoleKind = HoleKind {
    name: "map_fd",
    log: "R1 type=scalar expected=map_ptr",
    means: "a helper that wants a map gets a plain number",
};
/// A byte of a map's value.
pub(super) const MAP_VALUE: HoleKind = HoleKind {
    name: "map_value",
    log: "invalid mem access 'scalar'",
    means: "a plain number is no address to read from or write to",
};
/// A function that is called.
pub(super) const CALL: HoleKind = HoleKind {
    name: "call",
    log: "last insn is not an exit or jmp",
    means: "the distance leads to another slot, as if a function began there",
};
/// A function whose address is taken.
pub(super) const FUNC: HoleKind = HoleKind {
    name: "func",
    log: "number of funcs in func_info doesn't match number of subprogs",
    means: "a plain number is no function, so nothing leads to the one that was appended",
};
/// A number that depends on the kernel's types.
pub(super) const CORE: HoleKind = HoleKind {
    name: "core",
    log: "",
    means: "the number of the headers at hand is as good as any other, so the program would read the wrong bytes",
};

/// A variable or function that the kernel's types describe.
pub(super) const KERNEL_TYPE: HoleKind =
    HoleKind { name: "kernel_type", log: "", means: "0 says that the kernel does not have it" };
/// A symbol's address.
pub(super) const SYMBOL: HoleKind =
    HoleKind { name: "symbol", log: "", means: "0 says that the kernel does not have the symbol" };
/// A function of the kernel that is called.
pub(super) const KFUNC: HoleKind = HoleKind {
    name: "kfunc",
    log: "last insn is not an exit or jmp",
    means: "the call leads to a slot of the program itself, as if a function began there",
};

/// All of them.
pub const HOLES: [HoleKind; 8] = [MAP_FD, MAP_VALUE, CALL, FUNC, CORE, KERNEL_TYPE, SYMBOL, KFUNC];

impl HoleKind {
    /// Log and meaning in one sentence. Which words the verifier finds first depends on what the program does next.
    pub fn left_open(&self) -> String {
        match self.log {
            "" => format!("not noticed: {}", self.means),
            log => format!("refused, say with \"{log}\": {}", self.means),
        }
    }
}
