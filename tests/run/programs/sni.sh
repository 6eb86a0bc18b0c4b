# What sni is to find. See tests/run/filters.sh; the names are looked at by tests/programs/sni.rs.
object=bpf-src/programs/sni.bpf.o

# Two bytes, the larger one first.
be() { printf '\\x%02x\\x%02x' $(($1 / 256)) $(($1 % 256)); }
# The extension server_name: a list of one name. The second is how many bytes it says that the name has, the third, that the list has.
name() { printf '%s%s%s\\x00%s%s' "$(be 0)" "$(be $((${#1} + 5)))" "$(be "${3:-$((${#1} + 3))}")" "$(be "${2:-${#1}}")" "$1"; }
# A client hello with these extensions: so many bytes, and these.
random='\x00\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a\x0b\x0c\x0d\x0e\x0f\x00\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a\x0b\x0c\x0d\x0e\x0f'
hello() {
    printf '\\x16\\x03\\x01%s\\x01\\x00%s\\x03\\x03%s\\x00\\x00\\x02\\x13\\x01\\x01\\x00%s%s' \
        "$(be "${3:-$((47 + $1))}")" "$(be $((43 + $1)))" "$random" "$(be "$1")" "$2"
}
host=www.example.com # 15 bytes, so its extension has 24
grease='\x1a\x1a\x00\x00'

# A name: alone, over IPv6, behind another extension, before one; and the shortest and the longest that is taken.
long=aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.
long=$long$long$long$long # 256
longest=${long%??}
minibpf run $object --program sni_packet --expect keep "tcp:443:$(hello 24 "$(name $host)")" "tcp6:443:$(hello 24 "$(name $host)")" \
    "tcp:443:$(hello 28 "$grease$(name $host)")" "tcp:443:$(hello 28 "$(name $host)$grease")" \
    "tcp:443:$(hello 10 "$(name a)")" "tcp:443:$(hello 263 "$(name "$longest")")" \
    --expect-map named=6 --expect-map unnamed=0 --expect-map incomplete=0

# None: another extension, none at all, an empty one (which servers send, not clients).
minibpf run $object --program sni_packet --expect keep "tcp:443:$(hello 4 "$grease")" "tcp:443:$(hello 0 '')" "tcp:443:$(hello 4 '\x00\x00\x00\x00')" \
    --expect-map named=0 --expect-map unnamed=3 --expect-map incomplete=0

# Lengths that lie: a message longer than its record, extensions that end behind it, an extension that ends behind them and the packet; a name that is
# longer or shorter than its list says, or too long; a list longer or shorter than its extension; a name of another type; a session id of 255 bytes; more extensions than anybody has.
sixteen=$grease$grease$grease$grease$grease$grease$grease$grease$grease$grease$grease$grease$grease$grease$grease$grease
minibpf run $object --program sni_packet --expect keep \
    "tcp:443:$(hello 24 "$(name $host)" 70)" "tcp:443:$(hello 24 "$(name $host)" 20)" "tcp:443:$(hello 24 '\x1a\x1a\xff\xff')" \
    "tcp:443:$(hello 24 "$(name $host 16)")" "tcp:443:$(hello 24 "$(name $host 14)")" "tcp:443:$(hello 264 "$(name "${long%?}")")" \
    "tcp:443:$(hello 24 "$(name $host 15 19)")" "tcp:443:$(hello 24 "$(name $host 15 17)")" \
    "tcp:443:$(hello 12 '\x00\x00\x00\x08\x00\x06\x01\x00\x03abc')" \
    'tcp:443:\x16\x03\x01\x00\x47\x01\x00\x00\x43\x03\x03'"$random"'\xff\x00\x02\x13\x01\x01\x00\x00\x00' "tcp:443:$(hello 192 "$sixteen$sixteen$sixteen")" \
    --expect-map named=0 --expect-map unnamed=0 --expect-map incomplete=11

# Torn: the segment ends before the extensions, within the name, before it. Behind a whole name it may.
minibpf run $object --program sni_packet --expect keep "tcp:443:$(hello 2000 '')" "tcp:443:$(hello 2000 '\x00\x00\x00\x14\x00\x12\x00\x00\x0fwww.exam')" \
    "tcp:443:$(hello 2000 "$grease")" "tcp:443:$(hello 2000 "$(name $host)$grease")" --expect-map named=1 --expect-map unnamed=0 --expect-map incomplete=3

# No client hello: a server's, an alert, data, less than the start of one, no version of TLS, HTTP, another protocol.
minibpf run $object --program sni_packet --expect keep \
    "tcp:443:\x16\x03\x03\x00\x47\x02\x00\x00\x43\x03\x03$random\x00\x13\x01\x00\x00\x00" "tcp:443:\x15\x03\x03\x00\x02\x02\x28$random$random" \
    "tcp:443:\x17\x03\x03\x00\x40$random$random" 'tcp:443:\x16\x03\x01\x00\x47\x01\x00\x00\x43\x03\x03' "tcp:443:\x16\x02\x01\x00\x47\x01\x00\x00\x43\x03\x03$random\x00\x00\x00" \
    'tcp:443:GET / HTTP/1.1\r\nHost: www.example.com\r\n\r\n' "udp:443:$(hello 24 "$(name $host)")" tcp:443 icmp \
    --expect-map named=0 --expect-map unnamed=0 --expect-map incomplete=0

# On a TCP socket, whose byte 0 is the TCP header.
minibpf run $object --program sni_socket --as tcp --expect keep "tcp:443:$(hello 24 "$(name $host)")" "tcp6:443:$(hello 4 "$grease")" tcp:443:x \
    --expect-map named=1 --expect-map unnamed=1 --expect-map incomplete=0
