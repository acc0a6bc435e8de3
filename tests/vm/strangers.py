# SPDX-License-Identifier: BSD-2-Clause
"""In the guest: a user's processes that call themselves DHCP clients."""

from setting import BUILD

PROGRAM = BUILD / "tests/stranger"
DIRECTORY = "/tmp/user"
NOBODY = 65534
TITLES = ("dhclient {}", "dhcpcd: {} x", "udhcpc -i {}")
# Of one: its number, its owner and its command line.
SHOW = (f"for pid in $(pidof {' '.join(title.split()[0] for title in TITLES)}); do"
        " echo $pid $(stat -c %u /proc/$pid) $(tr '\\0' ' ' </proc/$pid/cmdline); done")


def start(guest, ifname):
    """One by each title, of a program that is the user's own; returns what tells them apart."""
    guest.run(f"echo nobody:x:{NOBODY}:{NOBODY}::/:/bin/false >>/etc/passwd")
    guest.run(f"mkdir -p {DIRECTORY}; chown {NOBODY} {DIRECTORY}")
    for title in TITLES:
        name, *words = title.format(ifname).split()
        program = f"{DIRECTORY}/{name}"
        guest.run(
            f"cp /usr/sbin/{PROGRAM.name} {program} && chown {NOBODY} {program} &&"
            f" start-stop-daemon -S -b -c {NOBODY}:{NOBODY} -x {program} -a {name} --"
            f" {' '.join(words)} &&"
            f" until pidof {name} >/dev/null; do usleep 9000; done"
        )
    shown = sorted(guest.run(SHOW).splitlines())
    assert len(shown) == len(TITLES), shown
    for line in shown:
        assert line.split()[1] == str(NOBODY), line
    return shown


def assert_ignored(guest, started):
    """None was run as root, none was ended."""
    assert guest.run(f"ls {DIRECTORY} | grep '[.]root$'", check=False) == ""
    assert sorted(guest.run(SHOW).splitlines()) == started
