# What dispatch is to count of each packet. By hand, from the top of the repository: bash -e tests/run/programs/dispatch.sh

mac='0000 0000 0001 0000 0000 0002'
addresses4='0a00 0001 0a00 0002'
addresses6='fd00 0000 0000 0000 0000 0000 0000 0001 fd00 0000 0000 0000 0000 0000 0000 0002'
syn='c000 0050 0000 0000 0000 0000 5002 ffff 0000 0000'
udp='c000 0035 0008 0000'

# One of each, kept whole: two jumps each.
minibpf run bpf-src/programs/dispatch.bpf.o udp:53:x tcp:80 icmp udp6:53:x tcp6:80:x icmp6 --expect keep \
    --expect-map 'seen={packets=6 ipv4=3 ipv6=3 extensions=0 fragments=0 tcp=2 syn=1 udp=2 icmp=2 echo=2 cut=0}'

# A SYN with an ACK, and an echo reply, are no beginnings.
minibpf run bpf-src/programs/dispatch.bpf.o --expect keep --expect-map seen.syn=0 --expect-map seen.tcp=1 --expect-map seen.icmp=1 --expect-map seen.echo=0 \
    --data "$mac 0800 4500 0028 0000 4000 4006 0000 $addresses4 0050 c000 0000 0000 0000 0000 5012 ffff 0000 0000" \
    --data "$mac 0800 4500 001c 0000 4000 4001 0000 $addresses4 0000 0000 0000 0000"

# Behind IP options, behind three extension headers of IPv6 (the second of 16 bytes), in IPv4 that is in IPv4, and in IPv6 that is in IPv4.
minibpf run bpf-src/programs/dispatch.bpf.o --expect keep \
    --expect-map 'seen={packets=4 ipv4=4 ipv6=2 extensions=3 fragments=0 tcp=2 syn=2 udp=2 icmp=0 echo=0 cut=0}' \
    --data "$mac 0800 4600 002c 0000 4000 4006 0000 $addresses4 0101 0101 $syn" \
    --data "$mac 86dd 6000 0000 0034 0040 $addresses6 3c00 0104 0000 0000 2b01 010c 0000 0000 0000 0000 0000 0000 0600 0400 0000 0000 $syn" \
    --data "$mac 0800 4500 0030 0000 4000 4004 0000 $addresses4 4500 001c 0000 4000 4011 0000 $addresses4 $udp" \
    --data "$mac 0800 4500 0044 0000 4000 4029 0000 $addresses4 6000 0000 0008 1140 $addresses6 $udp"

# Empty slots: GRE, and the fragment header of IPv6. What is not IP does not come to the table.
minibpf run bpf-src/programs/dispatch.bpf.o --expect keep --expect-map 'ended[47]=2' --expect-map 'ended[44]=1' --expect-map 'not_ip[0x806]=1' \
    --expect-map seen.packets=4 --expect-map seen.ipv4=2 --expect-map seen.ipv6=1 \
    --data "$mac 0800 4500 0018 0000 4000 402f 0000 $addresses4 0000 0800" --data "$mac 0800 4500 0018 0000 4000 402f 0000 $addresses4 0000 86dd" \
    --data "$mac 86dd 6000 0000 0010 2c40 $addresses6 1100 0001 0000 0001 $udp" \
    --data "$mac 0806 0001 0800 0604 0001 0000 0000 0002 0a00 0002 0000 0000 0000 0a00 0001"
# A frame that has a length instead of an EtherType is 4 to the kernel (ETH_P_802_2). It is not taken for protocol 4, IPv4 in IPv4.
minibpf run bpf-src/programs/dispatch.bpf.o --expect keep --expect-map seen.packets=1 --expect-map seen.ipv4=0 --expect-map 'not_ip[4]=1' \
    --expect-map 'ended[4]=absent' --data "$mac 0026 4242 0300 4500 001c 0000 4000 4011 0000 $addresses4 $udp"

# Of a datagram in fragments, only the first has a header to look at.
minibpf run bpf-src/programs/dispatch.bpf.o --expect keep --expect-map seen.udp=1 --expect-map seen.fragments=1 \
    --data "$mac 0800 4500 001c 0001 2000 4011 0000 $addresses4 $udp" --data "$mac 0800 4500 001c 0001 0001 4011 0000 $addresses4 $udp"

# Cut off: in TCP before its flags, in UDP, before ICMP, in an extension header; and a header that says it is shorter than itself.
minibpf run bpf-src/programs/dispatch.bpf.o --expect keep \
    --expect-map 'seen={packets=5 ipv4=4 ipv6=1 extensions=0 fragments=0 tcp=0 syn=0 udp=0 icmp=0 echo=0 cut=5}' \
    --data "$mac 0800 4500 0028 0000 4000 4006 0000 $addresses4 c000 0050 0000 0000 0000 0000 50" \
    --data "$mac 0800 4500 001c 0000 4000 4011 0000 $addresses4 c000 0035 0008 00" \
    --data "$mac 0800 4500 001c 0000 4000 4001 0000 $addresses4" \
    --data "$mac 86dd 6000 0000 0008 0040 $addresses6 11" \
    --data "$mac 0800 4000 0028 0000 4000 4006 0000 $addresses4 $syn"

# 33 jumps and no more: IPv6, 31 extension headers, and UDP are 33. With one header more UDP is not reached, though its slot is full.
headers() {
    left=$1
    while [ "$left" -gt 1 ]; do
        echo '3c00 0104 0000 0000'
        left=$((left - 1))
    done
    echo '1100 0104 0000 0000'
}
minibpf run bpf-src/programs/dispatch.bpf.o --expect keep --data "$mac 86dd 6000 0000 0100 3c40 $addresses6 $(headers 31) $udp" \
    --expect-map seen.extensions=31 --expect-map seen.udp=1 --expect-map 'ended[17]=absent'
minibpf run bpf-src/programs/dispatch.bpf.o --expect keep --data "$mac 86dd 6000 0000 0108 3c40 $addresses6 $(headers 32) $udp" \
    --expect-map seen.extensions=32 --expect-map seen.udp=0 --expect-map 'ended[17]=1'
# A header that ends it earlier: 60 again, with nothing left to jump with.
minibpf run bpf-src/programs/dispatch.bpf.o --expect keep --data "$mac 86dd 6000 0000 0140 3c40 $addresses6 $(headers 40) $udp" \
    --expect-map seen.extensions=32 --expect-map 'ended[60]=1' --expect-map 'ended[17]=absent'
