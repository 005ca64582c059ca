# Licensed under the Apache License, Version 2.0 (the "License"); you may
# not use this file except in compliance with the License. You may obtain
# a copy of the License at
#
#      http://www.apache.org/licenses/LICENSE-2.0
#
# Unless required by applicable law or agreed to in writing, software
# distributed under the License is distributed on an "AS IS" BASIS, WITHOUT
# WARRANTIES OR CONDITIONS OF ANY KIND, either express or implied. See the
# License for the specific language governing permissions and limitations
# under the License.

"""System calls that Python does not have.

Only for ``lab.guest``. Standard library only, because the guest's init
imports it.
"""

import ctypes
import fcntl
import os
import struct

MS_RDONLY = 1
MS_NOSUID = 2
MS_NODEV = 4
MS_NOEXEC = 8
MS_REMOUNT = 32
MS_BIND = 4096
MS_REC = 16384
MS_UNBINDABLE = 1 << 17
MS_PRIVATE = 1 << 18
MNT_DETACH = 2
CLONE_NEWCGROUP = 0x02000000

# _IOR('X', 125, __u32) of the kernel's fs/ext4/ext4.h.
EXT4_IOC_SHUTDOWN = 0x8004587D
# Also drops the unwritten part of the journal, like a loss of power.
EXT4_GOING_FLAGS_NOLOGFLUSH = 2

_libc = ctypes.CDLL(None, use_errno=True)


def mount(source: str, target: str | os.PathLike[str], kind: str = '',
          flags: int = 0, data: str = '') -> None:
    _check(_libc.mount(
        source.encode(), os.fsencode(target), kind.encode() or None,
        ctypes.c_ulong(flags), data.encode() or None),
        f'mount {source} at {os.fspath(target)}')


def bind(source: str | os.PathLike[str], target: str | os.PathLike[str],
         read_only: bool = False) -> None:
    """Bind-mount a file or a folder.

    Read-only does not apply to mounts below the folder.
    """
    mount(os.fspath(source), target, flags=MS_BIND | MS_REC)
    if read_only:
        mount('none', target, flags=MS_REMOUNT | MS_BIND | MS_RDONLY)


def umount(target: str | os.PathLike[str], flags: int = 0) -> None:
    _check(_libc.umount2(os.fsencode(target), flags),
           f'unmount {os.fspath(target)}')


def pivot_root(new: str | os.PathLike[str],
               old: str | os.PathLike[str]) -> None:
    _check(_libc.pivot_root(os.fsencode(new), os.fsencode(old)),
           f'pivot_root to {os.fspath(new)}')


def unshare(flags: int) -> None:
    _check(_libc.unshare(flags), f'unshare {flags:#x}')


def sethostname(name: str) -> None:
    encoded = name.encode()
    _check(_libc.sethostname(encoded, len(encoded)), 'sethostname')


def ext4_shutdown(mount_point: str | os.PathLike[str]) -> None:
    """Make an ext4 lose all data that is not on its disk."""
    descriptor = os.open(mount_point, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.ioctl(descriptor, EXT4_IOC_SHUTDOWN,
                    struct.pack('I', EXT4_GOING_FLAGS_NOLOGFLUSH))
    finally:
        os.close(descriptor)


def _check(result: int, what: str) -> None:
    if result:
        code = ctypes.get_errno()
        raise OSError(code, f'{what}: {os.strerror(code)}')
