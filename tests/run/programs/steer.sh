# What steer is to do with each packet. By hand, from the top of the repository: bash -e tests/run/programs/steer.sh

mac='0000 0000 0001 0000 0000 0002'
# Network headers up to the addresses: TCP, UDP, ICMP; the same with 4 bytes of options, as a first fragment, as a later one.
tcp4="$mac 0800 4500 0028 0000 4000 4006 0000"
udp4="$mac 0800 4500 0028 0000 4000 4011 0000"
icmp4="$mac 0800 4500 0028 0000 4000 4001 0000"
options4="$mac 0800 4600 002c 0000 4000 4006 0000"
first4="$mac 0800 4500 0028 0000 2000 4006 0000"
later4="$mac 0800 4500 0028 0000 00b9 4006 0000"
tcp6="$mac 86dd 6000 0000 0014 0640"
icmp6="$mac 86dd 6000 0000 0014 3a40"
extended6="$mac 86dd 6000 0000 001c 3c40"

# Microsoft's verification suite of the hash: source, destination and ports of TCP; then the addresses alone.
minibpf run bpf-src/programs/steer.bpf.o --program hash --expect 0:0x51ccc178 --expect 1:0x323e8fc2 \
    --data "$tcp4 420995bb a18e6450 0aea 06e6" --data "$icmp4 420995bb a18e6450 0aea 06e6"
minibpf run bpf-src/programs/steer.bpf.o --program hash --expect 0:0xc626b0ea --expect 1:0xd718262a \
    --data "$tcp4 c75c6f02 41458c53 3796 1283" --data "$icmp4 c75c6f02 41458c53 3796 1283"
minibpf run bpf-src/programs/steer.bpf.o --program hash --expect 0:0x5c2b394a --expect 1:0xd2d0a5de \
    --data "$tcp4 1813c65f 0c16cfb8 3262 9488" --data "$icmp4 1813c65f 0c16cfb8 3262 9488"
minibpf run bpf-src/programs/steer.bpf.o --program hash --expect 0:0xafc7327f --expect 1:0x82989176 \
    --data "$tcp4 261bcd1e d18ea306 bc64 08a9" --data "$icmp4 261bcd1e d18ea306 bc64 08a9"
minibpf run bpf-src/programs/steer.bpf.o --program hash --expect 0:0x10e828a2 --expect 1:0x5d1809c5 \
    --data "$tcp4 9927a3bf cabc7f02 acdb 0517" --data "$icmp4 9927a3bf cabc7f02 acdb 0517"
minibpf run bpf-src/programs/steer.bpf.o --program hash --expect 0:0x40207d3d --expect 1:0x2cc18cd5 \
    --data "$tcp6 3ffe250102001fff0000000000000007 3ffe2501020000030000000000000001 0aea 06e6" --data "$icmp6 3ffe250102001fff0000000000000007 3ffe2501020000030000000000000001 0aea 06e6"
minibpf run bpf-src/programs/steer.bpf.o --program hash --expect 0:0xdde51bbf --expect 1:0x0f0c461c \
    --data "$tcp6 3ffe050100080000026097fffe40efab ff020000000000000000000000000001 3796 1283" --data "$icmp6 3ffe050100080000026097fffe40efab ff020000000000000000000000000001 3796 1283"
minibpf run bpf-src/programs/steer.bpf.o --program hash --expect 0:0x02d1feef --expect 1:0x4b61e985 \
    --data "$tcp6 3ffe1900454500030200f8fffe2167cf fe800000000000000200f8fffe2167cf acdb 9488" --data "$icmp6 3ffe1900454500030200f8fffe2167cf fe800000000000000200f8fffe2167cf acdb 9488"

# A key that repeats two bytes does not care which end is first: each half of addresses and ports meets the same bits of it.
twice="key=[0x6d 0x5a 0x6d 0x5a 0x6d 0x5a 0x6d 0x5a 0x6d 0x5a 0x6d 0x5a 0x6d 0x5a 0x6d 0x5a 0x6d 0x5a 0x6d 0x5a 0x6d 0x5a 0x6d 0x5a 0x6d 0x5a 0x6d 0x5a 0x6d 0x5a 0x6d 0x5a 0x6d 0x5a 0x6d 0x5a 0x6d 0x5a 0x6d 0x5a]"
minibpf run bpf-src/programs/steer.bpf.o --program hash --set "$twice" --expect 0x9fcc9fcc \
    --data "$tcp4 420995bb a18e6450 0aea 06e6" --data "$tcp4 a18e6450 420995bb 06e6 0aea"
minibpf run bpf-src/programs/steer.bpf.o --program hash --set "$twice" --expect 0x13eb13eb \
    --data "$tcp6 3ffe2501020000030000000000000001 3ffe250102001fff0000000000000007 06e6 0aea" \
    --data "$tcp6 3ffe250102001fff0000000000000007 3ffe2501020000030000000000000001 0aea 06e6"

# UDP has ports, too; behind IP options they are found; without them, and of fragments, the addresses count alone.
flow='420995bb a18e6450'
minibpf run bpf-src/programs/steer.bpf.o --program hash --expect 0x51ccc178 \
    --data "$udp4 $flow 0aea 06e6" --data "$options4 $flow 01010101 0aea 06e6"
minibpf run bpf-src/programs/steer.bpf.o --program hash --set with_ports=false --expect 0x323e8fc2 \
    --data "$tcp4 $flow 0aea 06e6" --data "$udp4 $flow 0aea 06e6" --data "$icmp4 $flow 0aea 06e6"
minibpf run bpf-src/programs/steer.bpf.o --program hash --expect 0x323e8fc2 \
    --data "$first4 $flow 0aea 06e6" --data "$later4 $flow 0aea 06e6"
# The end of the packet comes before the ports, or in the middle of them.
minibpf run bpf-src/programs/steer.bpf.o --program hash --expect 0x323e8fc2 --data "$tcp4 $flow" --data "$tcp4 $flow 0aea 06"
# Behind an extension header of IPv6 the ports are not looked for.
minibpf run bpf-src/programs/steer.bpf.o --program hash --expect 0x2cc18cd5 \
    --data "$extended6 3ffe250102001fff0000000000000007 3ffe2501020000030000000000000001 0600 0104 0000 0000 0aea 06e6"

# What is not IP has no hash: queue 0, whatever the table says.
minibpf run bpf-src/programs/steer.bpf.o --data "$mac 0806 0001 0800 0604" --data "$mac 88b5 0000" --expect 0 \
    --set 'table=[7 7 7 7 7 7 7 7 7 7 7 7 7 7 7 7]' --expect-map unhashed=2

# The last four bits of the hash choose the slot (of 51ccc178: 8, of 323e8fc2: 2), and the slot the queue.
minibpf run bpf-src/programs/steer.bpf.o --data "$tcp4 $flow 0aea 06e6" --data "$icmp4 $flow 0aea 06e6" --expect 0:8 --expect 1:2 \
    --expect-map 'slots=[0 0 1 0 0 0 0 0 1 0 0 0 0 0 0 0]' --expect-map unhashed=0
minibpf run bpf-src/programs/steer.bpf.o --data "$tcp4 $flow 0aea 06e6" --data "$icmp4 $flow 0aea 06e6" --expect 0:3 --expect 1:1 \
    --set 'table=[0 0 1 0 0 0 0 0 3 0 0 0 0 0 0 0]' --expect-map 'slots[8]=1'

# A packet of a flow goes where the one before it went; another port is another flow.
minibpf run bpf-src/programs/steer.bpf.o udp:53:a udp:53:bb udp:53:ccc --expect 6 --expect-map 'slots[6]=3'
minibpf run bpf-src/programs/steer.bpf.o udp:54:a tcp:53:a udp6:53:a icmp icmp6 --expect-map unhashed=0 \
    --expect 0:2 --expect 1:6 --expect 2:14 --expect 3:12 --expect 4:8
