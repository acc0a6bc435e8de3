# SPDX-License-Identifier: BSD-2-Clause
"""hyperv_vfattach and hyperv_vfup by hand in the guest, and what may not happen meanwhile."""

import os
import select
import socket

from pyroute2 import IPRoute

from harness import BUILD, DEADLINE, wait_until

RTM_NEWADDR, RTM_DELADDR = 20, 21


class Programs:
    """Runs the programs in the guest with a run directory and an rc.conf of their own."""

    def __init__(self, guest, directory):
        self.guest = guest
        self.directory = directory
        self.run_dir = directory / "run"
        self.rcconf = directory / "rc.conf"
        self.rcconf.write_text('netvf_pairs="hn0:vf0"\n')

    def write_rcconf(self, text):
        self.rcconf.write_text('netvf_pairs="hn0:vf0"\n' + text)

    @property
    def environment(self):
        return {**os.environ, "NETVF_RUN_DIR": str(self.run_dir), "NETVF_RC_CONF": str(self.rcconf)}

    def run(self, *argv, status=0, **extra):
        """Runs one to its end, expects its exit status, and returns what it said on stderr."""
        program = BUILD / "src/libexec" / argv[0]
        done = self.guest.run(program, *argv[1:], check=False, env={**self.environment, **extra})
        print(done.stderr)
        assert done.returncode == status, done.stderr
        return done.stderr

    def start(self, *argv, under=(), **options):
        program = BUILD / "src/libexec" / argv[0]
        return self.guest.popen(*under, program, *argv[1:], env=self.environment, **options)

    def attach_vf(self):
        """A VF that is up and has a carrier, and whose port on the host forwards."""
        port = self.guest.attach_vf()
        self.run("hyperv_vfattach", "vf0", "0")
        wait_until(lambda: self.guest.link("vf0").get_attr("IFLA_CARRIER") == 1)
        state = ["cat", f"/sys/class/net/{port.host_name}/brport/state"]
        wait_until(lambda: self.guest.host.run(state, capture_output=True).stdout == b"3\n")


class AddressWatch:
    """Hears the kernel's messages: whether an address was ever on no interface at all."""

    def __init__(self, guest, address):
        self.address = address
        with guest.namespace.entered():
            self.netlink = IPRoute()
        self.netlink.bind()
        self.places = {message["index"] for message in guest.netlink.get_addr()
                       if self._is_it(message)}
        assert self.places, f"{address} is nowhere to begin with"

    def _is_it(self, message):
        return (message.get_attr("IFA_LOCAL") or message.get_attr("IFA_ADDRESS")) == self.address

    def absences(self):
        """How often it was, so far."""
        count = 0
        while select.select([self.netlink.fileno()], [], [], 0)[0]:
            for message in self.netlink.get():
                if message["header"]["type"] == RTM_NEWADDR and self._is_it(message):
                    self.places.add(message["index"])
                elif message["header"]["type"] == RTM_DELADDR and self._is_it(message):
                    self.places.discard(message["index"])
                    count += not self.places
        return count

    def close(self):
        self.netlink.close()


class Connection:
    """An established TCP connection from the host to an address of the guest, echoed there."""

    def __init__(self, guest, address, host):
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        with guest.namespace.entered():
            listener = socket.socket(family, socket.SOCK_STREAM)
        listener.bind((address, 7001))
        listener.listen()
        with guest.host.entered():
            self.outside = socket.socket(family, socket.SOCK_STREAM)
        self.outside.bind((host, 0))
        self.outside.settimeout(DEADLINE)
        self.outside.connect((address, 7001))
        self.inside, _ = listener.accept()
        self.inside.settimeout(DEADLINE)
        listener.close()

    def works(self):
        """Both ways."""
        self.outside.sendall(b"question")
        if self.inside.recv(100) != b"question":
            return False
        self.inside.sendall(b"answer")
        return self.outside.recv(100) == b"answer"

    def close(self):
        self.outside.close()
        self.inside.close()
