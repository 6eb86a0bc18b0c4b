# What http-count is to count. See tests/run/filters.sh.
object=bpf-src/programs/http-count.bpf.o

# Each method, and of each class of answers one; over IPv4 and IPv6.
minibpf run $object --program http_packet --expect keep \
    'tcp:80:GET / HTTP/1.1\r\n\r\n' 'tcp6:80:GET /2 HTTP/1.0\r\n\r\n' 'tcp:80:HEAD / HTTP/1.1\r\n' 'tcp:80:POST / HTTP/1.1\r\n' 'tcp:80:PUT / HTTP/1.1\r\n' \
    'tcp:80:DELETE / HTTP/1.1\r\n' 'tcp:80:CONNECT host:443 HTTP/1.1' 'tcp:80:OPTIONS * HTTP/1.1' 'tcp:80:TRACE / HTTP/1.1' 'tcp:80:PATCH / HTTP/1.1' \
    'tcp:80:HTTP/1.1 100 Continue' 'tcp:80:HTTP/1.1 200 OK' 'tcp6:80:HTTP/1.0 204' 'tcp:80:HTTP/1.1 301 Moved' 'tcp:80:HTTP/1.1 404 No' 'tcp:80:HTTP/1.1 503 No' \
    --expect-map 'methods[GET]=2' --expect-map 'methods[HEAD]=1' --expect-map 'methods[POST]=1' --expect-map 'methods[PUT]=1' --expect-map 'methods[DELETE]=1' \
    --expect-map 'methods[CONNECT]=1' --expect-map 'methods[OPTIONS]=1' --expect-map 'methods[TRACE]=1' --expect-map 'methods[PATCH]=1' \
    --expect-map 'classes[INFORMATION]=1' --expect-map 'classes[SUCCESS]=2' --expect-map 'classes[REDIRECTION]=1' \
    --expect-map 'classes[CLIENT_ERROR]=1' --expect-map 'classes[SERVER_ERROR]=1' \
    --expect-map 'codes[100]=1' --expect-map 'codes[200]=1' --expect-map 'codes[204]=1' --expect-map 'codes[301]=1' --expect-map 'codes[404]=1' --expect-map 'codes[503]=1'

# What is no beginning of a message: the handshake, less than 12 bytes, another protocol, small letters, a longer word, a later version,
# a code that is none.
minibpf run $object --program http_packet --expect keep \
    tcp:80 'tcp:80:GET / HTTP/' 'udp:80:GET / HTTP/1.1\r\n' icmp 'tcp:80:get / HTTP/1.1\r\n' 'tcp:80:GETS / HTTP/1.1\r\n' 'tcp:80:DELETED / HTTP/1.1\r\n' \
    'tcp:80:PRI * HTTP/2.0\r\n' 'tcp:80:HTTP/2.0 200 OK' 'tcp:80:HTTP/1.1X200 OK' 'tcp:80:HTTP/1.1 600 OK' 'tcp:80:HTTP/1.1 099 OK' \
    'tcp:80:HTTP/1.1 2x0 OK' 'tcp:80:HTTP/1.1 20' \
    --expect-map 'methods[GET]=absent' --expect-map 'methods[DELETE]=absent' --expect-map 'methods[OTHER]=absent' \
    --expect-map 'classes[SUCCESS]=absent' --expect-map 'codes[200]=absent' --expect-map 'codes[600]=absent' --expect-map 'codes[99]=absent'

# Headers with options: an IP header of 24 bytes, a TCP header of 32; then headers that lie about their length, and a later fragment,
# whose bytes are no header.
ether='000000000000 000000000000 0800'
ports='c0000050 00000001 00000001'
get='474554202f20485454502f312e310d0a'
minibpf run $object --program http_packet --expect keep \
    --data "$ether 46000048 00004000 40060000 7f000001 7f000001 01010100 $ports 80180200 00000000 01010101 01010101 01010100 $get" \
    --expect-map 'methods[GET]=1'
minibpf run $object --program http_packet --expect keep \
    --data "$ether 44000038 00004000 40060000 7f000001 7f000001 $ports 50180200 00000000 $get" \
    --data "$ether 45000038 00004000 40060000 7f000001 7f000001 $ports 40180200 00000000 $get" \
    --data "$ether 45000038 00004000 40060000 7f000001 7f000001 $ports f0180200 00000000 $get" \
    --data "$ether 45000038 00000001 40060000 7f000001 7f000001 $ports 50180200 00000000 $get" \
    --data "$ether 45000014 00004000 40060000 7f000001 7f000001" \
    --expect-map 'methods[GET]=absent'

# On a TCP socket, whose byte 0 is the TCP header.
minibpf run $object --program http_socket --as tcp --expect keep \
    'tcp:80:GET / HTTP/1.1\r\n\r\n' 'tcp6:80:POST / HTTP/1.1\r\n\r\n' 'tcp:80:HTTP/1.1 404 Not Found\r\n\r\n' tcp:80:short \
    --expect-map 'methods[GET]=1' --expect-map 'methods[POST]=1' --expect-map 'codes[404]=1' --expect-map 'classes[CLIENT_ERROR]=1'
