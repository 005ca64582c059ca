# Licensed under the Apache License, Version 2.0 (the "License"); you may
# not use this file except in compliance with the License. You may obtain
# a copy of the License at
#
#      http://www.apache.org/licenses/LICENSE-2.0
#
# Unless required by applicable law or agreed to in writing, software
# distributed under the License is distributed on an "AS IS" BASIS, WITHOUT
# WARRANTIES OR CONDITIONS OF ANY KIND, either express or implied. See the
# License for the specific language governing permissions and limitations
# under the License.

"""The counts of tools/measure, and their places."""

import contextlib
import io
import pathlib
import textwrap

import fixtures
import testtools

from tests.unit.tools import loading
from tests.unit.tools.loading import modules

measure = loading.tool('measure')


class SizesTest(testtools.TestCase):

    def test_modules_per_folder(self):
        found = modules(conf='X = 1', api__cluster='X = 1',
                        api__views='import conf', api____init__='"""Doc."""')
        self.assertEqual({'trove_pxc': 1, 'trove_pxc/api': 2},
                         measure.modules_per_folder(found))

    def test_the_largest_and_the_longest(self):
        found = modules(conf='X = 1\n', lease='\ndef f():\n    x = 1\n')
        self.assertEqual((3, 'trove_pxc/lease.py'),
                         measure.largest_module(found))
        self.assertEqual((2, 'trove_pxc/lease.py:2 f'),
                         measure.longest_function(found))

    def test_of_an_empty_tree(self):
        self.assertEqual((0, ''), measure.largest_module([]))
        self.assertEqual((0, ''), measure.longest_function([]))
        self.assertEqual((), measure.Classes([]).longest())


class TypesTest(testtools.TestCase):

    def test_share_of_any(self):
        found = modules(conf='''
            class A:
                def f(self, a: Any, *b: int, c: list[Any], **d: Any): pass
                def g(self, a): pass
            ''')
        self.assertEqual(measure.Share(3, 5), measure.share_of_any(found))
        self.assertEqual('60 % (3 of 5)', str(measure.share_of_any(found)))

    def test_no_parameters(self):
        self.assertEqual('0 % (0 of 0)', str(measure.share_of_any([])))


class BroadExceptsTest(testtools.TestCase):

    def test_broad_excepts(self):
        source = '''
            try:
                x = 1
            except {}:
                raise
            '''
        for kind, count in (('Exception', 1), ('(OSError, Exception)', 1),
                            ('', 1), ('OSError', 0)):
            text = source.format(kind).replace('except :', 'except:')
            self.assertEqual(count, len(list(measure.broad_excepts(
                modules(conf=text)))), kind)


class TermsTest(testtools.TestCase):

    def names(self, term, **sources):
        return [finding.what for finding in measure.uses_in_names(
            modules(**sources), term)]

    def test_a_word_of_a_name(self):
        self.assertEqual(
            ['halt', 'halt_all', '_haltAll', 'HALT'],
            self.names(measure.Term('halt', 'stop_for_recovery'),
                       halt='''
                       halt_all = _haltAll = HALT
                       asphalt = halted = 'halt'
                       '''))

    def test_what_replaces_it_may_hold_it(self):
        self.assertEqual(
            ['authority', 'an_authority'],
            self.names(measure.Term('authority', 'certificate_authority'),
                       conf='''
                       authority = an_authority
                       new_certificate_authority = 1
                       '''))

    def test_in_one_folder(self):
        self.assertEqual([], self.names(measure.Term('halt', 'stop', 'lab'),
                                        conf='halt = 1'))

    def test_phrases_flow_over_lines(self):
        text = """
            # waits in
            # vain
            f('it waits in '
              f'vain for {x}; a main vein; in vain')
            """
        self.assertEqual(3, len(list(measure.uses_in_prose(
            {'trove_pxc/conf.py': text},
            measure.Term('in vain', 'timed out')))))


class ReportTest(testtools.TestCase):

    def setUp(self):
        super().setUp()
        self.top = pathlib.Path(self.useFixture(fixtures.TempDir()).path)
        self.write('tools/terms.toml', '''
            [identifiers.""]
            halt = "stop"
            [phrases."doc"]
            "in vain" = "timed out"
            ''')
        self.write('trove_pxc/conf.py', 'halt = 1\n')
        self.write('lab/up', '#!/usr/bin/env python3\nhalt = 1\n')
        self.write('lab/down', '#!/bin/sh\nhalt\n')
        self.write('doc/source/index.rst', 'It waits\nin vain.\n')
        self.write('README.rst', 'In vain.\n')

    def write(self, path, text):
        file = self.top / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(textwrap.dedent(text))

    def test_counts(self):
        lines = list(measure.report(self.top))
        self.assertIn('  halt -> stop: 2', lines)
        self.assertIn('  in vain -> timed out: 1', lines)

    def test_places(self):
        lines = list(measure.report(self.top, places=True))
        self.assertIn('        lab/up:2 halt', lines)
        self.assertIn('        doc/source/index.rst in vain', lines)

    def test_printed(self):
        self.useFixture(fixtures.MockPatchObject(measure, 'TOP', self.top))
        output = io.StringIO()
        with contextlib.redirect_stdout(output):
            self.assertEqual(0, measure.main([]))
        self.assertIn('largest module: 1 lines, trove_pxc/conf.py\n',
                      output.getvalue())
