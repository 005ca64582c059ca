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

"""The errors of the modules in galera.

Every module of trove_pxc may import it; it imports nothing.
"""


class UnsupportedVersion(ValueError):
    """No dialect supports this datastore manager and version.

    The text names both and lists the supported versions.
    """


class UnreadablePosition(ValueError):
    """A state file of a node contains a value that Galera never writes."""


class Unusable(ValueError):
    """A name, host or password that is not allowed; the text says why."""


class Refused(ValueError):
    """A request is not possible now; the text has reason and next action."""
