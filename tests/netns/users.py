# SPDX-License-Identifier: BSD-2-Clause
"""Users without rights, who do all they can on netvfd's sockets."""

import contextlib
import json
import os
import select
import signal
import socket

UIDS = range(65001, 65005)


def forked(function, *arguments, uid, processor=None, nice=0):
    """A process of the user, which does it until it is killed."""
    pid = os.fork()
    if pid:
        return pid
    if processor is not None:
        os.sched_setaffinity(0, {processor})
    os.setpriority(os.PRIO_PROCESS, 0, nice)
    os.setgroups([])
    os.setgid(uid)
    os.setuid(uid)
    try:
        function(*arguments)
    finally:
        os._exit(1)


def end(pids):
    for pid in pids:
        os.kill(pid, signal.SIGKILL)
    for pid in pids:
        os.waitpid(pid, 0)


def connected(path, kind=socket.SOCK_STREAM):
    client = socket.socket(socket.AF_UNIX, kind)
    client.setblocking(False)
    client.connect(path)
    return client


def connect_and_go(path, kind):
    """Connects, says nothing, goes."""
    while True:
        with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX, kind) as client:
            client.connect(path)


def stay(path, kind):
    """Takes all places that it can have, and never reads; who is sent away comes again."""
    clients = []
    while True:
        while len(clients) < 20:
            try:
                clients.append(connected(path, kind))
            except OSError:
                break
        for client in select.select(clients, [], [], 0.1)[0]:
            with contextlib.suppress(OSError):
                if not client.recv(1, socket.MSG_PEEK):
                    clients.remove(client)
                    client.close()


def ask(path, request, reads):
    """Asks on as many connections as there are places, and again as soon as it may."""
    clients = []
    while True:
        while len(clients) < 20:
            try:
                clients.append(connected(path))
            except OSError:
                break
        readable, writable, _ = select.select(clients if reads else [], clients, [], 0.1)
        for client in readable:
            with contextlib.suppress(OSError):
                if not client.recv(1 << 20):
                    clients.remove(client)
                    client.close()
        for client in writable:
            if client in clients:
                try:
                    client.send(request)
                except BlockingIOError:
                    pass
                except OSError:
                    clients.remove(client)
                    client.close()


def line(method, **params):
    return json.dumps({"method": method, "params": params}).encode() + b"\n"


def start_clients(run_dir, uids=UIDS, processor=None):
    """Processes of each uid that do all they can on its sockets; returns their ids, for end()."""
    control = str(run_dir / "netvfd.sock")
    deeds = [
        (connect_and_go, control, socket.SOCK_STREAM),
        (connect_and_go, str(run_dir / "devd.seqpacket.pipe"), socket.SOCK_SEQPACKET),
        (connect_and_go, str(run_dir / "devd.pipe"), socket.SOCK_STREAM),
        (stay, str(run_dir / "devd.seqpacket.pipe"), socket.SOCK_SEQPACKET),
        (ask, control, line("status"), True),
        (ask, control, line("sysctl", names=["hw.hn.vflist"] * 2513), True),
        (ask, control, line("doctor") + line("history") + line("events"), False),
        (ask, control, b"x" * 70000, False),
        (ask, control, b"[" * 60000 + b"\n", True),
    ]
    return [forked(*deed, uid=uid, processor=processor)
            for uid in uids for deed in deeds]
