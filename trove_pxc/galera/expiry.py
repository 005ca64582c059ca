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

"""When the certificates of a cluster expire, and the warning before.

Pure. diagnosis and the views of the API import it. Existing connections
continue when a certificate expires, but no member can rejoin.
"""

from collections.abc import Mapping
import datetime

from trove_pxc.galera.view import MemberReport

#: The time before the expiry; a rotation takes minutes.
WARNING = datetime.timedelta(days=30)


def ends(reports: Mapping[str, MemberReport | None]
         ) -> dict[str, datetime.datetime]:
    """When certificates expire, by member; without unknown times."""
    return {name: report.certificate_ends
            for name, report in reports.items()
            if report is not None and report.certificate_ends is not None}


def warning(reports: Mapping[str, MemberReport | None],
            now: datetime.datetime) -> str:
    """A sentence about the first one that expires soon, or ''."""
    found = ends(reports)
    if not found:
        return ''
    name = min(found, key=lambda each: found[each])
    if found[name] <= now:
        return (f'The certificate of {name} expired on '
                f'{found[name]:%Y-%m-%d}: a member that stops cannot rejoin.')
    if found[name] - now <= WARNING:
        return (f'The certificate of {name} expires on '
                f'{found[name]:%Y-%m-%d}.')
    return ''
