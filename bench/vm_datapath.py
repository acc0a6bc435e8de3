#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""What the data path costs in a guest, in all its forms, beside the kernel's bonding.

The guest has a pair for each form, made of veths, and sends by its VF. Its processor is emulated
with -icount: its clock moves by a nanosecond with every instruction. So the figures are numbers of
instructions, which another run gives again, whatever else this machine does. An instruction is no
time: a cache miss costs nothing here.

A frame's way in is what the guest does for a frame that its host sends to it, until IP has no use
for it. The host is in the guest too; what its sending takes is measured at a device that drops
everything, and subtracted. The bond has all_slaves_active set.

    bench/vm_datapath.py BUILD      also writes BUILD/bench/vm-datapath.json
"""

import json
import pathlib
import shlex
import statistics
import sys

TOP = pathlib.Path(__file__).resolve().parents[1]
sys.path[:0] = [str(TOP / "lab")]

import ratios
from netvf_lab import sandbox
from netvf_lab.places import Places
from netvf_lab.vm import initramfs
from netvf_lab.vm.cache import Cache
from netvf_lab.vm.peers import Peer
from netvf_lab.vm.session import Session

ARCHIVE = "/run/bench.initramfs"
SLICES = 5
# Of the guest's clock.
SECONDS = {"udp": 0.02, "tcp": 0.05, "ping": 0.02, "in by hn": 0.02, "in by the VF": 0.02}
WITHIN = 300  # seconds

# The number of a form is that of its hn, its VF and its network.
FORMS = {
    1: "bare VF",
    2: "bond",
    3: "netvf, lagg",
    4: "netvf, lagg as a bond",
    5: "netvf, transparent",
    6: "netvf, exclusive",
}
UPPERS = {1: "vf1", 2: "bond2", 3: "lagg3", 4: "lagg4", 5: "hn5", 6: "vf6"}
APART = (4,)
# The kind of lagg that the form's netvfd makes, and what that calls the form.
DAEMONS = {3: "bpf", 4: "bond", 5: "bpf", 6: "bpf"}
WORDS = {3: "lagg", 4: "lagg as a bond", 5: "transparent", 6: "exclusive"}

KINDS = {"udp": "datagram", "tcp": "KiB of a stream", "ping": "there and back",
         "in by hn": "in by hn", "in by the VF": "in by the VF"}
# The host's end of each port, and the third number of the address to which it sends.
WAYS_IN = {"in by hn": ("p-hn", 1), "in by the VF": ("p-vf", 0)}
NOWHERE = 2  # the same of the device that drops everything

# The largest ratio to the bond, of each kind and form.
BOUNDS = [
    ("ping", "netvf, lagg", 1.0),
    *((kind, form, 1.05) for kind in WAYS_IN for form in ("netvf, lagg", "netvf, lagg as a bond")),
]

RULES = """\
notify 10 { match "system" "HYPERV_NIC_VF"; match "subsystem" "hn[345]"; match "type" "VF_UP";
            action "/usr/libexec/hyperv/hyperv_vfup $subsystem"; };
notify 10 { match "system" "ETHERNET"; match "type" "IFATTACH";
            action "/usr/libexec/hyperv/hyperv_vfattach $subsystem 0"; };
"""


def run(guest, number, command):
    """In the form's network namespace: there is one netvfd in each."""
    if number in APART:
        command = f"ip netns exec g{number} sh -c {shlex.quote(command)}"
    return guest.run(command, within=WITHIN)


def lay(guest, number):
    """hn, VF and their host, with the host's address on the VF's other end."""
    mac = f"02:00:00:00:00:{number:02x}"
    guest.run(
        f"ip netns add h{number} && for p in hn vf; do"
        f' ip link add "${{p}}{number}"'
        f" address {mac} type veth peer name p-$p netns h{number}"
        f" && ip -n h{number} link set p-$p up; done"
        f" && ip -n h{number} address add 10.{number}.0.1/24 dev p-vf"
        f" && ip -n h{number} address add 10.{number}.1.1/24 dev p-hn"
        f" && ip -n h{number} link set lo up && ip -n h{number} link add nowhere type dummy"
        f" && ip -n h{number} address add 10.{number}.{NOWHERE}.1/24 dev nowhere"
        f" && ip -n h{number} link set nowhere up"
    )
    # The guest has none of these addresses, and does not forward.
    for ifname, third in (*WAYS_IN.values(), ("nowhere", NOWHERE)):
        guest.run(f"ip -n h{number} neighbour replace 10.{number}.{third}.9 lladdr {mac}"
                  f" dev {ifname}")
    if number in APART:
        guest.run(
            f"ip netns add g{number} && ip -n g{number} link set lo up && ip link set hn{number}"
            f" netns g{number} && ip link set vf{number} netns g{number}"
        )


def configure(guest, number, ifname):
    guest.run(f"ip address add 10.{number}.0.2/24 dev {ifname} && ip link set {ifname} up")


def bond(guest, number):
    guest.run(
        f"ip link add bond{number} type bond mode active-backup miimon 100 &&"
        f" ip link set hn{number} master bond{number} &&"
        f" ip link set vf{number} master bond{number} &&"
        f" ip link set bond{number} type bond primary vf{number} all_slaves_active 1"
    )


def start_netvfd(guest, lagg):
    directory, numbers = f"/run/{lagg}", [of for of, daemon in DAEMONS.items() if daemon == lagg]
    guest.run(f"mkdir {directory}")
    guest.write(f"{directory}/devd.conf", RULES.splitlines())
    guest.write(
        f"{directory}/rc.conf",
        [
            f'netvf_pairs="{" ".join(f"hn{number}:vf{number}" for number in numbers)}"',
            *(f'ifconfig_hn{number}="inet 10.{number}.0.2/24"' for number in numbers),
            'netvf_vf_transparent_hn5="YES"',
            'netvf_vf_xpnt_attwait="0"',
            f'netvf_lagg="{lagg}"',
        ],
    )
    run(
        guest,
        numbers[0],
        f"netvfd -d -f {directory}/devd.conf -c {directory}/rc.conf --run-dir {directory}"
        f" </dev/null >{directory}/log 2>&1 &",
    )
    guest.run(
        f"until NETVF_RUN_DIR={directory} netvf status >/dev/null 2>&1; do usleep 1000; done",
        within=WITHIN,
    )


def drop_hooks(guest):
    """From here on the programs look at the VF before each frame."""
    for lagg in ("bpf", "bond"):
        guest.run(f"echo 'netvf_hooks=\"no\"' >>/run/{lagg}/rc.conf")
    guest.run("kill -HUP $(pidof netvfd)")
    for lagg in ("bpf", "bond"):
        await_handover(guest, lagg, "looks")


def await_handover(guest, lagg, word):
    guest.run(
        f"until NETVF_RUN_DIR=/run/{lagg} netvf status | grep -q '^handover by {word}:';"
        " do usleep 1000; done",
        within=WITHIN,
    )


def carries(number):
    """An sh condition: the form's upper has its address, and sends by the VF."""
    upper = UPPERS[number]
    condition = (
        f"ip -o -4 address show dev {upper} 2>/dev/null | grep -q 10.{number}.0.2 &&"
        f" ping -c 1 -W 1 10.{number}.0.1 >/dev/null"
    )
    if number in DAEMONS:
        condition += (
            f" && NETVF_RUN_DIR=/run/{DAEMONS[number]} netvf status"
            f' | grep -q "^hn{number}: {WORDS[number]}, upper {upper}, on vf{number} "'
        )
    return condition


class Forms(Peer):
    name = "each form"

    def start(self, guest):
        prepare(guest)


class Counted(Session):
    def start_qemu(self, hn, vf, **more):
        return super().start_qemu(hn, vf, counting=True, **more)


def prepare(guest):
    # The lab's own card is no pair of ours.
    driver = "/sys/bus/virtio/drivers/virtio_net"
    guest.run(f"basename $(readlink /sys/class/net/hn0/device) >{driver}/unbind")
    for number in FORMS:
        lay(guest, number)
    configure(guest, 1, "vf1")
    guest.run("ip link set hn1 up")
    bond(guest, 2)
    configure(guest, 2, "bond2")
    configure(guest, 5, "hn5")
    configure(guest, 6, "hn6")
    for lagg in ("bpf", "bond"):
        start_netvfd(guest, lagg)
    for lagg in ("bpf", "bond"):
        await_handover(guest, lagg, "hooks")
    # Used exclusively, a VF has what its administrator gives it.
    guest.run("ip link set vf6 up && ip address flush dev hn6")
    configure(guest, 6, "vf6")
    for number in FORMS:
        run(guest, number, f"until {carries(number)}; do usleep 10000; done")
        nobody = f"10.{number}.0.9 lladdr 02:00:00:00:00:99"  # the host drops it at once
        run(guest, number, f"ip neighbour replace {nobody} dev {UPPERS[number]}")
        guest.run(f"ip netns exec h{number} blast serve </dev/null >/dev/null 2>&1 &")


def flood_in(guest, kind, number):
    """What a datagram of the host's takes, less what sending it does."""
    took = {}
    for third in (WAYS_IN[kind][1], NOWHERE):
        took[third] = float(guest.run(
            f"ip netns exec h{number} blast udp 10.{number}.{third}.9 {SECONDS[kind]}",
            within=WITHIN).split()[1])
    return took[WAYS_IN[kind][1]] - took[NOWHERE]


def measure(guest, kind, number):
    if kind in WAYS_IN:
        return flood_in(guest, kind, number)
    host = 9 if kind == "udp" else 1
    words = run(guest, number, f"blast {kind} 10.{number}.0.{host} {SECONDS[kind]}").split()
    # Of a round trip, the work of both ends; of a flood, what the sender does for each.
    return float(words[1]) * 1000 if kind == "ping" else float(words[1])


def measure_all(guest, forms):
    """What each kind of traffic took in each form, by its name, several times."""
    taken = {kind: {name: [] for name in forms} for kind in SECONDS}
    for kind, by_form in taken.items():
        for _ in range(SLICES):
            for name, values in by_form.items():
                values.append(measure(guest, kind, forms[name]))
    return taken


def measure_both_ways(guest):
    """With hooks, and without."""
    taken = measure_all(guest, {name: number for number, name in FORMS.items()})
    drop_hooks(guest)
    without = {f"{FORMS[number]}, no hooks": number for number in sorted(DAEMONS)}
    for kind, by_form in measure_all(guest, without).items():
        taken[kind].update(by_form)
    return taken


def bench(build, where, debian, output):
    kernel, busybox = debian
    blast, modules = str(build / "bench/blast"), ["veth"]
    initramfs.build(ARCHIVE, where, kernel, busybox, programs=[blast], modules=modules)
    with Counted(Forms(), where, kernel, ARCHIVE) as session:
        session.boot(WITHIN)
        taken = measure_both_ways(session.guest)
    rows = [ratios.row(f"{KINDS[kind]}, {form}", taken[kind][FORMS[2]], taken[kind][form], bound)
            for kind, form, bound in BOUNDS]
    print(*table(kernel.release, taken), "", "  Beside the bond:", *ratios.table(rows), sep="\n")
    output.write(json.dumps({"kernel": kernel.release, "instructions": taken, "figures": rows},
                            indent=1) + "\n")
    return 0


def table(release, taken):
    medians = {kind: {name: statistics.median(values) for name, values in by_form.items()}
               for kind, by_form in taken.items()}
    yield f"  Instructions in a guest with Linux {release}; in brackets, of the bare VF's."
    yield f"  {'':<31}" + "".join(f"{name:>17}" for name in KINDS.values())
    for name in medians["udp"]:
        cells = (f"{of[name]:,.0f} ({of[name] / of[FORMS[1]]:.3f})" for of in medians.values())
        yield f"  {name:<31}" + "".join(f"{cell:>17}" for cell in cells)
    spread = max(
        (max(values) - min(values)) / statistics.median(values)
        for by_form in taken.values() for values in by_form.values()
    )
    yield f"  Medians of {SLICES}; the widest spread is {spread:.2%} of its median."


def main():
    build = pathlib.Path(sys.argv[1]).resolve()
    where = Places.of_build(TOP, build)
    cache = Cache(where)
    debian = cache.kernel(), cache.busybox()  # fetched here: the sandbox has no network
    with open(build / "bench/vm-datapath.json", "w", encoding="ascii") as output:
        return sandbox.run(lambda: bench(build, where, debian, output), where.libexec)


if __name__ == "__main__":
    sys.exit(main())
