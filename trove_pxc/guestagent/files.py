# Licensed under the Apache License, Version 2.0 (the "License"); you may
# not use this file except in compliance with the License. You may obtain
# a copy of the License at
#
#     http://www.apache.org/licenses/LICENSE-2.0
#
# Unless required by applicable law or agreed to in writing, software
# distributed under the License is distributed on an "AS IS" BASIS, WITHOUT
# WARRANTIES OR CONDITIONS OF ANY KIND, either express or implied. See the
# License for the specific language governing permissions and limitations
# under the License.

"""Files of the guest that belong to another user or are private.

Any module of guestagent may import it; it imports no module of this package.
The agent may run as an ordinary user with sudo, as on Trove's guest images.
So everything is done by short commands, and contents are passed through pipes,
never as an argument or in a temporary file.
"""

import dataclasses
import os
import stat

from oslo_concurrency import processutils

_ABSENT = 44

_READ = f'[ -e "$1" ] || exit {_ABSENT}; exec cat -- "$1"'

# All files in one process. Their contents follow one another in the input.
_WRITE = '''
set -e
umask 077
count=$1
durable=$2
shift 2
while [ "$count" -gt 0 ]; do
    path=$1
    head -c "$4" > "$path.new"
    if [ -n "$3" ]; then chown "$3" "$path.new"; fi
    chmod "$2" "$path.new"
    shift 4
    set -- "$@" "$path"
    count=$((count - 1))
done
if [ -n "$durable" ]; then
    (for path; do shift; set -- "$@" "$path.new"; done; sync "$@")
fi
for path; do mv -f "$path.new" "$path"; done
if [ -n "$durable" ]; then
    (for path; do shift; set -- "$@" "$(dirname "$path")"; done; sync "$@")
fi
'''

_FOLDERS = '''
set -e
while [ $# -gt 0 ]; do
    mkdir -p "$1"
    if [ -n "$3" ]; then chown "$3" "$1"; fi
    chmod "$2" "$1"
    shift 3
done
'''

_PRESENT = 'for path; do if [ -e "$path" ]; then echo "$path"; fi; done'

_CLEAR = """
[ -d "$1" ] || exit 0
find "$1" -mindepth 1 -maxdepth 1 ! -name lost+found -exec rm -rf {} +
"""

_REMOVE_MATCHING = """
folder=$1
shift
for pattern; do find "$folder" -maxdepth 1 -type f -name "$pattern" -delete
done
"""

_TREE_BYTES = """
folder=$1
shift
set -f
for pattern; do set -- "$@" ! -name "$pattern"; shift; done
find "$folder" -type f "$@" -printf '%s\\n' | awk '{ sum += $1 }
    END { printf "%.0f", sum }'
"""

_UNLINK = 'if [ -L "$1" ]; then rm -f "$1"; fi'


@dataclasses.dataclass(frozen=True, slots=True)
class Folder:
    """A folder with its mode and owner.

    :ivar owner: 'uid:gid'; empty for the user that creates it.
    """

    path: str
    mode: int
    owner: str = ''

    def is_right(self) -> bool:
        """Whether it exists with this mode and this owner."""
        try:
            found = os.lstat(self.path)
        except OSError:
            return False
        return (stat.S_ISDIR(found.st_mode)
                and stat.S_IMODE(found.st_mode) == self.mode
                and self.owner in ('', f'{found.st_uid}:{found.st_gid}'))


@dataclasses.dataclass(frozen=True, slots=True)
class File:
    """A file to write.

    :ivar text: its content; not shown, because it may hold passwords.
    :ivar mode: its permissions, set before the file is in its place.
    :ivar owner: 'uid:gid'; empty for the user that writes it.
    """

    path: str
    text: str = dataclasses.field(repr=False)
    mode: int
    owner: str = ''


@dataclasses.dataclass(frozen=True, slots=True)
class HostFiles:
    """Reads and writes with the rights of root.

    :ivar as_root: False if all folders belong to the current user.
    :ivar durable: whether to sync each file to the disk.
    """

    as_root: bool = True
    durable: bool = True

    def read(self, path: str) -> str | None:
        """The text of a file; None if it does not exist."""
        try:
            return self._run(_READ, path)
        except processutils.ProcessExecutionError as failure:
            if failure.exit_code == _ABSENT:
                return None
            raise

    def write(self, path: str, text: str, mode: int,
              owner: str = '') -> None:
        """Replace a file atomically; the parameters are those of a File."""
        self.write_all(File(path, text, mode, owner))

    def write_all(self, *files: File) -> None:
        """Replace files, each of them atomically, in this order.

        No file is replaced before all of them are on the disk. One process
        writes them all: a process takes longer than a file.
        """
        self._run(_WRITE, str(len(files)), 'durable' if self.durable else '',
                  *(argument for file in files for argument in (
                      file.path, f'{file.mode:o}', file.owner,
                      str(len(file.text.encode())))),
                  contents=''.join(file.text for file in files))

    def ensure_folders(self, *folders: Folder) -> None:
        """Create folders if they are missing; set their modes and owners.

        Without a process, if all of them are right.
        """
        if not all(folder.is_right() for folder in folders):
            self._run(_FOLDERS, *(
                text for folder in folders for text in (
                    folder.path, f'{folder.mode:o}', folder.owner)))

    def drop_link(self, path: str) -> None:
        """Remove a symbolic link, so that a file can take its place."""
        if os.path.islink(path) or not os.access(os.path.dirname(path),
                                                 os.X_OK):
            self._run(_UNLINK, path)

    def remove(self, *paths: str) -> None:
        """Remove files; those that do not exist are ignored.

        Without a process, if this process sees that none exists.
        """
        if any(_exists(path, links=False) is not False for path in paths):
            self._run('rm -f -- "$@"', *paths)

    def clear(self, folder: str) -> None:
        """Remove all that is in a folder, except for lost+found."""
        self._run(_CLEAR, folder)

    def remove_matching(self, folder: str, *patterns: str) -> None:
        """Remove the files in a folder whose names match."""
        self._run(_REMOVE_MATCHING, folder, *patterns)

    def tree_bytes(self, folder: str, *but: str) -> int:
        """The sizes of all files below a folder.

        :param but: patterns of names of files that do not count.
        """
        return int(self._run(_TREE_BYTES, folder, *but) or 0)

    def settle(self, path: str) -> None:
        """Wait until all of the file system of a path is on the disk."""
        self._run('sync -f "$1" 2> /dev/null || sync', path)

    def present(self, *paths: str) -> frozenset[str]:
        """The paths that exist.

        A shell with the rights of root looks only for what this process may
        not see: the agent looks every few seconds, and a process costs more
        than all else in a look.
        """
        seen = {path: _exists(path) for path in paths}
        found = {path for path in paths if seen[path]}
        hidden = [path for path in paths if seen[path] is None]
        if hidden:
            found.update(self._run(_PRESENT, *hidden).splitlines())
        return frozenset(found)

    def _run(self, script: str, *arguments: str, contents: str = '') -> str:
        out, _ = processutils.execute(
            'sh', '-c', script, 'sh', *arguments, process_input=contents,
            run_as_root=self.as_root, root_helper='sudo')
        return str(out)


def _exists(path: str, links: bool = True) -> bool | None:
    """Whether a path exists; None if this process may not see it.

    :param links: whether to follow symbolic links.
    """
    try:
        os.stat(path, follow_symlinks=links)
    except PermissionError:
        return None
    except OSError:
        return False
    return True


def free_bytes(path: str) -> int:
    """Bytes that any user may still use on the file system of a path."""
    stats = os.statvfs(path)
    return stats.f_bavail * stats.f_frsize


def used_bytes(path: str) -> int:
    """Bytes in use on the file system of a path.

    It is cheap and needs no permissions. It changes while data arrives.
    """
    stats = os.statvfs(path)
    return (stats.f_blocks - stats.f_bfree) * stats.f_frsize
