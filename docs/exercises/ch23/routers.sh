# A server behind two routers: network namespaces in a row, each joined to the next by a pair of virtual Ethernet devices.
#
#   here 10.0.0.1 -- 10.0.0.2 router 10.0.1.1 -- 10.0.1.2 router 10.0.2.1 -- 10.0.2.2 server
#
# Each of the three listens on port 9000. Run it in a network namespace of its own; all of it goes with the processes in $pids.
for name in first second server; do
	unshare -n sleep 60 >/dev/null 2>&1 &
	declare "$name=$!"
done
pids="$first $second $server"
on() { nsenter -n -t "$@"; }

# join FROM-PID FROM-ADDRESS TO-PID TO-ADDRESS
join() {
	on "$1" ip link add name "to$3" type veth peer name "to$1" netns "$3"
	on "$1" ip addr add "$2/24" dev "to$3"
	on "$3" ip addr add "$4/24" dev "to$1"
	on "$1" ip link set dev "to$3" up
	on "$3" ip link set dev "to$1" up
}

for host in $pids; do
	until [ "$(readlink /proc/$host/ns/net)" != "$(readlink /proc/$$/ns/net)" ]; do sleep 0.05; done
done
join $$ 10.0.0.1 $first 10.0.0.2
join $first 10.0.1.1 $second 10.0.1.2
join $second 10.0.2.1 $server 10.0.2.2
for router in $first $second; do on $router sysctl -qw net.ipv4.ip_forward=1; done
ip route add 10.0.0.0/16 via 10.0.0.2
on $first ip route add 10.0.2.0/24 via 10.0.1.2
on $second ip route add 10.0.0.0/24 via 10.0.1.1
on $server ip route add 10.0.0.0/16 via 10.0.2.1
for host in $pids; do
	nsenter -n -t "$host" python3 -m http.server 9000 >/dev/null 2>&1 &
	pids="$pids $!"
	until on $host ss -tln | grep -q :9000; do sleep 0.05; done
done
