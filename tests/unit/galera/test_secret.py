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

import json
import pickle

import testtools

from trove_pxc.galera.secret import Secret


class SecretTest(testtools.TestCase):

    def test_no_way_of_printing_shows_it(self):
        secret = Secret('hunter2')
        for shown in (str(secret), repr(secret), f'{secret}', f'{secret!r}',
                      f'{secret:>10}', '%s %r' % (secret, secret),
                      '{}'.format(secret), str([secret]),
                      str({'password': secret})):
            self.assertNotIn('hunter2', shown)
            self.assertIn('***', shown)

    def test_reveal_gives_it(self):
        self.assertEqual('hunter2', Secret('hunter2').reveal())

    def test_no_engine_serialises_it(self):
        self.assertRaises(TypeError, json.dumps, Secret('hunter2'))
        self.assertRaises(TypeError, pickle.dumps, Secret('hunter2'))

    def test_it_has_no_dictionary_and_does_not_change(self):
        secret = Secret('hunter2')
        self.assertRaises(TypeError, vars, secret)
        self.assertRaises(AttributeError, setattr, secret, '_text', 'x')
        self.assertRaises(AttributeError, delattr, secret, '_text')

    def test_equal_texts_are_equal_secrets_but_no_texts(self):
        self.assertEqual(Secret('a'), Secret('a'))
        self.assertEqual(hash(Secret('a')), hash(Secret('a')))
        self.assertNotEqual(Secret('a'), Secret('b'))
        self.assertNotEqual(Secret('a'), 'a')

    def test_an_empty_one_is_false(self):
        self.assertFalse(Secret(''))
        self.assertTrue(Secret('a'))
