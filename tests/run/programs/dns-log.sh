# What dns-log is to log; the names are looked at by tests/programs/dns_log.rs. See tests/run/filters.sh.
object=bpf-src/programs/dns-log.bpf.o
head='\x12\x34\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00'
name='\x03www\x07example\x03com\x00'
end='\x00\x01\x00\x01'

# Questions, over IPv4 and IPv6, and one with an additional record behind it (EDNS).
minibpf run $object --program dns_packet --expect keep "udp:53:$head$name$end" "udp6:53:$head$name$end" \
    "udp:53:\x12\x34\x01\x20\x00\x01\x00\x00\x00\x00\x00\x01$name$end\x00\x00\x29\x10\x00\x00\x00\x00\x00\x00\x00" "udp:53:$head\x00$end" \
    --expect-map logged=4 --expect-map skipped=0

# No question: an answer, an update, two questions, none; a header that is cut off, a name, a type; a pointer where a label should be, a label that leads
# out of the packet.
minibpf run $object --program dns_packet --expect keep \
    "udp:53:\x12\x34\x81\x80\x00\x01\x00\x00\x00\x00\x00\x00$name$end" "udp:53:\x12\x34\x28\x00\x00\x01\x00\x00\x00\x00\x00\x00$name$end" \
    "udp:53:\x12\x34\x01\x00\x00\x02\x00\x00\x00\x00\x00\x00$name$end" "udp:53:\x12\x34\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00$name$end" \
    'udp:53:\x12\x34\x01' "udp:53:$head" "udp:53:$head\x03ww" "udp:53:$head\x03www" "udp:53:$head$name" "udp:53:$head$name\x00" \
    "udp:53:$head\xc0\x0c$end" "udp:53:$head\x03www\xc0\x0c$end" "udp:53:$head\x40www$end" "udp:53:$head\x3fwww$end" "udp:53:$head\x03www\x3f\x00$end" \
    --expect-map logged=0 --expect-map skipped=15

# The longest name has 255 bytes, and a label 63; one byte more is no name.
label='\x3faaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa'
last='\x3daaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa'
minibpf run $object --program dns_packet --expect keep "udp:53:$head$label$label$label$last\x00$end" --expect-map logged=1
minibpf run $object --program dns_packet --expect keep "udp:53:$head$label$label$label$label\x00$end" \
    "udp:53:$head$label$label$label$label$label$label$label$label\x00$end" --expect-map logged=0 --expect-map skipped=2

# Not for it: another port, another protocol.
minibpf run $object --program dns_packet --expect keep "udp:5353:$head$name$end" "tcp:53:$head$name$end" icmp udp:53 --expect-map logged=0 --expect-map skipped=1

# An IP header with options, 24 bytes; then a later fragment, and IPv6 with an extension header, which are left alone.
ether='000000000000 000000000000'
dns='c0000035 00290000 1234 0100 0001 0000 0000 0000 03777777 07657861 6d706c65 03636f6d 00 0001 0001'
minibpf run $object --program dns_packet --expect keep \
    --data "$ether 0800 46000041 00004000 40110000 7f000001 7f000001 01010100 $dns" --expect-map logged=1
minibpf run $object --program dns_packet --expect keep \
    --data "$ether 0800 4500003d 00002001 40110000 7f000001 7f000001 $dns" \
    --data "$ether 86dd 60000000 00310040 00000000000000000000000000000001 00000000000000000000000000000001 1100010400000000 $dns" \
    --expect-map logged=0 --expect-map skipped=0

# On a UDP socket, whatever its port.
minibpf run $object --program dns_socket --as udp --expect keep "udp:53:$head$name$end" "udp6:5353:$head$name$end" udp:53:hello \
    --expect-map logged=2 --expect-map skipped=1
