//! What a CO-RE relocation asked the kernel's types for in vain, in words.

use crate::btf::search::essential;

/// A relocation's text, as what the kernel does not have: of `byte offset of struct task_struct.pid: 0 here, not there` it makes
/// ``struct task_struct with a field `pid` ``.
///
/// Whether the type as a whole is missing or only the field, the text does not tell; the words are true of both. A field that is
/// there as something else is said to be so at the end of the text, in parentheses.
pub(super) fn of(relocation: &str) -> String {
    let path = relocation.split_once(" of ").map_or(relocation, |(_, path)| path);
    let (path, values) = path.rsplit_once(": ").unwrap_or((path, ""));
    let named = named(path);
    match values.split_once(" (").and_then(|(_, other)| other.strip_suffix(')')) {
        Some(other) => format!("{named} as the object declares it: {other}"),
        None => named,
    }
}

fn named(path: &str) -> String {
    if let Some((named, value)) = path.split_once("::") {
        return format!("{} with a value `{value}`", type_name(named));
    }
    match path.find(['.', '[']).and_then(|at| path.split_at_checked(at)) {
        Some((named, steps)) => match steps.split_once('.') {
            Some((_, field)) => format!("{} with a field `{field}`", type_name(named)),
            None => type_name(named),
        },
        None => type_name(path),
    }
}

/// What stands behind `___` in a type's name tells the object's versions of it apart; the kernel has none of that.
fn type_name(named: &str) -> String {
    let named = essential(named);
    if named.contains(' ') { named.to_owned() } else { format!("type {named}") }
}

#[cfg(test)]
mod tests {
    use super::of;

    #[test]
    fn a_field_a_type_and_a_value_are_named_as_such() {
        for (relocation, words) in [
            ("byte offset of struct task_struct.pid: 0 here, not there", "struct task_struct with a field `pid`"),
            ("byte size of union u___old[1].a.b[2]: 4 here, not there", "union u with a field `a.b[2]`"),
            ("byte offset of struct s[3]: 12 here, not there", "struct s"),
            ("size of struct nosuch: 4 here, not there", "struct nosuch"),
            ("target type id of handle_t: 4 here, not there", "type handle_t"),
            (
                "byte offset of struct sk_buff.truesize: 0 here, not there (`truesize` is a pointer, not an array of 4)",
                "struct sk_buff with a field `truesize` as the object declares it: `truesize` is a pointer, not an array of 4",
            ),
            ("value of enum bpf_map_type::LAST: 1 here, not there", "enum bpf_map_type with a value `LAST`"),
            ("", "type "),
        ] {
            assert_eq!(of(relocation), words, "{relocation}");
        }
    }
}
