//! What the kernel says of a hole that nobody filled.

/// A kind of hole.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HoleKind {
    /// Its name, as JSON has it.
    pub name: &'static str,
    /// Words of the verifier's log for a hole left open; empty where the kernel has nothing to say.
    pub log: &'static str,
    /// The same as a sentence.
    pub unpatched: &'static str,
}

/// An address of a map.
pub(super) const MAP_FD: &HoleKind = &HoleKind {
    name: "map_fd",
    log: "type=scalar expected=map_ptr",
    unpatched: "the verifier says `R1 type=scalar expected=map_ptr`: a number is no map",
};
/// An address of a byte in a map's value.
pub(super) const MAP_VALUE: &HoleKind = &HoleKind {
    name: "map_value",
    log: "invalid mem access 'scalar'",
    unpatched: "the verifier says `invalid mem access 'scalar'`: a number is no address",
};
/// A call of a function of the object.
pub(super) const CALL: &HoleKind = &HoleKind { name: "call", log: "", unpatched: "" };
/// The address of a function.
pub(super) const FUNC: &HoleKind = &HoleKind { name: "func", log: "", unpatched: "" };
/// A number that depends on the kernel's types.
pub(super) const CORE: &HoleKind = &HoleKind { name: "core", log: "", unpatched: "" };

/// All of them.
pub const HOLES: [&HoleKind; 5] = [MAP_FD, MAP_VALUE, CALL, FUNC, CORE];
