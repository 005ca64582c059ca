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

"""Values that servers accept, and values that they do not."""

import string
from typing import Any

import testtools

from trove_pxc.galera import catalogue
from trove_pxc.galera import dialect
from trove_pxc.galera import limits

MARIADB = dialect.for_version('mariadb', '10.11')
PXC_56 = dialect.for_version('pxc', '5.6')
PXC_80 = dialect.for_version('pxc', '8.0')
PRINTABLE = ''.join(chr(code) for code in range(0x20, 0x7f))


class LimitsTestCase(testtools.TestCase):

    def refused(self, words: str, sentence: str | None) -> None:
        self.assertIn(words, str(sentence))


class UserNameTest(LimitsTestCase):

    def test_what_every_server_takes(self) -> None:
        for name in ('a', 'joe', 'b\xfcser', "o'neil", 'a"b', 'a`b', 'a\\b',
                     'a@b', 'a/b', 'a.b', 'a%b', ' a', 'a b', '\u6f22', '%'):
            for known in catalogue.DIALECTS:
                self.assertIsNone(limits.user_name(known, name), name)

    def test_the_longest_of_each_series(self) -> None:
        for manager, version, most in (
                ('pxc', '5.6', 16), ('pxc', '5.7', 32), ('pxc', '8.0', 32),
                ('pxc', '8.4', 32), ('mariadb', '10.6', 128),
                ('mariadb', '11.8', 128)):
            known = dialect.for_version(manager, version)
            self.assertIsNone(limits.user_name(known, '\xfc' * most))
            self.refused(
                f'has {most + 1} characters; the limit of {known.name} is '
                f'{most}.', limits.user_name(known, 'a' * (most + 1)))

    def test_a_long_one_is_cut_in_the_sentence(self) -> None:
        sentence = limits.user_name(MARIADB, 'a' * 5000)
        self.assertLess(len(str(sentence)), 200)

    def test_what_no_server_keeps(self) -> None:
        for name, words in (
                ('a\tb', "The user name 'a\\tb' contains '\\t'"),
                ('a\nb', "contains '\\n'"), ('\x7f', 'contains'),
                ('\x9f', 'contains'),
                ('\U0001f418', "contains '\\U0001f418'"),
                ('joe ', "'joe ' ends with a space"),
                ('\ud800', "contains '\\ud800'")):
            self.refused(words, limits.user_name(MARIADB, name))

    def test_reserved(self) -> None:
        for name in ('root', 'ROOT', 'os_admin', 'mysql.sys', 'root '):
            self.refused('is reserved', limits.user_name(MARIADB, name))
        self.refused('The user name is empty.',
                     limits.user_name(MARIADB, ''))


class HostTest(LimitsTestCase):

    def test_names_addresses_and_patterns(self) -> None:
        for text in ('%', 'app.example.com', '10.0.0.1', '10.0.0.%', '::1',
                     '10.0.0.0/255.255.255.0', '10.0.0.0/24', 'fd00::%',
                     'localhost.localdomain', 'my_host'):
            for known in catalogue.DIALECTS:
                self.assertIsNone(limits.host(known, text), text)

    def test_the_longest(self) -> None:
        for known, most in ((PXC_56, 60), (PXC_80, 255), (MARIADB, 255)):
            self.assertIsNone(limits.host(known, 'a' * most))
            self.refused(f'is {most}.',
                         limits.host(known, 'a' * (most + 1)))

    def test_others(self) -> None:
        for text, words in (
                ('a@b', "The host 'a@b' contains '@'"),
                ('a b', "contains ' '"),
                ('h\xfc', "contains '\xfc'"), ('\n', 'contains'),
                ('localhost', "'localhost' is the guest"),
                ('LocalHost', "'LocalHost' is the guest"),
                ('', 'The host is empty')):
            self.refused(words, limits.host(MARIADB, text))


class DatabaseTest(LimitsTestCase):

    def database(self, name: str) -> str | None:
        return limits.database(MARIADB, name)

    def test_what_servers_take(self) -> None:
        for name in ('a', 'a.b', 'a-b', 'a/b', '..', 'a b', 'a`b', "a'b",
                     'a\\b', '%', '_', '\xfc' * 64, 'x' * 64, '.' * 51,
                     '\u6f22' * 51):
            self.assertIsNone(self.database(name), name)

    def test_what_they_do_not(self) -> None:
        for name, words in (
                ('', 'The database name is empty.'),
                ('x' * 65,
                 'has 65 characters; the limit of MariaDB 10.11 is 64'),
                ('.' * 52, 'would have 260 bytes'),
                ('\u6f22' * 52, 'would have 260 bytes'),
                ('a ', 'ends with a space'), ('a\tb', "contains '\\t'"),
                ('\U0001f418', 'contains')):
            self.refused(words, self.database(name))

    def test_reserved(self) -> None:
        for name in ('mysql', 'MySQL', 'sys', 'SYS', 'information_schema',
                     'Performance_Schema', '#mysql50#mysql'):
            self.refused('is reserved', self.database(name))


class PasswordTest(LimitsTestCase):

    def test_each_printable_character(self) -> None:
        for character in PRINTABLE + '\xe4\u20ac\u6f22\U0001f418':
            self.assertIsNone(limits.password(character), character)
            self.assertIsNone(limits.password(f'a{character}b'), character)

    def test_what_openssl_makes(self) -> None:
        base64 = string.ascii_letters + string.digits + '+/='
        self.assertIsNone(limits.password(base64))

    def test_others(self) -> None:
        for text, words in (
                ('', 'The password is empty.'),
                ('s3cret\x07', 'contains a control character'),
                ('s3cret\n', 'contains a control character'),
                ('s3cret' * 50, 'has 300 characters')):
            sentence = limits.password(text)
            self.refused(words, sentence)
            self.assertNotIn('s3cret', str(sentence))


class WordTest(LimitsTestCase):

    def test_words(self) -> None:
        for text in ('utf8mb4', 'utf8mb4_0900_ai_ci', 'uca1400_ai_ci'):
            self.assertIsNone(limits.word('collation', text))

    def test_what_is_none(self) -> None:
        for text in ('', 'utf8; DROP', 'utf8-mb4', 'a' * 65, 'utf8\n'):
            self.refused('does not exist', limits.word('collation', text))


class FolderTest(LimitsTestCase):
    """Measured: SELECT LENGTH(CONVERT(name USING filename))."""

    def test_bytes(self) -> None:
        measured: dict[Any, int] = {
            'a': 1, 'Z': 1, '_': 1, '9': 1, '-': 5, '.': 5, '@': 5,
            '\xbf': 5, '\xc0': 3, '\xd7': 5, '\xff': 3, '\u0241': 3,
            '\u0400': 3, '\u0531': 3, '\u0600': 5, '\u1e00': 3,
            '\u2160': 3, '\u24b6': 3, '\u6f22': 5, '\uff21': 3}
        for character, size in measured.items():
            self.assertEqual(size, limits._folder_bytes(character),
                             ascii(character))
