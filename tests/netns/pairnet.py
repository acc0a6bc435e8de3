# SPDX-License-Identifier: BSD-2-Clause
"""A guest and a host namespace joined by hn and VF, and the data path between them by dptool."""

import errno
import itertools
import json
import os
import pathlib
import select
import shutil
import socket
import struct
import subprocess
import tempfile
import threading
import time

from pyroute2 import NetNS, netns

BUILD = pathlib.Path(os.environ.get("NETVF_BUILD", "build"))
TOOLS = {
    "this": BUILD / "tests/netns/datapath/dptool",
    "compiled": BUILD / "tests/netns/datapath/compiled/dptool-compiled",
    "layout": BUILD / "tests/netns/datapath/layout/dptool-layout",
}
MAC = "02:00:00:00:00:aa"
HOST_MAC = {"hn": "02:00:00:00:00:01", "vf": "02:00:00:00:00:02"}
BROADCAST = "ff:ff:ff:ff:ff:ff"
GUEST_IP, HOST_IP, NET_BROADCAST = "10.9.0.2", "10.9.0.1", "10.9.0.255"
PORT = 9000

SO_RCVBUFFORCE = 33
SOL_PACKET, PACKET_AUXDATA, PACKET_OUTGOING = 263, 8, 4
TP_STATUS_VLAN_VALID = 1 << 4
ETH_P_ALL, ETH_P_IP, ETH_P_8021Q = 3, 0x0800, 0x8100

counter = itertools.count()


def wait_until(condition, what, seconds=30):
    deadline = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        assert time.monotonic() < deadline, f"not within {seconds} s: {what}"
        time.sleep(0.002)


def in_netns(name, make):
    """Runs @make in a namespace; a socket made there stays there."""
    result, error = [], []

    def run():
        try:
            netns.setns(name)
            result.append(make())
        except BaseException as e:  # handed to who called
            error.append(e)

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    if error:
        raise error[0]
    return result[0]


def mac_bytes(mac):
    return bytes.fromhex(mac.replace(":", ""))


def checksum(data):
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return ~total & 0xffff


def udp_frame(sequence, dst=MAC, src=HOST_MAC["hn"], to=GUEST_IP, vlan=None):
    payload = struct.pack("!Q", sequence)
    udp = struct.pack("!HHHH", PORT, PORT, 8 + len(payload), 0) + payload
    head = struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(udp), 0, 0, 64, 17, 0)
    addresses = socket.inet_aton(HOST_IP) + socket.inet_aton(to)
    ip = head[:10] + struct.pack("!H", checksum(head + addresses)) + addresses
    tag = struct.pack("!HH", ETH_P_8021Q, vlan) if vlan is not None else b""
    return mac_bytes(dst) + mac_bytes(src) + tag + struct.pack("!H", ETH_P_IP) + ip + udp


def sequence_of(frame):
    """The number that a frame of ours carries, or None for another's."""
    ours = len(frame) >= 50 and frame[12:14] == b"\x08\x00" and frame[23] == 17
    if not ours or frame[36:38] != struct.pack("!H", PORT):
        return None
    return struct.unpack("!Q", frame[42:50])[0]


class Tap:
    """What arrives on an interface (not what it sends)."""

    def __init__(self, space, interface):
        self.socket = in_netns(space, lambda: self.open(interface))

    @staticmethod
    def open(interface):
        tap = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)  # not of all interfaces yet
        tap.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, 256 << 20)
        tap.setsockopt(SOL_PACKET, PACKET_AUXDATA, 1)
        tap.bind((interface, ETH_P_ALL))
        tap.setblocking(False)
        return tap

    def send(self, frame):
        self.socket.send(frame)

    def frames(self):
        """All that is there now: (sequence, VLAN or None)."""
        found = []
        while True:
            try:
                frame, control, _, address = self.socket.recvmsg(2048, 128)
            except BlockingIOError:
                return found
            except OSError as error:
                if error.errno != errno.ENETDOWN:  # told once; what came before is still there
                    raise
                continue
            sequence = sequence_of(frame)
            if address[2] == PACKET_OUTGOING or sequence is None:
                continue
            vlan = None
            for level, kind, data in control:
                if (level, kind) == (SOL_PACKET, PACKET_AUXDATA):
                    status, _, _, _, _, tci, _ = struct.unpack("IIIHHHH", data[:20])
                    vlan = tci & 0xfff if status & TP_STATUS_VLAN_VALID else None
            found.append((sequence, vlan))

    def sequences(self):
        return [sequence for sequence, _ in self.frames()]

    def expect(self, wanted):
        """Waits until these numbers were seen, in any order; returns all that was."""
        seen = []
        left = set(wanted)

        def complete():
            new = self.sequences()
            seen.extend(new)
            left.difference_update(new)
            return not left

        wait_until(complete, f"{len(wanted)} frames")
        return seen


class Receiver(Tap):
    """The same of a UDP socket: what the stack has accepted."""

    def __init__(self, space):
        self.socket = in_netns(space, self.bind)

    @staticmethod
    def bind():
        udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        udp.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, 256 << 20)
        udp.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
        udp.bind(("", PORT))
        udp.setblocking(False)
        return udp

    def send_to_host(self, sequence):
        self.socket.sendto(struct.pack("!Q", sequence), (HOST_IP, PORT))

    def frames(self):
        found = []
        while True:
            try:
                found.append((struct.unpack("!Q", self.socket.recv(64))[0], None))
            except BlockingIOError:
                return found


class Refused(Exception):
    def __init__(self, number):
        super().__init__(os.strerror(-number))
        self.errno = -number


class Tool:
    """One process that has the data path open."""

    def __init__(self, space, run_dir, version="this"):
        self.process = subprocess.Popen(
            self.command(space, run_dir, version),
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.log = []
        threading.Thread(
            target=lambda: self.log.extend(self.process.stderr), daemon=True).start()
        self.answer()

    @staticmethod
    def command(space, run_dir, version):
        return ["nsenter", f"--net=/run/netns/{space}", "--", TOOLS[version], run_dir]

    def answer(self):
        line = self.process.stdout.readline()
        assert line, "".join(self.log)[-2000:]
        answer = json.loads(line)
        if answer["r"]:
            error = Refused(answer["r"])
            error.value = answer.get("value")
            raise error
        return answer.get("value")

    def begin(self, *words):
        self.process.stdin.write(" ".join(map(str, words)) + "\n")
        self.process.stdin.flush()

    def __call__(self, *words):
        self.begin(*words)
        return self.answer()

    def kill(self):
        self.process.kill()
        self.process.wait()

    def close(self):
        """Ends it as a program ends, which is when a sanitizer speaks of leaks."""
        self.process.stdin.close()
        assert self.process.wait(10) == 0, "".join(self.log)[-2000:]


class Load:
    """Sends numbered frames from a thread of its own, some at each millisecond."""

    def __init__(self, send, pps):
        self.sent = 0
        self.stopping = False
        self.failed = None
        self.send, self.pps = send, pps
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()

    def run(self):
        began = time.monotonic()
        try:
            while not self.stopping:
                due = int((time.monotonic() - began) * self.pps)
                for _ in range(min(due - self.sent, 200)):
                    self.send(self.sent)
                    self.sent += 1
                select.select([], [], [], 0.001)
        except OSError as error:
            self.failed = error

    def stop(self):
        self.stopping = True
        self.thread.join()
        if self.failed:
            raise self.failed
        return range(self.sent)


class PairNet:
    def __init__(self):
        unique = f"{os.getpid()}-{next(counter)}"
        self.guest, self.host = f"nvdp-{unique}-guest", f"nvdp-{unique}-host"
        self.run_dir = tempfile.mkdtemp(prefix="nvdp-")
        self.tools = []
        self.loads = []
        self.ip = NetNS(self.guest)
        self.host_ip = NetNS(self.host)
        self.add_port("hn")
        self.add_port("vf")
        for ip in self.ip, self.host_ip:
            ip.link("set", index=self.index("lo", ip), state="up")
        self.hn, self.vf = self.index("hn0"), self.index("vf0")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def index(self, name, ip=None):
        found = (ip or self.ip).link_lookup(ifname=name)
        return found[0] if found else 0

    def add_port(self, port, name=None, index=0):
        """A veth: PORT0 in the guest, PORT0h in the host; both up."""
        name = name or f"{port}0"
        peer = {"ifname": f"{name}h", "net_ns_fd": self.host, "address": HOST_MAC[port]}
        extra = {"index": index} if index else {}
        self.ip.link("add", ifname=name, kind="veth", peer=peer, address=MAC, **extra)
        self.quiet(self.guest, name)
        self.quiet(self.host, f"{name}h")
        self.host_ip.link("set", index=self.index(f"{name}h", self.host_ip), state="up")
        self.ip.link("set", index=self.index(name), state="up")
        for ip, end in (self.ip, name), (self.host_ip, f"{name}h"):
            wait_until(lambda: self.takes_frames(ip, end), f"{end} takes frames")
        return self.index(name)

    def takes_frames(self, ip, name):
        """The kernel drops what is sent before it has given a link that got its carrier a queue."""
        link = ip.get_links(self.index(name, ip))[0]
        return link.get_attr("IFLA_CARRIER") == 1 and link.get_attr("IFLA_QDISC") != "noop"

    @staticmethod
    def quiet(space, name):
        def write():
            path = pathlib.Path(f"/proc/sys/net/ipv6/conf/{name}/disable_ipv6")
            if path.exists():
                path.write_text("1")
        in_netns(space, write)

    def tool(self, version="this"):
        tool = Tool(self.guest, self.run_dir, version)
        self.tools.append(tool)
        return tool

    def tap(self, name):
        return Tap(self.host if name.endswith("h") else self.guest, name)

    def receiver(self):
        return Receiver(self.guest)

    def give_address(self, name):
        """The upper's configuration; the host answers no ARP."""
        index = self.index(name)
        self.ip.link("set", index=index, state="up")
        self.ip.addr("add", index=index, address=GUEST_IP, prefixlen=24, broadcast=NET_BROADCAST)
        self.ip.neigh("add", dst=HOST_IP, lladdr="02:00:00:00:00:99", ifindex=index)

    def load(self, send, pps):
        self.loads.append(Load(send, pps))
        return self.loads[-1]

    def close(self):
        for load in self.loads:
            load.stopping = True
        for tool in self.tools:
            if tool.process.poll() is None:
                tool.close()
        self.ip.close()
        self.host_ip.close()
        for space in self.guest, self.host:
            netns.remove(space)
        self.unmount()
        shutil.rmtree(self.run_dir)

    def unmount(self):
        mount = f"{self.run_dir}/bpf"
        while os.path.ismount(mount):
            subprocess.run(["umount", "-l", mount], check=True)

    def hide(self):
        """What is pinned so far is not seen until unhide()."""
        subprocess.run(["mount", "-t", "bpf", "bpf", f"{self.run_dir}/bpf"], check=True)

    def unhide(self):
        subprocess.run(["umount", f"{self.run_dir}/bpf"], check=True)

    def tc(self, *words):
        return subprocess.run(
            ["ip", "netns", "exec", self.guest, "tc", *words], check=True, text=True,
            capture_output=True).stdout


class Pair:
    """A pair in one form, its upper configured."""

    def __init__(self, net, form, active="vf", version="this"):
        self.net = net
        self.tool = net.tool(version)
        self.tool("edit", "hn0", f"mac={MAC}", "vf=vf0", f"active={active}")
        if form == "lagg":
            self.tool("lagg-create", "hn0", "lagg0")
            self.tool("lagg-carrier", "lagg0", "on")
        self.upper = {"transparent": "hn0", "lagg": "lagg0", "exclusive": "vf0"}[form]
        net.give_address(self.upper)
        self.tool("edit", "hn0", f"form={form}")
        self.receiver = net.receiver()
        self.taps = {port: net.tap(f"{port}0h") for port in HOST_MAC}

    def packets(self, port):
        return {key: packets for key, (packets, _) in self.counters(port).items()}

    def counters(self, port):
        return self.tool("counters", f"{port}0")


def kernel_has(kind):
    """Whether this kernel can make a link of a kind."""
    name = f"nvdp-{os.getpid()}-{next(counter)}-kind"
    ip = NetNS(name)
    try:
        ip.link("add", ifname="try0", kind=kind)
        return True
    except Exception as error:  # pyroute2's NetlinkError moved between versions
        if getattr(error, "code", None) in (95, 93):
            return False
        raise
    finally:
        ip.close()
        netns.remove(name)
