#!/usr/bin/env bash
# How long labels take to come back when a router forwards nothing for a while, UDP or TCP: bench/outage/outage.sh [SECONDS ...]
#
# It makes two network namespaces, a router and a server behind it, and removes them; so it needs root and iproute2. The page runs in Chromium on this
# side. make build first.
set -eu
cd "$(dirname "$0")/../.."
router=mindflow-router-$$ far=mindflow-far-$$ near=mfn$$
cleanup() {
	[ -z "${server:-}" ] || { kill "$server"; wait "$server" || true; }
	ip link delete "$near" 2>/dev/null || true
	ip netns delete "$router" 2>/dev/null || true
	ip netns delete "$far" 2>/dev/null || true
}
trap cleanup EXIT

ip netns add "$router"
ip netns add "$far"
ip link add "$near" type veth peer name near netns "$router"
ip -n "$router" link add far type veth peer name near netns "$far"
ip address add 10.77.1.1/24 dev "$near"
ip link set "$near" up
ip -n "$router" address add 10.77.1.2/24 dev near
ip -n "$router" address add 10.77.2.1/24 dev far
ip -n "$router" link set near up
ip -n "$router" link set far up
ip netns exec "$router" sysctl -qw net.ipv4.ip_forward=1
ip -n "$far" address add 10.77.2.2/24 dev near
ip -n "$far" link set lo up
ip -n "$far" link set near up
ip -n "$far" route add default via 10.77.2.1
ip route add 10.77.2.0/24 via 10.77.1.2

ip netns exec "$far" bin/mindflow serve --open --listen 10.77.2.2:8080 --media 10.77.2.2:9000 --log-level warn &
server=$!
node bench/outage/page.js http://10.77.2.2:8080 "$router" "${@:-3}"
