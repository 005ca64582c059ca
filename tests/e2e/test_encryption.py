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

"""What a stranger on the members' network can hear and do, by real parts.

The firewall's rules are taken away. The same questions to a cluster whose
members talk in clear text show that they can be answered otherwise.
"""

import subprocess
import uuid

import testtools

from lab.guest import control
from lab import netns
from lab import waiting
from tests.e2e import cloud
from tests.e2e import laboratory
from tests.e2e import strangers

GALERA = (4444, 4567, 4568)
ROWS = 200
#: of rows and of what goes with them; of a whole copy of an empty server
LEAST, WHOLE = ROWS * 32, 1 << 20

#: what a stranger starts: a server of the members' own image, on a copy of
#: its file system that goes with it
INTRUDER = """
set -e
mount -t tmpfs none /mnt
mkdir /mnt/upper /mnt/work /mnt/root
mount -t overlay overlay \
    -o lowerdir=$1,upperdir=/mnt/upper,workdir=/mnt/work /mnt/root
mount --bind /dev /mnt/root/dev
mount -t proc proc /mnt/root/proc
cd /mnt/root
mkdir -p var/lib/intruder run/mysqld
chown 1001:1001 var/lib/intruder run/mysqld
cat > etc/intruder.cnf
exec chroot . timeout 60 mariadbd --defaults-file=/etc/intruder.cnf \
    --user=1001 2>&1
"""
SETTINGS = """[mysqld]
datadir = /var/lib/intruder
socket = /run/mysqld/intruder.sock
bind_address = 127.0.0.1
binlog_format = ROW
innodb_autoinc_lock_mode = 2
wsrep_on = ON
wsrep_provider = /usr/lib/galera/libgalera_smm.so
wsrep_provider_options = "{options}"
wsrep_cluster_name = {cluster}
wsrep_cluster_address = gcomm://{peers}
wsrep_node_address = {address}
wsrep_node_name = intruder
wsrep_sst_method = rsync
"""
OWN_IDENTITY = """
openssl req -x509 -newkey rsa:2048 -nodes -days 9 -subj /CN=intruder \
    -keyout var/lib/intruder/key.pem -out var/lib/intruder/cert.pem \
    2> /dev/null
chown -R 1001:1001 var/lib/intruder
"""
TLS = ('socket.ssl_ca=/var/lib/intruder/cert.pem; '
       'socket.ssl_cert=/var/lib/intruder/cert.pem; '
       'socket.ssl_key=/var/lib/intruder/key.pem')

#: a certificate of one's own is what a stranger has
HANDSHAKE = """
cd "$(mktemp -d)"
openssl req -x509 -newkey rsa:2048 -nodes -days 9 -subj /CN=stranger \\
    -keyout key -out cert 2> /dev/null
sleep 5 | openssl s_client -connect "$1:4567" -cert cert -key key 2>&1
rm -r "$PWD"
"""


class Base(testtools.TestCase):
    """A cluster whose Galera ports are open to the whole network."""

    name: str

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.home = laboratory.home()
        cls.cluster_id = laboratory.create_cluster(cls.name)
        cls.addClassCleanup(laboratory.delete_cluster, cls.cluster_id,
                            timeout=120)
        cluster = laboratory.wait_ready(cls.cluster_id)
        cls.addresses = cluster['ip']
        cls.members = [member['name'] for member in cluster['instances']]
        for member in cluster['instances']:
            cloud.admit_everybody(cls.home, member['id'], GALERA[0],
                                  GALERA[-1])

    def ear(self, needle):
        ear = self.useFixture(strangers.Ear(self.home, needle, GALERA))

        waiting.until('the ear to listen', lambda: ear.listening, 30)
        return ear

    def write(self, secret):
        """Commit rows with the secret in them, one by one."""
        laboratory.sql(self.members[0], (
            'CREATE DATABASE IF NOT EXISTS vault; '
            'CREATE TABLE IF NOT EXISTS vault.said '
            '(id SERIAL, text VARCHAR(64))'))
        laboratory.sql(self.members[0], ''.join(
            f"INSERT INTO vault.said (text) VALUES ('{secret}');"
            for _ in range(ROWS)))

    def transfer_all(self):
        """Have the last member take a whole state transfer."""
        victim = self.members[-1]
        control.run(self.home, victim,
                    ['install', '-o', '1001', '-g', '1001', '/dev/null',
                     '/var/lib/mysql/data/sst_in_progress'])
        laboratory.lab('guest', 'kill-db', victim)
        laboratory.wait_agreement(self.members, timeout=240)

    def overheard(self):
        """How often a row is heard, live and in a state transfer."""
        secret = uuid.uuid4().hex
        live = self.ear(secret)
        self.write(secret)
        said = self._all_said(live, LEAST)
        transfer = self.ear(secret)
        self.transfer_all()
        return said, self._all_said(transfer, WHOLE)

    def _all_said(self, ear, least):
        """What was found, when enough was said and no more is found."""
        before = -1

        def said():
            nonlocal before
            size, found = ear.heard()
            if size < least or found != before:
                before = found
                raise waiting.NotYet(f'{size} bytes, {found} rows')
            return True
        waiting.until('members to speak', said, 60, 1)
        return before

    def intrude(self, stranger, options=''):
        """Try to join as a member; the intruder's own log."""
        settings = SETTINGS.format(
            options=options, cluster=self.cluster_id.replace('-', ''),
            peers=','.join(self.addresses), address=strangers.ADDRESS)
        script = INTRUDER
        if options:
            script = script.replace(
                'exec chroot', f'{OWN_IDENTITY}exec chroot')
        root = next(path for path in self.home.images.glob(
            '*/docker/overlay2/*/diff')
            if (path / 'usr/sbin/mariadbd').exists())
        done = subprocess.run(
            netns.inside(stranger.name, [
                'unshare', '--mount', '--pid', '--fork', '--kill-child',
                'bash', '-c', script, 'intruder', str(root)]),
            input=settings, text=True, capture_output=True, timeout=120)
        return done.stdout + done.stderr


class TestEncrypted(Base):

    name = 'sealed'

    def test_nobody_hears_a_row(self):
        self.assertEqual((0, 0), self.overheard())

    def test_nobody_joins_without_a_certificate_of_the_cluster(self):
        uuid_before = laboratory.wait_agreement(self.members)
        stranger = self.useFixture(strangers.Stranger(self.home))
        for options in ('', TLS):
            log = self.intrude(stranger, options)
            self.assertNotIn('Shifting OPEN -> PRIMARY', log)
            self.assertIn('failed to reach primary view', log)
            laboratory.wait_agreement(self.members, uuid_before)

    def test_members_end_a_talk_with_whom_they_do_not_know(self):
        stranger = self.useFixture(strangers.Stranger(self.home))
        said = netns.run(stranger.name, [
            'timeout', '20', 'sh', '-c', HANDSHAKE, 'sh', self.addresses[0]],
            check=False)
        self.assertIn('alert', said.stdout + said.stderr)


class TestInClearText(Base):
    """The same with encryption switched off: the tests above can fail."""

    name = 'postcard'

    @classmethod
    def setUpClass(cls):
        laboratory.use_options(
            cls, 'clear-text',
            '[mariadb]\nencrypt_cluster_traffic = False\n')
        super().setUpClass()

    def test_rows_are_heard(self):
        live, transfer = self.overheard()
        self.assertGreaterEqual(live, ROWS)
        self.assertGreaterEqual(transfer, ROWS)

    def test_anybody_joins(self):
        stranger = self.useFixture(strangers.Stranger(self.home))
        self.assertIn('Shifting OPEN -> PRIMARY', self.intrude(stranger))
        laboratory.wait_agreement(self.members, timeout=120)
