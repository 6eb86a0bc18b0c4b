# What each filter of bpf-src is to do, as commands that fail where it does not. Run by tests/kernel/run_expect.rs; by hand, from the
# top of the repository, with minibpf on the PATH: bash -e tests/run/filters.sh

# pass keeps everything, whatever comes.
minibpf run bpf-src/pass.bpf.o icmp icmp6 tcp:80 'tcp6:80:GET /' udp:53:x udp6:53:x --expect keep --expect 0:28 --expect 1:48
minibpf run bpf-src/pass.bpf.o --data '0000 0000 0000 0000 0000 0000 88b5' --expect 0:drop # of no bytes, all is nothing

# count: packets and bytes in all, and by the two bytes at byte 0. In a test run those are not a port but the start of the IP
# header: 0x4500 of IPv4, 0x6000 of IPv6.
minibpf run bpf-src/count.bpf.o icmp udp:53:abc udp6:53:abc --expect keep \
    --expect-map total_packets=3 --expect-map total_bytes=110 --expect-map smallest_packet=28 \
    --expect-map 'ports[0x4500]={packets=2 bytes=59}' --expect-map 'ports[0x6000].bytes=51' --expect-map 'ports[53]=absent'

# drop: what is longer than it may be.
minibpf run bpf-src/drop.bpf.o icmp tcp:80:hello --expect keep --expect-map dropped=0
minibpf run bpf-src/drop.bpf.o --set longer_than=44 udp:53:0123456789abcdef udp:53:0123456789abcdefg --expect 0:keep --expect 1:drop \
    --expect-map dropped=1 --expect-map longer_than=44

# http keeps everything, too; what it reports takes a TCP socket.
minibpf run bpf-src/http.bpf.o 'tcp:80:GET / HTTP/1.1\r\n\r\n' 'tcp6:80:HTTP/1.1 200 OK\r\n\r\n' udp:53:x --expect keep

# On real sockets: byte 0 is the transport header, so count finds the source port, and http the request.
minibpf run bpf-src/pass.bpf.o --as packet icmp tcp:80 udp6:53:x --expect keep
minibpf run bpf-src/count.bpf.o --as udp udp:53:abc udp:53:defg --expect keep --expect-map 'ports[49152]={packets=2 bytes=23}'
minibpf run bpf-src/drop.bpf.o --as udp --set longer_than=10 udp:53:ab udp:53:abc --expect 0:keep --expect 1:drop --expect-map dropped=1
minibpf run bpf-src/http.bpf.o --as tcp 'tcp:80:GET / HTTP/1.1\r\n\r\n' 'tcp:80:HTTP/1.1 200 OK\r\n\r\n' --expect keep
