# SPDX-License-Identifier: BSD-2-Clause
"""A world of its own for one run: whatever ends it, the kernel takes all of it away.

The run happens in a child that is process 1 of a new PID namespace, in new mount and network
namespaces. When that process dies, the kernel kills all that it started; with the last process go
the mounts, the namespaces and their links. It dies when its parent dies, also by SIGKILL.
"""

import ctypes
import os
import select
import signal
import sys
import traceback

from .places import LIBEXEC

CLONE_NEWNS = 0x00020000
CLONE_NEWIPC = 0x08000000
CLONE_NEWPID = 0x20000000
CLONE_NEWNET = 0x40000000

MS_NOSUID, MS_NODEV, MS_NOEXEC = 2, 4, 8
MS_BIND, MS_REC, MS_PRIVATE = 0x1000, 0x4000, 0x40000
PR_SET_PDEATHSIG = 1

GRACE = 5  # seconds from an interruption until the run is killed

_libc = ctypes.CDLL(None, use_errno=True)
_libc.mount.argtypes = (
    ctypes.c_char_p,
    ctypes.c_char_p,
    ctypes.c_char_p,
    ctypes.c_ulong,
    ctypes.c_char_p,
)


class Interrupted(Exception):
    """A signal, self.args[0], asked for the end."""


def _check(result, what):
    if result != 0:
        error = ctypes.get_errno()
        raise OSError(error, f"{what}: {os.strerror(error)}")


def unshare(flags):
    _check(_libc.unshare(flags), "unshare (root is needed)")


def setns(fd, flags):
    _check(_libc.setns(fd, flags), "setns")


def mount(source, target, kind=None, flags=0, data=None):
    source, place, kind, data = (
        word if word is None else os.fsencode(word) for word in (source, target, kind, data)
    )
    _check(_libc.mount(source, place, kind, flags, data), f"mount {target}")


def _show_libexec(programs):
    """Lets programs appear in /usr/libexec/hyperv without touching the real file system.

    A tmpfs covers the parent directory; all else that was there stays visible by bind mounts. That
    needs no overlay file system, which not every kernel has.
    """
    parent = os.path.dirname(LIBEXEC)
    before = os.open(parent, os.O_PATH | os.O_DIRECTORY)
    entries = list(os.scandir(parent))
    mount("netvf-lab", parent, "tmpfs", 0, "mode=0755")
    for entry in entries:
        source, target = f"/proc/self/fd/{before}/{entry.name}", os.path.join(parent, entry.name)
        if target == LIBEXEC:
            continue
        if entry.is_symlink():
            os.symlink(os.readlink(source), target)
            continue
        if entry.is_dir():
            os.mkdir(target)
        else:
            os.close(os.open(target, os.O_CREAT | os.O_WRONLY))
        mount(source, target, None, MS_BIND | MS_REC)
    os.close(before)
    os.mkdir(LIBEXEC)
    for program in programs:
        target = os.path.join(LIBEXEC, os.path.basename(program))
        os.close(os.open(target, os.O_CREAT | os.O_WRONLY, 0o755))
        mount(program, target, None, MS_BIND)


def isolate(libexec=(), empty=("/run",)):
    """Moves this process to mounts and a network of its own.

    libexec: programs to show in /usr/libexec/hyperv; none: what is installed stays visible.
    empty: directories that begin empty, each a file system in memory.
    """
    unshare(CLONE_NEWNS | CLONE_NEWNET | CLONE_NEWIPC)
    mount(None, "/", None, MS_REC | MS_PRIVATE)
    for directory in empty:
        mount("netvf-lab", directory, "tmpfs", MS_NOSUID | MS_NODEV, "mode=0755")
    if libexec:
        _show_libexec(libexec)


def _become_first(parent):
    """In the child, before anything else: die with the parent."""
    _check(_libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL), "prctl")
    if select.select([parent], [], [], 0)[0]:
        os._exit(1)  # it died before we could ask

    def interrupt(number, _frame):
        # One is enough: what follows must be able to tell the story and go.
        for other in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(other, signal.SIG_IGN)
        raise Interrupted(number)

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, interrupt)


def _in_child(parent, work, libexec):
    status = 1
    try:
        _become_first(parent)
        isolate(libexec)
        mount("proc", "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC)
        status = work()
    except Interrupted as interrupted:
        number = interrupted.args[0]
        print(f"netvf-lab: interrupted by {signal.Signals(number).name}", file=sys.stderr)
        status = 128 + number
    except OSError as error:
        print(f"netvf-lab: {error}", file=sys.stderr)
    except BaseException:  # the process ends here, whatever it was
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)


def run(work, libexec=()):
    """Runs work() in a world of its own and returns its status. Needs root."""
    sys.stdout.flush()
    parent = os.pidfd_open(os.getpid())
    unshare(CLONE_NEWPID)  # for the children; this process stays where it is
    child = os.fork()
    if child == 0:
        _in_child(parent, work, libexec)
    os.close(parent)

    def forward(number, _frame):
        os.kill(child, number)
        signal.alarm(GRACE)

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, forward)
    signal.signal(signal.SIGALRM, lambda *_: os.kill(child, signal.SIGKILL))
    _, status = os.waitpid(child, 0)
    code = os.waitstatus_to_exitcode(status)
    return 128 - code if code < 0 else code
