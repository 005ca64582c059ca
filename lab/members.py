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
"""Which member of a cluster the user means.

Imported by the command line.
"""

from lab import errors
from lab.guest import control
from lab import home as lab_home


def find(home: lab_home.Home, who: str) -> control.GuestInfo:
    """The guest with this member name, instance id or address.

    :raises LabError: there is none, or several have the name
    """
    guests = control.guests(home)
    for guest in guests:
        if who in (guest.instance_id, guest.server_id, guest.ip):
            return guest
    named = [guest for guest in guests if guest.name == who]
    if len(named) == 1:
        return named[0]
    if named:
        ids = ', '.join(guest.instance_id for guest in named)
        raise errors.LabError(
            f'{len(named)} guests are called {who}; '
            f'name one by its instance id: {ids}')
    there = ', '.join(guest.name for guest in guests) or 'none'
    raise errors.LabError(
        f'no guest is called {who} (by name, instance id or address); '
        f'there are: {there}')
