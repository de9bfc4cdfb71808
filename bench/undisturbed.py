"""Exclude differences between runs: TCP congestion control and the placement of files on ext4.

All of it is of Linux. Where it is not to be had, measuring goes on without.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import socket
import struct
from pathlib import Path

USUAL = "cubic"
"""The default congestion control of Linux."""

_CONGESTION = Path("/proc/sys/net/ipv4/tcp_congestion_control")
_NEW_NETWORK = 0x40000000  # CLONE_NEWNET (unshare(2))
_SET_FLAGS = 0x8914  # SIOCSIFFLAGS (netdevice(7))
_REQUEST = struct.Struct("16sh14x")
_UP = 1  # IFF_UP

_GET_ATTRIBUTES = 0x80086601  # FS_IOC_GETFLAGS (ioctl_iflags(2))
_SET_ATTRIBUTES = 0x40086602  # FS_IOC_SETFLAGS
_ATTRIBUTES = struct.Struct("l")
_TOP = 0x00020000  # FS_TOPDIR_FL


def leave_for_own_network() -> None:
    """Move this process and its children to a network namespace of their own, if run by root.

    Some machines send by BBR. It takes a reader that works between two reads for a slow network,
    and holds back what is sent to it: the same client is then slower by up to a fifth, or is not.
    """
    try:
        unshare = ctypes.CDLL(None, use_errno=True).unshare
    except AttributeError:
        return
    if unshare(_NEW_NETWORK) != 0:
        return
    import fcntl  # not everywhere

    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        fcntl.ioctl(any_socket, _SET_FLAGS, _REQUEST.pack(b"lo", _UP))
    with contextlib.suppress(OSError):
        _CONGESTION.write_text(USUAL)


def congestion_control() -> str:
    """Return the congestion control in use."""
    try:
        return _CONGESTION.read_text().strip()
    except OSError:
        return "unknown means"


def spread_out(folder: Path) -> None:
    """Make ext4 place each new folder in this one in another part of the disk.

    Without a journal it looks at every file that was removed in the last minutes from where it
    makes one: each takes thirty times as long, if a run before has just removed its own.
    """
    try:
        import fcntl

        fd = os.open(folder, os.O_RDONLY)
    except (ImportError, OSError):
        return
    with contextlib.suppress(OSError):  # another file system
        (attributes,) = _ATTRIBUTES.unpack(fcntl.ioctl(fd, _GET_ATTRIBUTES, _ATTRIBUTES.pack(0)))
        fcntl.ioctl(fd, _SET_ATTRIBUTES, _ATTRIBUTES.pack(attributes | _TOP))
    os.close(fd)
