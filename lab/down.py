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
"""Stops a lab, and removes it from the machine.

Imported by the command line. Everything runs in processes and namespaces of
the lab, so stopping a lab and cleaning up after a killed lab are the same.
"""

import os
from pathlib import Path
import shutil
import subprocess

from lab import cleanup
from lab import home as lab_home
from lab import netns
from lab import packages
from lab import place
from lab import report as lab_report


def down(home: lab_home.Home, report: lab_report.Report) -> None:
    """Stop everything; packages and images are kept for the next start."""
    left = cleanup.found(home)
    if not left:
        report.say('the lab is down')
        return
    with report.step(f'stopping the lab: {", ".join(left)}'):
        cleanup.clear(home)


def purge(home: lab_home.Home, report: lab_report.Report) -> None:
    """Stop everything and remove it from the machine.

    Debian packages are not removed, because other programs may use them. The
    report lists those that the lab has installed.
    """
    cleanup.clear(home)
    settings = home.settings()
    if not settings.get('run_netns_was_there', True):
        _remove_namespace_folder()
    if home.root.exists():
        with report.step(f'removing {home.root}'):
            _remove(home.root)
    installed = settings.get('packages', [])
    if installed:
        report.say(
            f'the Debian packages that the lab installed are not removed; '
            f'to remove them: apt-get purge --autoremove '
            f'{" ".join(installed)}')
    packages.restore_policy()


def _remove(root: Path) -> None:
    """Remove a folder; only its contents if it is a mount point."""
    if not os.path.ismount(root):
        shutil.rmtree(root)
        return
    for entry in root.iterdir():
        if entry.is_dir() and not entry.is_symlink():
            if entry.name not in place.UNCOUNTED:
                shutil.rmtree(entry)
        else:
            entry.unlink()


def _remove_namespace_folder() -> None:
    # "ip netns add" mounts the folder on itself; another lab may use it.
    if netns.FOLDER.is_dir() and not any(netns.FOLDER.iterdir()):
        subprocess.run(['umount', str(netns.FOLDER)], capture_output=True)
        netns.FOLDER.rmdir()
