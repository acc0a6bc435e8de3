# SPDX-License-Identifier: BSD-2-Clause
"""DHCP clients move with the configuration: dhclient, dhcpcd and udhcpc against a dnsmasq."""

import contextlib
import os
import pathlib
import shutil
import signal
import socket
import struct
import subprocess
import time

import pytest

from harness import Guest, bounded_as_the_unit, wait_until
from moves import Ping, ip, killed_at
from netvf_lab import sandbox
from netvf_lab.topology import GUEST_MAC, HOST_ADDRESS
from programs import AddressWatch, Connection, Programs

CLIENTS = {
    "dhclient": ["dhclient", "-4", "-pf", "/run/dhclient.hn0.pid",
                 "-lf", "/var/lib/dhcp/dhclient.hn0.leases", "hn0"],
    "dhcpcd": ["dhcpcd", "-4", "hn0"],
    "udhcpc": ["udhcpc", "-i", "hn0", "-p", "/run/udhcpc.hn0.pid"],
}

needs_dhclient = pytest.mark.skipif(
    not shutil.which("dhclient"), reason="dhclient is not installed")

ETH_P_IP = 0x0800
SERVER_PORT = struct.pack("!H", 67)
DEADLINE = 30  # seconds; dhcpcd probes an address for six


@pytest.fixture(scope="module", autouse=True)
def clients_files():
    """What the clients write goes nowhere: their leases, and resolv.conf."""
    for directory in ("/var/lib/dhcp", "/var/lib/dhcpcd"):
        if os.path.isdir(directory):
            sandbox.mount("netvf-test", directory, "tmpfs", 0, "mode=0755")
    pathlib.Path("/run/resolv.conf").write_text("")
    sandbox.mount("/run/resolv.conf", "/etc/resolv.conf", None, sandbox.MS_BIND)


@pytest.fixture
def server(topology, tmp_path):
    """dnsmasq on the host's switch; its log tells what the clients asked."""
    log = tmp_path / "dnsmasq.log"
    argv = [
        "dnsmasq", "--keep-in-foreground", "--port=0", "--no-hosts", "--no-resolv", "--conf-file=",
        "--pid-file=", "--interface=switch0", "--bind-interfaces", "--no-ping", "--log-dhcp",
        "--dhcp-authoritative", "--dhcp-range=10.77.0.50,10.77.0.99,255.255.255.0,10m",
        f"--dhcp-leasefile={tmp_path}/leases", f"--log-facility={log}",
    ]
    process = topology.host.popen(argv)
    wait_until(lambda: log.exists() and "DHCP" in log.read_text(), what="dnsmasq is there")
    topology.dnsmasq = process
    yield log
    process.kill()
    process.wait()
    print(log.read_text())


def clients():
    """The command lines of all."""
    found = []
    for path in pathlib.Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):
            found.append(path.read_bytes().replace(b"\0", b" ").decode(errors="replace").strip())
    return [line for line in found if "dhc" in line.partition(" ")[0]]


def processes(guest, name):
    """Process ids and words of the clients in the guest that serve an interface, and of dhcpcd's
    helpers."""
    found = []
    netns = os.stat(f"/proc/self/fd/{guest.namespace.net}").st_ino
    for entry in pathlib.Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            words = (entry / "cmdline").read_bytes().replace(b"\0", b" ").split()
            if (words and b"dhc" in words[0] and name.encode() in words
                    and os.stat(entry / "ns/net").st_ino == netns):
                found.append((int(entry.name), words))
    return found


def serving(guest, name):
    """Process ids of the clients in the guest that serve an interface, without dhcpcd's helpers."""
    return [pid for pid, words in processes(guest, name) if not words[1].startswith(b"[")]


def the_client(guest, name):
    """The process id of the only client of an interface. One that goes into the background is two
    for a moment, and dhcpcd while it writes its title is none."""
    def one():
        found = serving(guest, name)
        return found[0] if len(found) == 1 else None

    return wait_until(one, DEADLINE, lambda: f"{name} has one client; there are {clients()}")


def boot(guest, tmp_path, *client):
    guest.netlink.link("set", index=guest.namespace.index("hn0"), state="up")
    guest.run(*client)
    wait_until(lambda: guest.addresses("hn0"), DEADLINE, "hn0 has a lease")
    programs = Programs(guest, tmp_path)
    programs.attach_vf()
    return programs


@pytest.fixture
def booted(topology, server, tmp_path, request):
    """A guest whose hn0 has its address from a DHCP client, and a VF that is up."""
    client = request.param
    if not shutil.which(client):
        pytest.skip(f"{client} is not installed")
    programs = boot(Guest(topology), tmp_path, *CLIENTS[client])
    programs.client = shutil.which(client)
    yield programs
    end_clients(programs.guest)


def end_clients(guest):
    """By SIGTERM: dhcpcd takes its helpers along. Whoever goes into the background meanwhile is
    another process, which has not been told yet."""
    def have_ended(name):
        clients = serving(guest, name)
        for pid in clients:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGTERM)
        return not clients

    for name in ("hn0", "lagg0"):
        wait_until(lambda: have_ended(name), what=f"the clients of {name} have ended")


def in_all(function):
    return pytest.mark.parametrize("booted", CLIENTS, indirect=True)(function)


def only(addresses):
    assert len(addresses) == 1, addresses
    return next(iter(addresses))


def default_is_on_lagg0(guest):
    return {(gateway, by) for where, gateway, by in guest.routes()
            if where == "default"} == {(HOST_ADDRESS, "lagg0")}


def assert_moved(guest, lease):
    assert guest.addresses("lagg0") == {lease}
    assert guest.addresses("hn0") == set()
    assert default_is_on_lagg0(guest)
    assert serving(guest, "hn0") == []
    the_client(guest, "lagg0")


@in_all
def test_rcconfs_dhcp_has_the_same_lease_on_lagg0(booted, server):
    """Waited for, with the address never absent and a connection that goes on."""
    guest = booted.guest
    lease = only(guest.addresses("hn0"))
    address = lease.split("/")[0]
    booted.write_rcconf(f'ifconfig_hn0="SYNCDHCP"\ndhclient_program="{booted.client}"\n')
    asked = server.read_text().count("DHCPACK")
    with contextlib.closing(Connection(guest, address, HOST_ADDRESS)) as tcp, \
            contextlib.closing(AddressWatch(guest, address)) as watch:
        booted.run("hyperv_vfup", "hn0")
        assert_moved(guest, lease)
        assert tcp.works()
        assert watch.absences() == 0
    log = server.read_text()
    assert log.count("DHCPACK") > asked, "the new client has a lease of its own"
    assert "DHCPRELEASE" not in log
    before = the_client(guest, "lagg0")
    booted.run("hyperv_vfup", "hn0")
    assert the_client(guest, "lagg0") == before


@in_all
def test_without_rcconf_a_running_client_moves(booted, server):
    """And it is not waited for: what is left is done in the background."""
    guest = booted.guest
    lease = only(guest.addresses("hn0"))
    address = lease.split("/")[0]
    with contextlib.closing(Connection(guest, address, HOST_ADDRESS)) as tcp, \
            contextlib.closing(AddressWatch(guest, address)) as watch:
        booted.run("hyperv_vfup", "hn0")
        assert tcp.works()
        wait_until(lambda: not serving(guest, "hn0") and not guest.addresses("hn0"), DEADLINE)
        assert_moved(guest, lease)
        assert tcp.works()
        assert watch.absences() == 0
    assert "DHCPRELEASE" not in server.read_text()


@needs_dhclient
def test_with_netvfd_the_lease_stays_while_vfs_come_and_go(start_netvfd, guest, server):
    guest.netlink.flush_addr(index=guest.namespace.index("hn0"))
    guest.run(*CLIENTS["dhclient"])
    lease = only(guest.addresses("hn0"))
    address = lease.split("/")[0]
    netvfd = start_netvfd(rcconf='netvf_pairs="hn0:vf0"\nifconfig_hn0="DHCP"\n')
    try:
        with contextlib.closing(Connection(guest, address, HOST_ADDRESS)) as tcp, \
                contextlib.closing(AddressWatch(guest, address)) as watch:
            guest.attach_vf()
            netvfd.wait_active("vf")
            wait_until(lambda: not serving(guest, "hn0") and not guest.addresses("hn0"), DEADLINE)
            assert_moved(guest, lease)
            client = the_client(guest, "lagg0")
            guest.detach_vf()
            netvfd.wait_active("hn")
            assert tcp.works()
            guest.bring_back_vf()
            netvfd.wait_active("vf")
            assert tcp.works()
            assert watch.absences() == 0
        assert_moved(guest, lease)
        assert the_client(guest, "lagg0") == client
        assert "DHCPRELEASE" not in server.read_text()
    finally:
        end_clients(guest)


@pytest.mark.parametrize("booted", ["dhclient"], indirect=True)
def test_a_client_with_an_identifier_of_its_own_keeps_it(booted, server):
    """As Debian's ifupdown starts it: -i, an identifier made from what is in the lease file."""
    guest = booted.guest
    os.kill(the_client(guest, "hn0"), signal.SIGTERM)
    wait_until(lambda: not serving(guest, "hn0"))
    index = guest.namespace.index("hn0")
    guest.netlink.flush_addr(index=index)
    leases = pathlib.Path("/var/lib/dhcp/dhclient.hn0.leases")
    leases.write_text("")
    guest.run("dhclient", "-4", "-i", "-pf", "/run/dhclient.hn0.pid", "-lf", leases, "hn0")
    lease = only(guest.addresses("hn0"))
    booted.write_rcconf('ifconfig_hn0="SYNCDHCP"\n')
    booted.run("hyperv_vfup", "hn0")
    assert_moved(guest, lease)
    asked = [line for line in server.read_text().splitlines() if "client-id" in line]
    assert not asked or len({line.split("client-id")[1] for line in asked}) == 1


@pytest.fixture
def releasing(tmp_path):
    """A dhcpcd that is ended releases its lease."""
    conf = tmp_path / "dhcpcd.conf"
    conf.write_text("# at its end\n  release\n")
    sandbox.mount(str(conf), "/etc/dhcpcd.conf", None, sandbox.MS_BIND)
    yield
    subprocess.run(["umount", "/etc/dhcpcd.conf"], check=True)


@pytest.mark.skipif(not os.path.exists("/etc/dhcpcd.conf"), reason="dhcpcd is not installed")
def test_a_dhcpcd_that_releases_at_its_end_keeps_what_has_moved(
        releasing, topology, server, tmp_path):
    guest = Guest(topology)
    programs = boot(guest, tmp_path, *CLIENTS["dhcpcd"])
    lease = only(guest.addresses("hn0"))
    programs.run("hyperv_vfup", "hn0")
    wait_until(lambda: not serving(guest, "hn0") and not guest.addresses("hn0"), DEADLINE)
    assert_moved(guest, lease)
    assert "DHCPRELEASE" not in server.read_text()
    end_clients(guest)


@needs_dhclient
def test_a_client_that_serves_other_interfaces_too_is_left_to_them(topology, server, tmp_path):
    """Nobody else would renew their leases. So hn0 keeps its configuration, and is told why."""
    guest = Guest(topology)
    guest.netlink.link("add", ifname="other0", kind="ifb")
    guest.netlink.link("set", index=guest.namespace.index("other0"), state="up")
    programs = boot(guest, tmp_path, *CLIENTS["dhclient"], "other0")
    lease = guest.addresses("hn0")
    pids = serving(guest, "other0")
    said = programs.run("hyperv_vfup", "hn0")
    assert "sockets are bound to hn0 (packet protocol 0x0003 of dhclient)" in said
    assert guest.addresses("hn0") == lease
    assert serving(guest, "other0") == pids and pids
    assert "DHCPRELEASE" not in server.read_text()
    end_clients(guest)


@pytest.mark.parametrize("booted", ["dhclient"], indirect=True)
def test_fixed_addresses_stop_the_client(booted, server):
    guest = booted.guest
    booted.write_rcconf('ifconfig_hn0="inet 10.77.0.2/24"\n')
    booted.run("hyperv_vfup", "hn0")
    assert guest.addresses("lagg0") == {"10.77.0.2/24"}
    assert serving(guest, "hn0") == serving(guest, "lagg0") == []


@in_all
def test_the_client_that_fixed_addresses_stopped_is_started_again(booted, server):
    guest = booted.guest
    lease = only(guest.addresses("hn0"))
    booted.write_rcconf('ifconfig_hn0="inet 10.77.0.2/24"\n')
    booted.run("hyperv_vfup", "hn0")
    assert guest.addresses("lagg0") == {"10.77.0.2/24"}
    booted.run("hyperv_vfup", "-r", "hn0")
    assert guest.addresses("hn0") == {lease}
    assert os.path.basename(booted.client) in title(the_client(guest, "hn0"))


@pytest.mark.parametrize("booted", ["dhcpcd"], indirect=True)
def test_a_helper_that_ends_late_is_no_client_any_more(booted, server):
    """dhcpcd's proxy, which is root's, ends after it. Here it cannot."""
    guest = booted.guest
    lease = only(guest.addresses("hn0"))
    proxies = [pid for pid, words in processes(guest, "hn0") if words[1] == b"[privileged"]
    if not proxies:
        pytest.skip("this dhcpcd has no proxy")
    os.kill(only(proxies), signal.SIGSTOP)
    booted.write_rcconf('ifconfig_hn0="inet 10.77.0.2/24"\n')
    booted.run("hyperv_vfup", "hn0")
    booted.run("hyperv_vfup", "-r", "hn0")
    assert guest.addresses("hn0") == {lease}
    the_client(guest, "hn0")


@pytest.mark.parametrize("booted", ["udhcpc"], indirect=True)
def test_a_missing_program_is_said_and_the_running_one_serves(booted, server):
    guest = booted.guest
    lease = only(guest.addresses("hn0"))
    booted.write_rcconf('ifconfig_hn0="SYNCDHCP"\ndhclient_program="/nowhere/dhclient"\n')
    said = booted.run("hyperv_vfup", "hn0")
    assert "cannot start /nowhere/dhclient on lagg0" in said
    assert_moved(guest, lease)


def title(pid):
    return pathlib.Path(f"/proc/{pid}/cmdline").read_bytes().decode()


@in_all
def test_without_a_program_the_kind_that_runs_is_taken(booted, server):
    guest = booted.guest
    lease = only(guest.addresses("hn0"))
    kind = os.path.basename(booted.client)
    booted.write_rcconf('ifconfig_hn0="SYNCDHCP"\n')
    booted.run("hyperv_vfup", "hn0")
    assert_moved(guest, lease)
    assert kind in title(the_client(guest, "lagg0"))


def hide(guest, *clients):
    """As if they were not installed, in the guest's own mounts."""
    nothing = pathlib.Path("/run/nothing")
    nothing.write_text("")
    for path in filter(None, map(shutil.which, clients)):
        guest.run("mount", "--bind", nothing, path)


@pytest.mark.parametrize("client", CLIENTS)
def test_without_a_program_the_one_that_is_installed_is_taken(topology, server, tmp_path, client):
    """None runs before. Flags that are dhclient's are given to no other."""
    if not shutil.which(client):
        pytest.skip(f"{client} is not installed")
    topology.boot()
    guest = Guest(topology)
    programs = Programs(guest, tmp_path)
    programs.attach_vf()
    programs.write_rcconf('ifconfig_hn0="SYNCDHCP"\ndhclient_flags="-v"\n')
    hide(guest, *CLIENTS.keys() - {client})
    said = programs.run("hyperv_vfup", "hn0")
    try:
        assert ("does not get dhclient_flags" in said) == (client != "dhclient")
        assert client in title(the_client(guest, "lagg0"))
        wait_until(lambda: all(a.startswith("10.77.0.") for a in guest.addresses("lagg0")))
        assert guest.addresses("hn0") == set()
    finally:
        end_clients(guest)


def test_with_no_client_at_all_nothing_moves(topology, tmp_path):
    topology.boot()
    guest = Guest(topology)
    before = guest.addresses("hn0")
    programs = Programs(guest, tmp_path)
    programs.attach_vf()
    programs.write_rcconf('ifconfig_hn0="DHCP"\n')
    hide(guest, *CLIENTS)
    assert "there is no DHCP client on this system" in programs.run("hyperv_vfup", "hn0", status=1)
    assert "there is no DHCP client" in programs.run("hyperv_vfup", "-n", "hn0", status=1)
    assert guest.addresses("hn0") == before and before
    assert guest.link("lagg0") is None


@pytest.mark.parametrize("booted", ["dhclient"], indirect=True)
def test_a_server_that_gives_another_address_is_believed(booted, server, topology):
    """What was moved along is taken off, for it is somebody else's now; not what was nobody's
    lease."""
    guest = booted.guest
    lease = only(guest.addresses("hn0"))
    guest.run("ip", "address", "add", "10.99.0.5/24", "dev", "hn0", check=True)
    address = lease.split("/")[0]
    topology.dnsmasq.kill()
    topology.dnsmasq.wait()
    other = "10.77.0.51" if address == "10.77.0.50" else "10.77.0.50"
    process = topology.host.popen([
        "dnsmasq", "--keep-in-foreground", "--port=0", "--no-hosts", "--no-resolv", "--conf-file=",
        "--pid-file=", "--interface=switch0", "--bind-interfaces", "--no-ping",
        "--dhcp-authoritative", f"--dhcp-range={other},{other},255.255.255.0,10m",
        f"--dhcp-leasefile={server}.leases", f"--log-facility={server}",
    ])
    try:
        booted.write_rcconf('ifconfig_hn0="SYNCDHCP"\n')
        booted.run("hyperv_vfup", "hn0")
        assert guest.addresses("lagg0") == {f"{other}/24", "10.99.0.5/24"}
        assert guest.addresses("hn0") == set()
        assert default_is_on_lagg0(guest)
    finally:
        process.kill()
        process.wait()


@contextlib.contextmanager
def requests_heard(topology):
    """Gives what returns when the host has heard a DHCP client."""
    with topology.host.entered():
        ear = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(ETH_P_IP))
        ear.bind(("switch0", ETH_P_IP))
    ear.settimeout(DEADLINE)

    def heard():
        while True:
            packet = ear.recv(2000)
            header = 4 * (packet[0] & 15)
            if packet[9] == socket.IPPROTO_UDP and packet[header + 2:header + 4] == SERVER_PORT:
                return

    with ear:
        yield heard


@in_all
def test_killed_while_it_waits_for_the_lease_the_next_run_completes_it(booted, topology, server):
    guest = booted.guest
    lease = only(guest.addresses("hn0"))
    address = lease.split("/")[0]
    booted.write_rcconf(f'ifconfig_hn0="SYNCDHCP"\ndhclient_program="{booted.client}"\n')
    with contextlib.closing(Connection(guest, address, HOST_ADDRESS)) as tcp, \
            contextlib.closing(AddressWatch(guest, address)) as watch:
        topology.dnsmasq.send_signal(signal.SIGSTOP)
        with requests_heard(topology) as heard, booted.start("hyperv_vfup", "hn0") as run:
            heard()
            assert serving(guest, "lagg0")
            assert guest.addresses("hn0") == {lease} and tcp.works()
            run.kill()
        topology.dnsmasq.send_signal(signal.SIGCONT)
        booted.run("hyperv_vfup", "hn0")
        assert tcp.works()
        assert watch.absences() == 0
    wait_until(lambda: default_is_on_lagg0(guest) and guest.addresses("lagg0") == {lease}, DEADLINE)
    assert_moved(guest, lease)


@pytest.mark.parametrize("booted", ["dhcpcd"], indirect=True)
def test_a_dhcpcd_that_hears_no_server_for_long_goes_on(booted, topology, server):
    """By itself it ends after half a minute, and nobody would renew the lease that has moved."""
    guest = booted.guest
    lease = only(guest.addresses("hn0"))
    limit = 2  # seconds
    configuration = pathlib.Path("/run/dhcpcd.conf")
    configuration.write_text(f"timeout {limit}\nnoipv4ll\n")
    guest.run("mount", "--bind", configuration, "/etc/dhcpcd.conf")
    topology.dnsmasq.send_signal(signal.SIGSTOP)
    booted.run("hyperv_vfup", "hn0")
    wait_until(lambda: serving(guest, "lagg0"), DEADLINE, "lagg0 has a client")
    end = time.monotonic() + 2 * limit
    wait_until(lambda: time.monotonic() > end, DEADLINE)
    assert serving(guest, "lagg0")
    topology.dnsmasq.send_signal(signal.SIGCONT)
    wait_until(lambda: not serving(guest, "hn0") and not guest.addresses("hn0"), DEADLINE)
    assert_moved(guest, lease)


@pytest.mark.parametrize("booted", ["dhcpcd"], indirect=True)
def test_a_link_local_address_takes_no_leases_place(booted, topology, server):
    """Which dhcpcd takes when it has heard no server for some seconds, and is done then."""
    guest = booted.guest
    lease = only(guest.addresses("hn0"))
    topology.dnsmasq.send_signal(signal.SIGSTOP)
    with contextlib.closing(AddressWatch(guest, lease.split("/")[0])) as watch:
        said = booted.run("hyperv_vfup", "hn0")
        wait_until(lambda: any(address.startswith("169.254.")
                               for address in guest.addresses("lagg0")), 2 * DEADLINE)
        wait_until(lambda: not serving(guest, "hn0") and not guest.addresses("hn0"), 2 * DEADLINE)
        assert lease in guest.addresses("lagg0"), said
        assert watch.absences() == 0
    topology.dnsmasq.send_signal(signal.SIGCONT)


@pytest.mark.parametrize("booted", ["dhclient"], indirect=True)
def test_a_client_of_another_namespace_is_not_touched(booted, topology, server):
    """It serves an interface of the same name."""
    guest = booted.guest
    topology.host.netlink.link("add", ifname="hn0", kind="veth", peer="hn0-end", address=GUEST_MAC)
    with topology.host.popen(["udhcpc", "-f", "-i", "hn0", "-s", "/bin/true"],
                             stderr=subprocess.DEVNULL) as stranger:
        wait_until(lambda: b"udhcpc" in pathlib.Path(f"/proc/{stranger.pid}/cmdline").read_bytes())
        booted.run("hyperv_vfup", "hn0")
        wait_until(lambda: not serving(guest, "hn0"), DEADLINE)
        assert stranger.poll() is None
        stranger.kill()


def test_without_a_server_the_connection_stays(topology, tmp_path):
    """rc.conf wants DHCP where nobody answers: nothing that there was is lost."""
    topology.boot()
    guest = Guest(topology)
    programs = Programs(guest, tmp_path)
    programs.attach_vf()
    programs.write_rcconf('ifconfig_hn0="DHCP"\n')
    with contextlib.closing(Connection(guest, "10.77.0.2", HOST_ADDRESS)) as tcp:
        programs.run("hyperv_vfup", "hn0")
        assert guest.addresses("lagg0") == {"10.77.0.2/24"}
        assert tcp.works()
        wait_until(lambda: serving(guest, "lagg0"))
    end_clients(guest)


LEASES = pathlib.Path("/var/lib/dhcp")
GIVE_UP = {
    "dhclient": ["dhclient", "-4", "-r", *CLIENTS["dhclient"][2:]],
    "dhcpcd": ["dhcpcd", "-k", "hn0"],
    "udhcpc": ["true"],
}


def move(booted, *words):
    """Moves there or back, to the end of what is done in the background."""
    booted.run("hyperv_vfup", *words, "hn0")
    booted.run("hyperv_vfup", *words, "hn0")  # waits for the first one's lock


def copied_routes(guest):
    """What leads while a client starts: routes, known by their protocol, and next hop objects."""
    return ip(guest, "route", "show", "table", "all", "proto", "110") + ip(guest, "nexthop")


@in_all
def test_nothing_is_lost_while_a_client_starts(booted, server):
    """udhcpc's script flushes its interface then."""
    guest = booted.guest
    address = only(guest.addresses("hn0")).split("/")[0]
    with contextlib.closing(Ping(guest, address, every=0.002)) as ping:
        booted.run("hyperv_vfup", "hn0")
        the_client(guest, "lagg0")
        booted.run("hyperv_vfup", "-r", "hn0")
        the_client(guest, "hn0")
        assert ping.lost() == []
    assert not copied_routes(guest)


THERE, BACK = [], ["-r"]


@pytest.mark.parametrize("first", [THERE, BACK], ids=["there", "back"])
@pytest.mark.parametrize("then", [THERE, BACK], ids=["then-there", "then-back"])
@pytest.mark.parametrize("booted", ["udhcpc"], indirect=True)
def test_killed_while_a_client_starts_the_next_run_leaves_no_copied_routes(
        booted, server, first, then):
    guest = booted.guest
    lease = only(guest.addresses("hn0"))
    if first is BACK:
        booted.run("hyperv_vfup", "hn0")
    name = "hn0" if then is BACK else "lagg0"
    dnsmasq = guest.topology.dnsmasq
    dnsmasq.send_signal(signal.SIGSTOP)
    with booted.start("hyperv_vfup", *first, "hn0") as vfup:
        wait_until(lambda: copied_routes(guest), what="they are there")
        vfup.kill()
    dnsmasq.send_signal(signal.SIGCONT)
    booted.run("hyperv_vfup", *then, "hn0")
    assert guest.addresses(name) == {lease}
    the_client(guest, name)
    assert not copied_routes(guest)


def everything_in(directory):
    return "".join(path.read_text(errors="replace") for path in directory.iterdir())


@in_all
def test_what_ifdown_runs_releases_no_lease_that_has_moved(booted, server):
    """It is lagg0's now, and moves back with everything else."""
    guest = booted.guest
    lease = only(guest.addresses("hn0"))
    client = os.path.basename(booted.client)
    move(booted)
    guest.run(*GIVE_UP[client], check=False)
    assert "DHCPRELEASE" not in server.read_text()
    assert_moved(guest, lease)
    move(booted, "-r")
    assert guest.addresses("hn0") == {lease}
    the_client(guest, "hn0")
    if client == "dhclient":
        assert 'interface "hn0"' in (LEASES / "dhclient.hn0.leases").read_text()
        assert 'interface "lagg0"' not in everything_in(LEASES)
        guest.run(*GIVE_UP[client])
        wait_until(lambda: "DHCPRELEASE" in server.read_text(), what="hn0's lease is its own")


@pytest.mark.skipif("ASAN_OPTIONS" in os.environ, reason="a preloaded library and ASan do not mix")
@pytest.mark.skipif("NETVF_LONG" not in os.environ, reason="takes a minute: NETVF_LONG=1")
@pytest.mark.timeout(240)
@pytest.mark.parametrize("way", ["there", "back"])
@pytest.mark.parametrize("booted", ["dhclient"], indirect=True)
def test_killed_before_any_step_with_a_file_a_lease_is_in_one_place_at_last(booted, server, way):
    guest = booted.guest
    lease = only(guest.addresses("hn0"))
    booted.write_rcconf('ifconfig_hn0="SYNCDHCP"\n')
    killed = True
    file = 0
    while killed:
        file += way == "there"
        if way == "there":
            killed = killed_at(booted, file, "hn0", KILL_AT_FILES="1")
        booted.run("hyperv_vfup", "hn0")
        assert_leased(guest, "lagg0", lease, "hn0")
        file += way == "back"
        if way == "back":
            killed = killed_at(booted, file, "-r", "hn0", KILL_AT_FILES="1")
        booted.run("hyperv_vfup", "-r", "hn0")
        assert_leased(guest, "hn0", lease, "lagg0")
    assert file > 4
    assert "DHCPRELEASE" not in server.read_text()


def assert_leased(guest, name, lease, other):
    """One client, one lease, and none at the other."""
    the_client(guest, name)
    assert guest.addresses(name) == {lease} and serving(guest, other) == []
    assert f'interface "{name}"' in everything_in(LEASES)
    assert f'interface "{other}"' not in everything_in(LEASES)


STRANGERS_LEASE = """\
lease {
  interface "eth9";
  fixed-address 192.0.2.9;
  option host-name "a } b \\" lease { interface \\"hn0\\"; }";
  # interface "hn0"; }
  expire never;
}
"""
DUID = 'default-duid "\\000\\003\\000\\001\\002\\000\\000;\\000}";\n'


@pytest.mark.parametrize("booted", ["dhclient"], indirect=True)
def test_in_a_lease_file_of_several_interfaces_the_others_stay(booted, server):
    """And so does the identifier, from which the server knows the guest at its next boot."""
    guest = booted.guest
    lease = only(guest.addresses("hn0"))
    for pid in serving(guest, "hn0"):
        os.kill(pid, signal.SIGKILL)
    mine = (LEASES / "dhclient.hn0.leases").read_text()
    mine = mine[mine.index("lease {"):]
    count = mine.count('interface "hn0"')
    (LEASES / "dhclient.hn0.leases").unlink()
    shared = LEASES / "dhclient.leases"
    shared.write_text(DUID + mine + STRANGERS_LEASE)
    shared.chmod(0o640)
    move(booted)
    assert shared.read_text() == DUID + STRANGERS_LEASE and shared.stat().st_mode & 0o777 == 0o640
    assert (LEASES / "dhclient.lagg0.leases").read_text().count('interface "lagg0"') == count
    guest.run("dhclient", "-4", "-r", "hn0")
    assert "DHCPRELEASE" not in server.read_text()
    assert guest.addresses("lagg0") == {lease}
    move(booted, "-r")
    back = (LEASES / "dhclient.hn0.leases").read_text()
    assert DUID in back and 'interface "hn0"' in back and "eth9" not in back
    assert 'interface "lagg0"' not in everything_in(LEASES)


@needs_dhclient
def test_a_second_client_that_ifup_starts_on_hn_is_ended(start_netvfd, guest, server):
    guest.netlink.flush_addr(index=guest.namespace.index("hn0"))
    guest.run(*CLIENTS["dhclient"])
    lease = only(guest.addresses("hn0"))
    netvfd = start_netvfd(rcconf='netvf_pairs="hn0:vf0"\n')
    try:
        guest.attach_vf()
        netvfd.wait_active("vf")
        wait_until(lambda: not serving(guest, "hn0") and not guest.addresses("hn0"), DEADLINE)
        the_client(guest, "lagg0")
        guest.run("dhclient", "-nw", *CLIENTS["dhclient"][1:])
        wait_until(lambda: "hn0: somebody gave it" in netvfd.log, DEADLINE)
        wait_until(lambda: not serving(guest, "hn0") and not guest.addresses("hn0"), DEADLINE)
        assert_moved(guest, lease)
        assert "DHCPRELEASE" not in server.read_text()
    finally:
        end_clients(guest)


@needs_dhclient
def test_under_the_units_capabilities_a_client_of_full_root_is_found(start_netvfd, guest, server):
    """As ifupdown starts it at boot, with more capabilities than netvfd has."""
    guest.netlink.flush_addr(index=guest.namespace.index("hn0"))
    guest.run(*CLIENTS["dhclient"])
    lease = only(guest.addresses("hn0"))
    netvfd = start_netvfd(rcconf='netvf_pairs="hn0:vf0"\nifconfig_hn0="DHCP"\n',
                          under=bounded_as_the_unit(), actions=True)
    try:
        guest.attach_vf()
        netvfd.wait_active("vf")
        wait_until(lambda: guest.addresses("lagg0") and not guest.addresses("hn0"), DEADLINE)
        wait_until(lambda: not serving(guest, "hn0"), DEADLINE)
        assert_moved(guest, lease)
    finally:
        end_clients(guest)
