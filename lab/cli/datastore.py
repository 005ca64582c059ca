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
"""lab datastore: other database images.

Imported by ``lab.cli.main``.
"""

import argparse

from lab.cli import command
from lab import datastores
from lab import errors
from lab import home as lab_home
from lab import report as lab_report
from lab.services import all as all_services

GROUP = 'Adds database images to the lab and registers them with Trove.'
ADD = """\
Creates a guest image with the database image, and registers it as a datastore
version with the guest manager of this project. Clusters of it can then be
created. For example:

  docker save percona/percona-xtradb-cluster:8.0 -o pxc.tar
  lab datastore add --manager pxc --datastore pxc --version 8.0 \\
      --image pxc.tar --active
"""


def register(commands: command.Commands) -> None:
    group = command.add_group(
        commands, 'datastore', 'add a database image', GROUP)
    parser = command.add(
        group, 'add', 'add a datastore version', ADD, _add)
    parser.add_argument('--manager', required=True,
                        choices=sorted(datastores.MANAGERS))
    parser.add_argument('--datastore', required=True, metavar='NAME')
    parser.add_argument('--version', required=True)
    parser.add_argument(
        '--image', required=True, metavar='ARCHIVE.tar|REFERENCE',
        help='an archive of "docker save", or the name of an image in a '
             'registry that can be reached')
    parser.add_argument('--active', action='store_true',
                        help='make it the default version; each version can '
                             'be chosen by name')


def _add(home: lab_home.Home, options: argparse.Namespace) -> int:
    if not all_services.services(home)['mariadb'].is_up():
        raise errors.LabError('the lab is not up; run "lab up" first')
    image = datastores.add(
        home, lab_report.Report(),
        datastores.Version(options.manager, options.datastore,
                           options.version, options.image, options.active))
    print(image)
    return 0
