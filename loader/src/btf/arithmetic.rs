//! Values of one type, added up, taken from one another, and put in order.

use std::cmp::Ordering;

use super::value::Value;

/// What is done with two numbers.
struct Number {
    int: fn(i128, i128) -> Option<i128>,
    float: fn(f64, f64) -> f64,
}

impl Value<'_> {
    /// The sum, part by part, of two values of one type; `None` where there is nothing to add: only numbers are added.
    #[must_use]
    pub fn plus(&self, other: &Self) -> Option<Self> {
        self.parts(other, &Number { int: i128::checked_add, float: |a, b| a + b })
    }

    /// Two values of one type as one: numbers added up, and of what cannot be added the first that is not zero.
    #[must_use]
    pub fn together(&self, other: &Self) -> Self {
        match (self, other) {
            (Self::Struct(a), Self::Struct(b)) if a.len() == b.len() => {
                Self::Struct(a.iter().zip(b).map(|((name, a), (_, b))| (*name, a.together(b))).collect())
            }
            (Self::Array(a), Self::Array(b)) if a.len() == b.len() => {
                Self::Array(a.iter().zip(b).map(|(a, b)| a.together(b)).collect())
            }
            _ => self.plus(other).unwrap_or_else(|| if self.is_zero() { other.clone() } else { self.clone() }),
        }
    }

    /// What is more, part by part, than in an earlier value of the same type; `None` where nothing can be counted.
    #[must_use]
    pub fn minus(&self, earlier: &Self) -> Option<Self> {
        self.parts(earlier, &Number { int: i128::checked_sub, float: |a, b| a - b })
    }

    fn parts(&self, other: &Self, number: &Number) -> Option<Self> {
        match (self, other) {
            (Self::Int(a), Self::Int(b)) => (number.int)(*a, *b).map(Self::Int),
            (Self::Float(a), Self::Float(b)) => Some(Self::Float((number.float)(*a, *b))),
            (Self::Struct(a), Self::Struct(b)) => {
                let pairs = a.iter().zip(b).filter(|((a, _), (b, _))| a == b);
                let members: Vec<_> =
                    pairs.filter_map(|((name, a), (_, b))| Some((*name, a.parts(b, number)?))).collect();
                (!members.is_empty()).then_some(Self::Struct(members))
            }
            (Self::Array(a), Self::Array(b)) if a.len() == b.len() => {
                let elements: Option<Vec<_>> = a.iter().zip(b).map(|(a, b)| a.parts(b, number)).collect();
                elements.filter(|elements| !elements.is_empty()).map(Self::Array)
            }
            _ => None,
        }
    }

    /// Whether every part of it is zero.
    pub fn is_zero(&self) -> bool {
        match self {
            Self::Int(number) => *number == 0,
            Self::Bool(value) => !value,
            Self::Enum(_) => false,
            Self::Str(bytes) | Self::Bytes(bytes) => bytes.iter().all(|&byte| byte == 0),
            Self::Pointer(address) => *address == 0,
            Self::Float(number) => *number == 0.0,
            Self::Struct(members) => members.iter().all(|(_, value)| value.is_zero()),
            Self::Array(elements) => elements.iter().all(Self::is_zero),
        }
    }

    /// The part of that name: `bytes`, `address.port`.
    pub fn member(&self, path: &str) -> Option<&Self> {
        path.split('.').try_fold(self, |value, name| match value {
            Self::Struct(members) => find(members, name),
            _ => None,
        })
    }

    /// The order for people: numbers by size, text by its letters, structs by their first difference.
    pub fn order(&self, other: &Self) -> Ordering {
        match (self, other) {
            (Self::Int(a), Self::Int(b)) => a.cmp(b),
            (Self::Bool(a), Self::Bool(b)) => a.cmp(b),
            (Self::Pointer(a), Self::Pointer(b)) => a.cmp(b),
            (Self::Float(a), Self::Float(b)) => a.total_cmp(b),
            (Self::Enum(a), Self::Enum(b)) => a.cmp(b),
            (Self::Str(a), Self::Str(b)) | (Self::Bytes(a), Self::Bytes(b)) => a.cmp(b),
            (Self::Struct(a), Self::Struct(b)) => first_difference(a.iter().map(|(_, v)| v), b.iter().map(|(_, v)| v)),
            (Self::Array(a), Self::Array(b)) => first_difference(a.iter(), b.iter()),
            // An enum's value without a name stands before those with one.
            (a, b) => a.rank().cmp(&b.rank()),
        }
    }

    fn rank(&self) -> u8 {
        match self {
            Self::Int(_) => 0,
            Self::Enum(_) => 1,
            _ => 2,
        }
    }
}

/// Members of anonymous structs and unions count as their surrounding's own, as in C.
fn find<'v, 'data>(members: &'v [(&'data str, Value<'data>)], name: &str) -> Option<&'v Value<'data>> {
    members.iter().find_map(|(member, value)| match value {
        _ if *member == name && !name.is_empty() => Some(value),
        Value::Struct(inner) if member.is_empty() => find(inner, name),
        _ => None,
    })
}

fn first_difference<'v, 'data: 'v>(
    a: impl Iterator<Item = &'v Value<'data>>,
    b: impl Iterator<Item = &'v Value<'data>>,
) -> Ordering {
    a.zip(b).map(|(a, b)| a.order(b)).find(|order| order.is_ne()).unwrap_or(Ordering::Equal)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn traffic(packets: i128, bytes: i128) -> Value<'static> {
        Value::Struct(vec![
            ("packets", Value::Int(packets)),
            ("bytes", Value::Int(bytes)),
            ("kind", Value::Enum("TCP")),
        ])
    }

    #[test]
    fn only_numbers_are_added_and_what_is_none_is_left_out() {
        let sum = Value::Struct(vec![("packets", Value::Int(4)), ("bytes", Value::Int(60))]);
        assert_eq!(traffic(1, 20).plus(&traffic(3, 40)), Some(sum));
        assert_eq!(Value::Enum("A").plus(&Value::Enum("A")), None);
        assert_eq!(Value::Int(i128::MAX).plus(&Value::Int(1)), None);
    }

    #[test]
    fn together_nothing_is_left_out() {
        let named = |n, name: &[u8]| Value::Struct(vec![("n", Value::Int(n)), ("name", Value::Str(name.to_vec()))]);
        assert_eq!(named(0, b"").together(&named(3, b"abc")), named(3, b"abc"));
        assert_eq!(named(2, b"abc").together(&named(3, b"x")), named(5, b"abc"));
    }

    #[test]
    fn a_difference_has_a_sign() {
        assert_eq!(format!("{:+}", traffic(3, 40).minus(&traffic(1, 60)).unwrap()), "{packets=+2 bytes=-20}");
    }

    #[test]
    fn a_member_of_an_anonymous_struct_is_found_as_in_c() {
        let value = Value::Struct(vec![("", traffic(1, 2)), ("inner", traffic(3, 4))]);
        assert_eq!(value.member("bytes"), Some(&Value::Int(2)));
        assert_eq!(value.member("inner.bytes"), Some(&Value::Int(4)));
        assert_eq!((value.member("none"), value.member("")), (None, None));
    }

    #[test]
    fn structs_are_ordered_by_their_first_difference() {
        assert_eq!(traffic(2, 1).order(&traffic(10, 0)), Ordering::Less);
        assert_eq!(traffic(2, 1).order(&traffic(2, 0)), Ordering::Greater);
        assert_eq!(traffic(2, 1).order(&traffic(2, 1)), Ordering::Equal);
    }
}
