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

"""Finds the Dialect of a datastore version.

Pure. Every module of trove_pxc may import it.
"""

from trove_pxc.galera import catalogue
from trove_pxc.galera import errors
from trove_pxc.galera.series import Dialect
from trove_pxc.galera.series import dotted
from trove_pxc.galera.series import parse_version

__all__ = ('Dialect', 'for_version', 'parse_version')


def for_version(manager: str, version: str) -> Dialect:
    """The dialect of a datastore version.

    :param manager: 'pxc' or 'mariadb'.
    :param version: the datastore version's name or number: '10.11',
        '10.11.19', '8.0.43-34'.
    :raises UnsupportedVersion: if no dialect supports the version, or if
        the version must not be used.
    """
    numbers = parse_version(version)
    of_manager = [dialect for dialect in catalogue.DIALECTS
                  if dialect.manager == manager]
    for dialect in of_manager:
        if numbers is not None and numbers[:2] == dialect.version:
            too_old = dialect.too_old(numbers)
            if too_old is not None:
                raise errors.UnsupportedVersion(too_old)
            return dialect
    if not of_manager:
        raise errors.UnsupportedVersion(
            f'There is no Galera cluster for the datastore manager '
            f'{manager!r}; use pxc or mariadb.')
    raise errors.UnsupportedVersion(
        f'Version {version!r} of the datastore manager {manager!r} is not '
        'supported; use one of '
        f'{", ".join(dotted(known.version) for known in of_manager)}.')
