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

"""A shell on the controller, like that of an operator of Trove.

Imported by the command line. The shell is in the controller's network. It
has Trove's configuration in /etc/trove and Trove's programs in its PATH.
"""

from collections.abc import Sequence
import subprocess

from lab import client
from lab import errors
from lab import home as lab_home
from lab import netns
from lab import process

#: adds a folder to /etc, only for this shell
ENTER = ('mount -t overlay overlay -o "ro,lowerdir=$1:/etc" /etc && '
         'cd "$2" && shift 2 && exec "$@"')
PROMPT = r'root@controller:\w# '


def shell(home: lab_home.Home, argv: Sequence[str]) -> int:
    """Run a program there with this terminal; return its exit code.

    :raises LabError: the lab is not up
    """
    if not netns.exists(home.controller):
        raise errors.LabError('the lab is not up; run "lab up" first')
    folder = home.run / 'controller'
    folder.mkdir(exist_ok=True)
    link = folder / 'trove'
    if not link.is_symlink():
        link.symlink_to(home.etc)
    return subprocess.run(
        netns.inside(home.controller, [
            'unshare', '--mount', 'sh', '-c', ENTER, 'sh', str(folder),
            str(home.checkout), *argv]),
        env=client.inside(home, {**process.environment(home),
                                 'PS1': PROMPT})).returncode
