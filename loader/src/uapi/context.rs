//! The context of a socket filter, `struct __sk_buff`: which field lies at which offset, and who may touch it.

/// What a socket filter may do with a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Nothing: other types of programs have it.
    None,
    /// Read it.
    Read,
    /// Read and write it.
    Write,
}

/// A field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Field {
    /// Its name.
    pub name: &'static str,
    /// Bytes from the beginning of the context.
    pub offset: i64,
    /// Bytes.
    pub size: i64,
    /// What a socket filter may do with it.
    pub access: Access,
}

impl Field {
    /// The field at an offset.
    pub fn at(offset: i64) -> Option<Self> {
        FIELDS.into_iter().find(|field| (field.offset..field.offset + field.size).contains(&offset))
    }

    /// Whether it points to the packet's bytes, which a socket filter only reaches by copying them.
    pub fn is_packet_pointer(self) -> bool {
        matches!(self.name, "data" | "data_end" | "data_meta")
    }

    /// All of it in one line.
    pub fn describe(self) -> String {
        let can = match self.access {
            Access::None => "not for socket filters",
            Access::Read => "a socket filter may read it",
            Access::Write => "a socket filter may read and write it",
        };
        format!("offset {} of struct __sk_buff is `{}`, {} bytes: {can}", self.offset, self.name, self.size)
    }
}

const fn field(name: &'static str, offset: i64, size: i64, access: Access) -> Field {
    Field { name, offset, size, access }
}

use Access::{None as Closed, Read, Write};

/// As Linux 6.18 has it; offsets never change. Kernel: `sk_filter_is_valid_access()`, `net/core/filter.c`.
pub const FIELDS: [Field; 35] = [
    field("len", 0, 4, Read),
    field("pkt_type", 4, 4, Read),
    field("mark", 8, 4, Read),
    field("queue_mapping", 12, 4, Read),
    field("protocol", 16, 4, Read),
    field("vlan_present", 20, 4, Read),
    field("vlan_tci", 24, 4, Read),
    field("vlan_proto", 28, 4, Read),
    field("priority", 32, 4, Read),
    field("ingress_ifindex", 36, 4, Read),
    field("ifindex", 40, 4, Read),
    field("tc_index", 44, 4, Read),
    field("cb[]", 48, 20, Write),
    field("hash", 68, 4, Read),
    field("tc_classid", 72, 4, Closed),
    field("data", 76, 4, Closed),
    field("data_end", 80, 4, Closed),
    field("napi_id", 84, 4, Read),
    field("family", 88, 4, Closed),
    field("remote_ip4", 92, 4, Closed),
    field("local_ip4", 96, 4, Closed),
    field("remote_ip6[]", 100, 16, Closed),
    field("local_ip6[]", 116, 16, Closed),
    field("remote_port", 132, 4, Closed),
    field("local_port", 136, 4, Closed),
    field("data_meta", 140, 4, Closed),
    field("flow_keys", 144, 8, Closed),
    field("tstamp", 152, 8, Closed),
    field("wire_len", 160, 4, Closed),
    field("gso_segs", 164, 4, Read),
    field("sk", 168, 8, Read),
    field("gso_size", 176, 4, Read),
    field("tstamp_type", 180, 1, Closed),
    field("(padding)", 181, 3, Closed),
    field("hwtstamp", 184, 8, Closed),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_lie_one_after_the_other() {
        for pair in FIELDS.windows(2) {
            assert_eq!(pair[0].offset + pair[0].size, pair[1].offset, "{}", pair[1].name);
        }
    }

    #[test]
    fn bytes_76_to_83_point_to_the_packet() {
        let pointers: Vec<_> = (0..200).filter(|at| Field::at(*at).is_some_and(Field::is_packet_pointer)).collect();
        assert_eq!(pointers, (76..84).chain(140..144).collect::<Vec<_>>());
        assert_eq!((Field::at(-1), Field::at(192)), (None, None));
    }
}
