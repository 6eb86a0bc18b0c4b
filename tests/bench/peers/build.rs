//! Nothing to do: the dependency is wanted for what its own build leaves.

fn main() {}
