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

"""Checks of the filter of this package in trove-api's pipeline.

Imported by the table. Each public function is one check.
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
    'extensions in the pipeline. Without it, readers can change members, and '
    'users of a Percona XtraDB Cluster cannot be managed.')


def api_filter(site: sites.Site) -> Iterator[check.Finding]:
    """The filter of this package comes before Trove's extensions."""
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
            f'{path} cannot be read, so trove-api cannot start. Correct it; '
            "Trove's package contains an example.")
        return
    ways = [words for section in parser.sections()
            if section.startswith('pipeline:')
            and EXTENSIONS in (words := _factories(parser, section))]
    if not ways:
        yield check.Fault(
            f"{path} has no pipeline with Trove's extensions, so requests do "
            "not reach this package. Correct it; Trove's package contains an "
            'example.')
    for words in ways:
        if FILTER not in words:
            yield check.Fault(
                f'{path} does not have the filter of this package. '
                f'{_ADVICE}', fatal=False)
        elif words.index(FILTER) > words.index(EXTENSIONS):
            yield check.Fault(
                f'{path} has the filter of this package after extensions. '
                f'{_ADVICE}', fatal=False)


def _factories(parser: configparser.ConfigParser,
               section: str) -> list[str]:
    """Return the factories of a pipeline, in order."""
    return [parser.get(f'filter:{word}', _KEY, fallback=word).strip()
            for word in parser.get(section, 'pipeline', fallback='').split()]
