//! A value in memory, read by its type.
