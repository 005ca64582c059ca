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

"""Whether trove-api's pipeline leads through the filter of this package.

The table imports it. Each public function is one check.
"""

from collections.abc import Iterator
import configparser

from trove_pxc.checks import check
from trove_pxc.checks import site as sites

FILTER = 'trove_pxc.api.pipeline:factory'
EXTENSIONS = 'trove.common.extensions:factory'
_KEY = 'paste.filter_factory'
_ADVICE = (
    f'Write: [filter:galera] {_KEY} = {FILTER}, and galera before '
    'extensions in the pipeline. Without it readers can change members, and '
    'users of a Percona XtraDB Cluster cannot be managed.')


def api_filter(site: sites.Site) -> Iterator[check.Finding]:
    """What changes a member, or the users of a cluster, meets our filter."""
    name = site.options.api_paste_config
    path = site.options.find_file(name)
    if path is None:
        yield check.NotChecked(
            f'[DEFAULT] api_paste_config = {name} is not found. Where '
            'trove-api runs, write its path. On another host, nothing is '
            'wrong; run the check where trove-api runs, too.')
        return
    parser = configparser.ConfigParser(strict=False, interpolation=None)
    try:
        parser.read(path)
    except (configparser.Error, OSError, UnicodeDecodeError):
        yield check.Fault(
            f'{path} cannot be read, so that trove-api cannot start. Put it '
            "right after the one in Trove's package.")
        return
    ways = [words for section in parser.sections()
            if section.startswith('pipeline:')
            and EXTENSIONS in (words := _factories(parser, section))]
    if not ways:
        yield check.Fault(
            f"{path} has no pipeline with Trove's extensions, so that "
            'clusters are not reached. Put it right after the one in '
            "Trove's package.")
    for words in ways:
        if FILTER not in words:
            yield check.Fault(f'{path} lacks the filter of this package. '
                              f'{_ADVICE}', fatal=False)
        elif words.index(FILTER) > words.index(EXTENSIONS):
            yield check.Fault(
                f'{path} has the filter of this package behind extensions. '
                f'{_ADVICE}', fatal=False)


def _factories(parser: configparser.ConfigParser,
               section: str) -> list[str]:
    """What the words of a pipeline stand for, in their order."""
    return [parser.get(f'filter:{word}', _KEY, fallback=word).strip()
            for word in parser.get(section, 'pipeline', fallback='').split()]
