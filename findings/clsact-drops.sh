#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Linux: an empty clsact qdisc drops frames that its interface sends, as it comes and as it goes.
#
# Assumed: clsact holds filters and has no queue, and `tc qdisc add dev va clsact` leaves the root
# qdisc as it is. So nothing that is sent notices when it comes or goes without a filter.
# Seen with Linux 6.18.44 and iproute2 6.1.0, on a busy machine: a quarter of all frames are
# dropped while it comes and goes 50 times, with either root qdisc, and send(2) reports no error.
# (The kernel deactivates the interface's transmit queues, and waits for a grace period.)
set -eu
cd "$(dirname "$0")"
[ "${1-}" = inside ] || exec ./with bookworm iproute2=6.1.0-3 -- "$PWD/${0##*/}" inside

changed() {
	echo "CHANGED: $*"
	exit 1
}

# Does something 50 times, and sends numbered frames by va meanwhile, without a pause. Prints how
# many were sent, how many of them pa has not received, and how many send(2) has refused.
repeat() {
	/usr/bin/python3 - "i=0; while [ \$i -lt 50 ]; do i=\$((i + 1)); $1; done" <<-'END'
		import select, socket, subprocess, sys

		TYPE = 0x88B5  # IEEE 802: for experiments
		HEAD = b"\xff" * 6 + bytes.fromhex("02000000000188b5")

		def packet(name):
		    made = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(TYPE))
		    made.setsockopt(socket.SOL_SOCKET, 33, 64 << 20)  # SO_RCVBUFFORCE
		    made.bind((name, TYPE))
		    made.setblocking(False)
		    return made

		tx, rx = packet("va"), packet("pa")
		sent, refused, arrived = 0, 0, set()

		def hear():
		    while select.select([rx], [], [], 0)[0]:
		        arrived.add(rx.recv(64)[14:22])

		tc = subprocess.Popen(["sh", "-c", sys.argv[1]])
		while tc.poll() is None:
		    try:
		        tx.send(HEAD + sent.to_bytes(8, "big"))
		    except OSError:
		        refused += 1
		    sent += 1
		    if sent % 100 == 0:
		        hear()
		hear()
		print(sent, sent - len(arrived), refused)
	END
}

echo "kernel: $(uname -r); $(tc -V)"
ip link add va type veth peer name pa
for name in va pa; do
	echo 1 >"/proc/sys/net/ipv6/conf/$name/disable_ipv6"
	ip link set "$name" up
done
come_and_go="tc qdisc add dev va clsact; tc qdisc del dev va clsact"
for root in noqueue pfifo_fast; do
	tc qdisc replace dev va root "$root"
	read -r sent lost refused < <(repeat 'tc qdisc show dev va >/dev/null')
	echo "$root, without clsact: of $sent frames $lost lost"
	[ "$lost" = 0 ] || changed "frames are lost without clsact: this machine does not keep up"
	read -r sent lost refused < <(repeat "$come_and_go")
	echo "$root, clsact comes and goes: of $sent frames $lost lost, $refused refused"
	[ "$lost" -gt 0 ] || changed "no frame is lost"
done
echo "still so"
