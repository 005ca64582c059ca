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

import base64
import gzip

import testtools
import yaml

from lab.cloud import http
from lab.cloud import userdata

MULTIPART = '''\
Content-Type: multipart/mixed; boundary="b"
MIME-Version: 1.0

--b
Content-Type: text/cloud-config

{config}
--b
Content-Type: text/x-shellscript

#!/bin/sh
touch /done
--b--
'''


def _encoded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def _config(*files: dict[str, str]) -> str:
    return '#cloud-config\n' + yaml.dump({'write_files': list(files)})


class ParseTest(testtools.TestCase):

    def test_no_user_data(self) -> None:
        self.assertEqual({}, userdata.parse(None))

    def test_what_trove_injects(self) -> None:
        parsed = userdata.parse(_encoded(_config({
            'encoding': 'b64', 'owner': 'ubuntu:root',
            'path': '/etc/trove/conf.d/guest_info.conf',
            'content': _encoded('[DEFAULT]\nguest_id=1\n')})))
        entry = parsed['write_files'][0]
        self.assertEqual('/etc/trove/conf.d/guest_info.conf', entry['path'])
        self.assertEqual('ubuntu:root', entry['owner'])
        self.assertEqual(b'[DEFAULT]\nguest_id=1\n',
                         bytes.fromhex(entry['content_hex']))

    def test_plain_and_zipped_content(self) -> None:
        zipped = base64.b64encode(gzip.compress(b'two')).decode()
        parsed = userdata.parse(_encoded(_config(
            {'path': '/1', 'content': 'one'},
            {'path': '/2', 'content': zipped, 'encoding': 'gz+b64'})))
        self.assertEqual(
            [b'one', b'two'],
            [bytes.fromhex(entry['content_hex'])
             for entry in parsed['write_files']])

    def test_several_parts(self) -> None:
        parsed = userdata.parse(_encoded(MULTIPART.format(
            config=_config({'path': '/1', 'content': 'one'}))))
        self.assertEqual(1, len(parsed['write_files']))
        self.assertIn('touch /done', parsed['runcmd'][0][2])

    def test_what_is_not_base64_is_refused(self) -> None:
        self.assertRaises(http.ApiError, userdata.parse, '\u00e4')
