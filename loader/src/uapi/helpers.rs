//! Helpers: the functions of the kernel that a program calls by number.

use super::helper_numbers::{GPL_ONLY, NAMES, NEED_PERFMON, OPEN_TO_SOCKET_FILTERS, SINCE};

/// A helper.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Helper {
    /// `enum bpf_func_id`.
    pub number: u32,
    /// Its name without `bpf_`.
    name: &'static str,
}

impl Helper {
    /// The helper of this number, as far as this version of minibpf knows it.
    pub fn of(number: i64) -> Option<Self> {
        let number = u32::try_from(number).ok().filter(|number| *number > 0)?;
        NAMES.get(number as usize).map(|name| Self { number, name })
    }

    /// The helper of this name, which begins with `bpf_`.
    pub fn named(name: &str) -> Option<Self> {
        let name = name.strip_prefix("bpf_")?;
        (1..).zip(NAMES.iter().skip(1)).find(|(_, known)| **known == name).map(|(number, name)| Self { number, name })
    }

    /// `bpf_map_lookup_elem`.
    pub fn name(self) -> String {
        format!("bpf_{}", self.name)
    }

    /// The kernel that had it first.
    pub fn since(self) -> &'static str {
        SINCE.iter().rev().find(|(_, first)| *first <= self.number).map_or("", |(version, _)| version)
    }

    /// Whether a socket filter may call it.
    pub fn is_open_to_socket_filters(self) -> bool {
        OPEN_TO_SOCKET_FILTERS.contains(&self.number)
    }

    /// Whether it wants a licence that is compatible with the GPL.
    pub fn is_gpl_only(self) -> bool {
        GPL_ONLY.contains(&self.number)
    }

    /// Whether `CAP_BPF` is not enough to load a program that calls it.
    pub fn needs_perfmon(self) -> bool {
        NEED_PERFMON.contains(&self.number)
    }

    /// All of it in one line.
    pub fn describe(self) -> String {
        let mut text = format!("{} is helper {}, since Linux {}", self.name(), self.number, self.since());
        if !self.is_open_to_socket_filters() {
            return text + ", not for socket filters";
        }
        text.push_str(", open to socket filters");
        if self.needs_perfmon() {
            text.push_str(" loaded with CAP_PERFMON");
        }
        if self.is_gpl_only() {
            text.push_str(", for GPL-compatible programs only");
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_helper_is_found_by_number_and_by_name() {
        let helper = Helper::of(26).unwrap();
        assert_eq!((helper.name().as_str(), helper.since()), ("bpf_skb_load_bytes", "4.5"));
        assert_eq!(Helper::named("bpf_skb_load_bytes"), Some(helper));
        let beyond = [0, -1, 212, i64::MAX].map(Helper::of);
        assert_eq!((beyond, Helper::named("bpf_unspec"), Helper::named("x")), ([None; 4], None, None));
    }

    #[test]
    fn what_a_helper_asks_for_is_said() {
        let describe = |name| Helper::named(name).unwrap().describe();
        assert_eq!(
            describe("bpf_skb_store_bytes"),
            "bpf_skb_store_bytes is helper 9, since Linux 4.1, not for socket filters"
        );
        assert!(describe("bpf_trace_printk").ends_with("with CAP_PERFMON, for GPL-compatible programs only"));
        assert!(describe("bpf_map_lookup_elem").ends_with("open to socket filters"));
    }

    #[test]
    fn the_tables_are_in_order_and_about_known_helpers() {
        assert!(SINCE.is_sorted_by_key(|(_, first)| *first));
        let open = |number: &u32| OPEN_TO_SOCKET_FILTERS.contains(number);
        assert!(GPL_ONLY.iter().chain(&NEED_PERFMON).all(open));
        assert!(OPEN_TO_SOCKET_FILTERS.iter().all(|number| Helper::of((*number).into()).is_some()));
    }
}
