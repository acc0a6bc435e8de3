# SPDX-License-Identifier: BSD-2-Clause
"""netvfd in the guest: started, awaited, listened to."""

import collections
import os
import socket
import subprocess

from .loop import Lines, Timeout

RUN_DIR = "/run/netvf-lab/netvf"
RC_CONF = "/run/netvf-lab/rc.conf"
READY_WITHIN = 20  # seconds
LOG_KEPT = 1000  # lines
LINE_MAX = 2048  # bytes of an event
KILLED = "killed"

# Runs a command again and again, from the first line on that it reads each time to its end by
# SIGKILL; any other end is the last one.
RUN_AND_KILL = f"""
go=
while :; do
    "$@" </dev/null &
    [ -n "$go" ] || read -r go
    printf -v seconds '0.%03d' $((50 + RANDOM % 501))
    sleep "$seconds"
    kill -KILL $!
    wait $! 2>/dev/null
    status=$?
    [ $status = 137 ] || exit $status
    echo {KILLED}
done
"""


def write_rc_conf(lines):
    os.makedirs(RUN_DIR, exist_ok=True)
    with open(RC_CONF, "w", encoding="utf-8") as file:
        file.write("\n".join(lines) + "\n")


class Daemon:
    """netvfd. on_event(line) gets each event that devd's socket tells.

    With kill, it dies by SIGKILL 50 to 550 ms after each start, and is started again; then events
    are heard until the first death.
    """

    def __init__(self, loop, guest, places, on_event, kill=False):
        self.log = collections.deque(maxlen=LOG_KEPT)
        self.process = None
        self.environment = {
            **os.environ,
            "PATH": places.path(),
            "NETVF_RUN_DIR": RUN_DIR,
            "NETVF_RC_CONF": RC_CONF,
        }
        self._loop = loop
        self._guest = guest
        self._program = places.netvfd
        self._on_event = on_event
        self.kills = 0
        self._kill = ["bash", "-c", RUN_AND_KILL, "bash"] if kill else []
        self._ready = False
        self._lines = None
        self._notify = None
        self._client = None

    def start(self, rules):
        """Starts it, and waits until it is ready and its events are heard."""
        path = os.path.join(os.path.dirname(RUN_DIR), "notify")
        self._notify = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC)
        self._notify.bind(path)
        self._loop.watch(self._notify, self._notified)
        self.process = self._guest.popen(
            [*self._kill, self._program, "-d", "-f", rules, "-c", RC_CONF, "--run-dir", RUN_DIR],
            env={**self.environment, "NOTIFY_SOCKET": path},
            stdin=subprocess.PIPE if self._kill else subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        self._lines = Lines(self._loop, self.process.stdout, self._said)
        self._await()
        self._listen()
        if self._kill:
            self.process.stdin.write(b"go\n")
            self.process.stdin.flush()

    def _said(self, line):
        if line == KILLED:
            self.kills += 1
        self.log.append(line)

    def _notified(self):
        if b"READY=1" in self._notify.recv(4096).split(b"\n"):
            self._ready = True

    def _await(self):
        self._loop.wait(
            lambda: self._ready or self._lines.closed, READY_WITHIN, "netvfd says that it is ready"
        )
        if not self._ready:
            raise Timeout(f"netvfd ended with status {self.process.wait()} before it was ready")

    def _listen(self):
        self._client = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET | socket.SOCK_CLOEXEC)
        self._client.connect(os.path.join(RUN_DIR, "devd.seqpacket.pipe"))
        self._loop.watch(self._client, self._event)

    def _event(self):
        try:
            line = self._client.recv(LINE_MAX)
        except ConnectionError:
            line = b""
        if not line:  # it has ended, or found us slow
            self._loop.forget(self._client)
            return
        self._on_event(line.decode(errors="replace").rstrip("\n"))

    @property
    def running(self):
        return self.process.poll() is None
