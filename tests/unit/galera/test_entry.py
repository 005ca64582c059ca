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

import testtools

from trove_pxc.galera import entry
from trove_pxc.galera import errors


class EntryTest(testtools.TestCase):

    def refuse(self, words, check, *values):
        failure = self.assertRaises(errors.Unusable, check, *values)
        self.assertIn(words, str(failure))
        return str(failure)

    def test_users(self):
        for name in ('joe', 'b\u00fcser', "o'neill", 'a`b"c', 'tab\there',
                     ' before', '%', 'x' * 200):
            for host in ('%', 'app.example.com', '10.0.0.%', '::1', "h'"):
                entry.check_user(name, host)
        for name, words in (('', 'empty'), ('joe ', 'end with a space'),
                            ('a\0b', 'NUL'), ('a\ud800', 'surrogate'),
                            (5, 'no text'), (None, 'no text'),
                            ('root', 'reserved'), ('OS_ADMIN', 'reserved')):
            self.refuse(words, entry.check_user, name, '%')
        self.refuse('NUL', entry.check_user, 'joe', 'h\0')
        self.refuse('no text', entry.check_user, 'joe', 5)

    def test_databases(self):
        for name in ('a', 'shop.de', 'x y', 'q`q', '%', '_' * 64):
            entry.check_database(name)
        for name, words in (('', 'empty'), ('a ', 'end with a space'),
                            ('\0', 'NUL'), ({}, 'no text'),
                            ('MySQL', 'reserved'), ('sys', 'reserved')):
            self.refuse(words, entry.check_database, name)

    def test_passwords(self):
        for password in ('a', ' ', '\'"`;,/\\\t', 'p\u00e4ss', '\U0001f600'):
            entry.check_password(password)
        for password in ('', None, 5, 'geheim\0', 'geheim\udfff'):
            text = self.refuse('A password must', entry.check_password,
                               password)
            self.assertNotIn('geheim', text)
