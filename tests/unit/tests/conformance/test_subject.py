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

"""What the kit reads in the logs and options of servers."""

import testtools

from tests.conformance import subject
from tests.faults import audit as audits

#: Of MariaDB 10.11 (measured), PXC 5.6 and PXC 8 (wsrep_sst.cc).
WHOLE = (
    "2026-11-30 16:00:00 0 [Note] WSREP: Initiating SST/IST transfer on "
    "DONOR side (wsrep_sst_mariabackup --role 'donor' --address "
    "'10.88.0.12:4444/xtrabackup_sst//1' --local-port 3306)",
    "2014-01-01 00:00:00 1 [Note] WSREP: Running: 'wsrep_sst_xtrabackup-v2 "
    "--role 'donor' --address '10.88.0.12:4444/xtrabackup_sst'  --gtid "
    "'6a9f:17' '",
    "2024-01-01T00:00:00.000000Z 0 [Note] [MY-000000] [WSREP] Initiating "
    "SST/IST transfer on DONOR side (wsrep_sst_xtrabackup-v2 --role 'donor' "
    "--address '10.88.0.12:4444/xtrabackup_sst//1' )")


class LogTest(testtools.TestCase):

    def test_donor_of_a_full_transfer_and_its_method_are_found(self) -> None:
        for line, method in zip(
                WHOLE, ('mariabackup', 'xtrabackup-v2', 'xtrabackup-v2'),
                strict=True):
            found = subject.DONATED.search(line)
            assert found is not None
            self.assertEqual(method, found['method'])
            self.assertNotIn('--bypass', found['rest'])
            found = subject.DONATED.search(f'{line[:-1]} --bypass)')
            assert found is not None
            self.assertIn('--bypass', found['rest'])

    def test_joiner_is_no_donor(self) -> None:
        self.assertIsNone(subject.DONATED.search(
            WHOLE[0].replace("'donor'", "'joiner'")))

    def test_encryption_is_read_from_the_options(self) -> None:
        self.assertTrue(subject.ENCRYPTED.search(
            'socket.recv_buf_size = auto; socket.ssl = YES; '
            'socket.ssl_cert = /etc/mysql/tls/cert.pem'))
        for clear in ('socket.ssl = NO; ', 'socket.checksum = 2; ',
                      'socket.ssl_cert = YES'):
            self.assertIsNone(subject.ENCRYPTED.search(clear), clear)

    def test_results_of_the_writes_are_one_line(self) -> None:
        audit = audits.Audit(
            acknowledged=1125, refused=3, unknown=4, unknown_kept=2, lost=0,
            longest_stall=72.14, findings=[], kept_after={1180: 2})
        self.assertEqual('1125 writes, 0 lost, 4 unknown, 2 of them there '
                         'after error 1180; stall 72.1 s',
                         subject.figures(audit))
