# hops keeps everything. By hand, from the top of the repository: bash -e tests/run/programs/hops.sh. What it reports of a SYN-ACK takes a
# connection, or a packet that looks like one where byte 0 is that of IP: tests/programs/hops.rs has both.

mac='0000 0000 0001 0000 0000 0002'
minibpf run bpf-src/programs/hops.bpf.o icmp icmp6 udp:53:x udp6:53:x tcp:80 tcp6:80 'tcp:80:GET /' --expect keep
minibpf run bpf-src/programs/hops.bpf.o --as tcp tcp:80:hello tcp6:80:hello --expect keep
# No IP at all; and too short to have flags.
minibpf run bpf-src/programs/hops.bpf.o --data "$mac 88b5 0102" --data "$mac 88b5 0102 0304 0506 0708 090a 0b0c 0d" --expect keep
