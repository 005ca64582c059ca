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

"""Attacks on the traffic of a cluster: reading it, and joining.

For end-to-end tests of encryption. The firewall's rules are removed.
"""

import contextlib
import subprocess

from lab.guest import control
from lab import netns
from lab import waiting
from tests.e2e import cloud
from tests.e2e import laboratory
from tests.e2e import strangers

GALERA = (4444, 4567, 4568)
ROWS = 200
#: Bytes of rows and their overhead; of a full copy of an empty server.
LEAST, WHOLE = ROWS * 32, 1 << 20

#: The attacker starts a server of the members' own image, on a temporary
#: copy of its file system.
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
wsrep_provider_options = "pc.wait_prim_timeout=PT15S; {options}"
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


class Listening:
    """A mixin for test cases whose class has called ``open_ports``.

    :cvar members: the names of the cluster's members
    :cvar addresses: their addresses
    """

    @classmethod
    def open_ports(cls, cluster):
        """Open the Galera ports of a cluster until the class has ended."""
        cls.home = laboratory.home()
        cls.cluster_id = cluster['id']
        cls.addresses = cluster['ip']
        cls.members = [member['name'] for member in cluster['instances']]
        opened = contextlib.ExitStack()
        cls.addClassCleanup(opened.close)
        for member in cluster['instances']:
            opened.enter_context(cloud.everybody_admitted(
                cls.home, member['id'], GALERA[0], GALERA[-1]))

    def ear(self, needle):
        ear = self.useFixture(strangers.Ear(self.home, needle, GALERA))

        waiting.until('the listener to start', lambda: ear.listening, 30)
        return ear

    def write(self, secret):
        """Commit rows that contain the secret, one by one."""
        laboratory.sql(self.members[0], (
            'CREATE DATABASE IF NOT EXISTS vault; '
            'CREATE TABLE IF NOT EXISTS vault.said '
            '(id SERIAL, text VARCHAR(64))'))
        laboratory.sql(self.members[0], ''.join(
            f"INSERT INTO vault.said (text) VALUES ('{secret}');"
            for _ in range(ROWS)))

    def transfer_all(self):
        """Make the last member take a full state transfer."""
        victim = self.members[-1]
        control.run(self.home, victim,
                    ['install', '-o', '1001', '-g', '1001', '/dev/null',
                     '/var/lib/mysql/data/sst_in_progress'])
        laboratory.lab('guest', 'kill-db', victim)
        laboratory.wait_agreement(self.members, timeout=240)

    def overheard(self, secret):
        """How often a row that is written now is read on the network."""
        live = self.ear(secret)
        self.write(secret)
        return self._all_said(live, LEAST)

    def overheard_in_transfer(self, secret):
        """How often it is read in a state transfer."""
        transfer = self.ear(secret)
        self.transfer_all()
        return self._all_said(transfer, WHOLE)

    def _all_said(self, ear, least):
        """The number found, when enough traffic passed and it is constant."""
        before = -1

        def said():
            nonlocal before
            size, found = ear.heard()
            if size < least or found != before:
                before = found
                raise waiting.NotYet(f'{size} bytes, {found} rows')
            return True
        waiting.until('traffic between members', said, 60, 1)
        return before

    def intrude(self, stranger, options=''):
        """Try to join as a member; return the attacker's own log."""
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
