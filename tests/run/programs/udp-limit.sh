# What udp-limit is to let through. See tests/run/filters.sh.
object=bpf-src/programs/udp-limit.bpf.o
v4='clients[{address=[0 0 0 0 0 0 0 0 0 0 255 255 127 0 0 1]}]'
v6='clients[{address=[0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 1]}]'

# An hour for a token, as good as never: of each client the burst comes through, and no more.
minibpf run $object --set every_us=3600000000 --set burst=2 udp:53:a udp:53:b udp:53:c udp6:53:d udp6:53:e udp6:53:f udp6:53:g udp:54:h \
    --expect 0:keep --expect 1:keep --expect 2:drop --expect 3:keep --expect 4:keep --expect 5:drop --expect 6:drop --expect 7:drop \
    --expect-map "$v4.kept=2" --expect-map "$v4.dropped=2" --expect-map "$v6.kept=2" --expect-map "$v6.dropped=2" --expect-map kept=4 --expect-map dropped=4

# A microsecond for a token: nobody is that fast here. No time for one: no limit. A bucket for none: nothing comes through.
minibpf run $object --set every_us=1 --set burst=1 udp:53:a udp:53:b udp:53:c --expect keep --expect-map dropped=0
minibpf run $object --set every_us=0 --set burst=0 udp:53:a udp:53:b udp:53:c --expect keep --expect-map dropped=0
minibpf run $object --set every_us=1 --set burst=0 udp:53:a udp6:53:b --expect drop --expect-map kept=0

# The address lies where it always does, whatever the header's options and the payload are: of a later fragment, too. Another address is
# another client.
ether='000000000000 000000000000 0800'
minibpf run $object --set every_us=3600000000 --set burst=1 \
    --data "$ether 46000021 00004000 40110000 7f000001 7f000002 01010100 c0000035 00090000 61" \
    --data "$ether 45000015 00000001 40110000 7f000001 7f000002 61" \
    --data "$ether 4500001d 00004000 40110000 7f000009 7f000002 c0000035 00090000 61" \
    --expect 0:keep --expect 1:drop --expect 2:keep --expect-map "$v4.kept=1" --expect-map "$v4.dropped=1"

# Without an IP header there is no client, and so no limit.
minibpf run $object --set every_us=3600000000 --set burst=0 --data '0000 0000 0000 0000 0000 0000 88b5 61626364' --expect keep --expect-map kept=0 --expect-map dropped=0

# On a UDP socket.
minibpf run $object --as udp --set every_us=3600000000 --set burst=1 udp:53:a udp6:53:b udp:53:c udp6:53:d \
    --expect 0:keep --expect 1:keep --expect 2:drop --expect 3:drop --expect-map "$v4.kept=1" --expect-map "$v6.dropped=1"
