# SPDX-License-Identifier: BSD-3-Clause
"""A machine with systemd as its first process, in namespaces of its own.

Its root is an overlay: below, read only, is this machine's; above is memory. So everything
that is installed here is there, at once, and what it changes is nowhere else.

    with Machine(lab.dir) as machine:
        machine.run("systemctl", "start", "sluiced")

The overlay, /run and what systemd-nspawn notes there are mounted in a namespace that ends
with it: when its first process is killed, nothing is left but cgroups, which are removed.
"""

import contextlib
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import time

from lab import LabError, sh, wait_until

BOOT_SECONDS = 60

# In a mount namespace of its own, as what becomes systemd-nspawn. $1: folder, $2: name.
START = r"""
set -e
for top in /sys/fs/cgroup /sys/fs/cgroup/systemd /sys/fs/cgroup/unified; do
	[ -e $top/cgroup.procs ] || continue
	mkdir $top/$2
	echo $$ >$top/$2/cgroup.procs
done
mount -t tmpfs -o mode=755 tmpfs $1
mkdir $1/upper $1/work $1/root
mount -t overlay -o lowerdir=/,upperdir=$1/upper,workdir=$1/work overlay $1/root
mount -t tmpfs -o mode=755 tmpfs /run
rm -rf $1/root/etc/sluice $1/root/var/log/journal \
	$1/root/etc/systemd/system/sluiced.service* $1/root/usr/local/lib/systemd/system/sluiced.service*
cat >$1/root/etc/systemd/system/lab.target <<END
[Unit]
Requires=sysinit.target dbus.socket
After=sysinit.target dbus.socket
END
tun=
[ ! -e /dev/net/tun ] || tun=--bind=/dev/net/tun
exec systemd-nspawn --quiet --settings=no --register=no --keep-unit --notify-ready=yes \
	--directory=$1/root --machine=$2 --private-network --capability=all --system-call-filter=@known $tun \
	--bind-ro=/sys/module --link-journal=no --resolv-conf=off --timezone=off --console=pipe \
	--boot systemd.unit=lab.target systemd.show_status=no
"""


class CannotBoot(Exception):
    """This environment does not let systemd boot; the text says why."""


def why_not():
    """What is missing to boot one, as a sentence; None: nothing that can be seen beforehand."""
    if os.geteuid() != 0:
        return "only root can boot a machine"
    for program in ("unshare", "nsenter", "systemd-nspawn", "/lib/systemd/systemd"):
        if not shutil.which(program):
            return f"{program} is not installed"
    if "overlay" not in pathlib.Path("/proc/filesystems").read_text():
        return "the kernel has no overlay file system"
    return None


class Machine:
    def __init__(self, folder):
        self.name = f"sluice-{os.getpid():x}"
        self.folder = pathlib.Path(folder) / self.name
        self.folder.mkdir()
        self.log_path = self.folder.with_suffix(".log")
        self.leader = None
        self.process = None
        try:
            self.boot()
        except BaseException:
            self.close()
            raise

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self.close()

    def boot(self):
        reason = why_not()
        if reason:
            raise CannotBoot(reason)
        path = str(self.folder.with_suffix(".notify"))
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notify, open(self.log_path, "wb") as log:
            notify.bind(path)
            notify.settimeout(0.2)
            self.process = subprocess.Popen(
                ["unshare", "--mount", "--propagation", "private", "sh", "-c", START, "sh",
                 str(self.folder), self.name],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, env={**os.environ, "NOTIFY_SOCKET": path})
            self.wait_booted(notify)

    def wait_booted(self, notify):
        end = time.monotonic() + BOOT_SECONDS
        ready = False
        while not (ready and self.leader):
            if self.process.poll() is not None:
                raise CannotBoot(f"systemd-nspawn ended with {self.process.returncode}: {self.log()}")
            if time.monotonic() > end:
                raise CannotBoot(f"systemd did not boot in {BOOT_SECONDS} s: {self.log()}")
            try:
                lines = notify.recv(4096).decode().split("\n")
            except socket.timeout:
                continue
            ready = ready or "READY=1" in lines
            for line in lines:
                if line.startswith("X_NSPAWN_LEADER_PID="):
                    self.leader = int(line.split("=")[1])

    def log(self):
        return self.log_path.read_text(errors="replace").strip()[-1000:]

    @property
    def root(self):
        """Its file system, seen from here."""
        return pathlib.Path(f"/proc/{self.leader}/root")

    def command(self, *args):
        return ["nsenter", "-t", str(self.leader), "-m", "-u", "-i", "-n", "-p", "--", *map(str, args)]

    def run(self, *args, check=True, timeout=120):
        done = subprocess.run(self.command(*args), text=True, capture_output=True, timeout=timeout,
                              stdin=subprocess.DEVNULL)
        if check and done.returncode:
            raise LabError(f"{' '.join(map(str, args))}: exit {done.returncode}: {done.stderr}")
        return done

    def start(self, *args, **kwargs):
        """A process that ends with the machine."""
        return subprocess.Popen(self.command(*args), stdin=subprocess.DEVNULL, **kwargs)

    def pid_here(self, pid):
        """What a process of the machine is called outside of it."""
        space = os.readlink(f"/proc/{self.leader}/ns/pid")
        for process in pathlib.Path("/proc").glob("[0-9]*"):
            with contextlib.suppress(OSError):
                status = (process / "status").read_text()
                inner = next(line for line in status.splitlines() if line.startswith("NSpid:")).split()[-1]
                if int(inner) == pid and os.readlink(process / "ns/pid") == space:
                    return int(process.name)
        raise LookupError(f"the machine has no process {pid}")

    def write(self, path, text):
        file = self.root / path.lstrip("/")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)

    def close(self):
        if self.process and self.process.poll() is None:
            os.kill(self.leader or self.process.pid, signal.SIGKILL)
            try:
                self.process.wait(10)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        self.remove_cgroups()

    def remove_cgroups(self):
        for top in ("/sys/fs/cgroup", "/sys/fs/cgroup/systemd", "/sys/fs/cgroup/unified"):
            own = pathlib.Path(top) / self.name
            if own.exists():
                wait_until(lambda o=own: removed(o), 10, f"{own} can be removed")


def removed(cgroup):
    """A cgroup and those below it; False while a process is in one."""
    return sh("find", str(cgroup), "-depth", "-type", "d", "-exec", "rmdir", "{}", ";", check=False) \
        and not cgroup.exists()
