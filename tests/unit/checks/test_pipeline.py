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

"""The place of the filter in api-paste.ini."""

import mock

from tests.unit.checks import installation
from trove_pxc.checks import pipeline

FILTERS = (
    '[filter:galera]\npaste.filter_factory = '
    'trove_pxc.api.pipeline:factory\n'
    '[filter:extensions]\npaste.filter_factory = '
    'trove.common.extensions:factory\n')
ADVICE = (
    'Write: [filter:galera] paste.filter_factory = '
    'trove_pxc.api.pipeline:factory, and galera before extensions in the '
    'pipeline. Without it, readers can change members, and users of a Percona '
    'XtraDB Cluster cannot be managed.')


class ApiFilterTest(installation.InstallationTestCase):

    def setUp(self) -> None:
        super().setUp()
        self.file = self.folder / 'api-paste.ini'

    def faults(self, *pipelines: str) -> list[str]:
        """Check a file with these pipelines, given by their filters."""
        self.file.write_text(FILTERS + ''.join(
            f'[pipeline:{number}]\npipeline = {words}\n'
            for number, words in enumerate(pipelines)))
        return self.asked()

    def asked(self) -> list[str]:
        return self.texts(pipeline.api_filter(self.site(
            f'api_paste_config = {self.file}\n')))

    def test_before_extensions(self) -> None:
        self.assertEqual([], self.faults(
            'cors galera extensions api', 'versionapp',
            '\n[pipeline:empty]'))

    def test_a_factory_may_stand_in_the_pipeline_itself(self) -> None:
        self.assertEqual([], self.faults(
            f'{pipeline.FILTER} {pipeline.EXTENSIONS} api'))

    def test_behind_extensions(self) -> None:
        self.assertEqual(
            [f'doubt: {self.file} has the filter of this package after '
             f'extensions. {ADVICE}'], self.faults('extensions galera api'))

    def test_not_there(self) -> None:
        self.assertEqual(
            [f'doubt: {self.file} does not have the filter of this package. '
             f'{ADVICE}'], self.faults('cors extensions api'))

    def test_each_pipeline_is_looked_at(self) -> None:
        first, second = self.faults(
            'extensions api', 'galera extensions api',
            'extensions galera api')
        self.assertIn('does not have', first)
        self.assertIn('after', second)

    def test_no_extensions(self) -> None:
        self.assertEqual(
            [f"fatal: {self.file} has no pipeline with Trove's extensions, so "
             "requests do not reach this package. Correct it; Trove's package "
             'contains an example.'], self.faults('galera api'))

    def test_the_words_of_another_section_count_for_nothing(self) -> None:
        self.file.write_text(FILTERS + '[composite:x]\n'
                             'pipeline = galera extensions api\n')
        fault, = self.asked()
        self.assertIn('has no pipeline with', fault)

    def test_no_file(self) -> None:
        self.assertEqual(
            [f'not checked: [DEFAULT] api_paste_config = {self.file} is not '
             'found. Where trove-api runs, write its path. On another host, '
             'nothing is wrong; run the check where trove-api runs, too.'],
            self.asked())

    def test_a_file_that_cannot_be_read(self) -> None:
        unreadable = (
            f'fatal: {self.file} cannot be read, so trove-api cannot start. '
            "Correct it; Trove's package contains an example.")
        for content in (b'pipeline = x\n', b'[filter:x]\n\xff\n'):
            self.file.write_bytes(content)
            self.assertEqual([unreadable], self.asked())
        with mock.patch('configparser.ConfigParser.read', autospec=True,
                        side_effect=PermissionError):
            self.assertEqual([unreadable], self.asked())

    def test_what_the_parser_could_take_amiss(self) -> None:
        """Paste accepts a repeated section and a literal per cent sign."""
        self.file.write_text(
            FILTERS + '[pipeline:a]\npipeline = %(x)s galera extensions\n'
            '[filter:galera]\n')
        self.assertEqual([], self.asked())
