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

import configparser
import json
import subprocess
import sys

import testtools

from trove_pxc.galera import catalogue
from trove_pxc.galera import certificates
from trove_pxc.galera import dialect
from trove_pxc.galera import errors
from trove_pxc.galera.secret import Secret
from trove_pxc.galera import settings

MEMBERS = (('products-1', '10.88.0.11'), ('products-2', '10.88.0.12'),
           ('products-3', '10.88.0.13'))

SECRETS = settings.ClusterSecrets(
    Secret('admin-pass'), Secret('root-pass'), Secret('sst-pass'))

DEFAULTS = (('character_set_server', 'utf8mb4'),
            ('wsrep_mode', 'STRICT_REPLICATION,DISALLOW_LOCAL_GTID'))

FLAVORS = (512, 600, 1024, 1536, 2048, 4096, 8192, 16384, 65536, 262144)
VOLUMES = (1, 2, 5, 10, 50, 100, 1000)


def facts(**changes):
    plain = {
        'cluster_id': 'c0ffee00-c0ff-ee00-c0ff-ee00c0ffee00',
        'cluster_name': 'c0ffee00c0ffee00c0ffee00c0ffee00',
        'member_name': 'products-2', 'member_address': '10.88.0.12',
        'members': MEMBERS, 'instance_id': 'an-instance', 'memory_mb': 1024,
        'volume_gb': 1, 'sst_method': None, **changes}
    return settings.MemberFacts.from_dict(plain)


def read(text):
    """The sections of the option file, without !include lines."""
    parser = configparser.ConfigParser(
        allow_no_value=True, interpolation=None, strict=True,
        comment_prefixes=('#', ';', '!'))
    parser.read_string(text)
    return {name: dict(parser[name]) for name in parser.sections()}


def server(one, **changes):
    return read(settings.server_config(one, facts(**changes)))['mysqld']


def cluster(one, **changes):
    return read(settings.cluster_config(
        one, facts(**changes), SECRETS, one.provider_paths[0]))


def megabytes(text):
    assert text.endswith('M'), text
    return int(text[:-1])


class FactsTest(testtools.TestCase):

    def test_facts_survive_json(self):
        for method in (None, 'rsync'):
            one = facts(sst_method=method)
            wire = json.loads(json.dumps(one.to_dict()))
            self.assertEqual(one, settings.MemberFacts.from_dict(wire))

    def test_defaults_survive_json(self):
        one = facts(defaults=DEFAULTS)
        wire = json.loads(json.dumps(one.to_dict()))
        self.assertEqual(DEFAULTS, settings.MemberFacts.from_dict(
            wire).defaults)

    def test_the_facts_of_an_older_version_have_no_defaults(self):
        wire = facts().to_dict()
        del wire['defaults']
        self.assertEqual((), settings.MemberFacts.from_dict(wire).defaults)

    def test_secrets_survive_the_wire_and_show_nowhere_else(self):
        wire = json.loads(json.dumps(SECRETS.to_dict()))
        self.assertEqual(SECRETS, settings.ClusterSecrets.from_dict(wire))
        for password in wire.values():
            self.assertNotIn(password, repr(SECRETS))
            self.assertNotIn(password, str(SECRETS))


class SizesTest(testtools.TestCase):

    def test_known_guests(self):
        # (memory, volume, pool, redo log, gcache, connections, appliers)
        for memory, volume, *wanted in (
                (512, 1, 64, 32, 128, 64, 8),
                (1024, 1, 384, 48, 128, 128, 8),
                (2048, 2, 896, 112, 256, 256, 16),
                (8192, 40, 4608, 512, 2048, 1024, 16),
                (65536, 100, 38912, 512, 2048, 4000, 32)):
            own = settings.sizes(memory, volume)
            self.assertEqual(tuple(wanted), (
                own.buffer_pool_mb, own.redo_log_mb, own.gcache_mb,
                own.max_connections, own.applier_threads), (memory, volume))

    def test_every_guest_has_room_for_what_it_is_told_to_hold(self):
        for memory in FLAVORS:
            for volume in VOLUMES:
                own = settings.sizes(memory, volume)
                self.assertLessEqual(own.buffer_pool_mb, memory * 0.7)
                self.assertGreaterEqual(own.buffer_pool_mb, 16)
                self.assertLessEqual(own.gcache_mb, volume * 1024 / 8)
                self.assertGreaterEqual(own.gcache_mb, 32)
                self.assertLessEqual(own.redo_log_mb, volume * 1024 / 16)
                self.assertGreaterEqual(own.redo_log_mb, 32)
                self.assertGreater(own.max_connections, 8)

    def test_applier_threads(self) -> None:
        """Appliers wait for the disk: small guests need them as well."""
        for gibibytes, wanted in ((1, 8), (2, 16), (4, 16), (16, 16),
                                  (24, 24), (64, 32)):
            self.assertEqual(
                wanted, settings.applier_threads(gibibytes * 1024), gibibytes)

    def test_every_dialect_gets_its_applier_threads(self) -> None:
        for one in catalogue.DIALECTS:
            self.assertEqual('16', cluster(one, memory_mb=2048)['mysqld'][
                one.applier_threads_variable], one.name)

    def test_a_split_pool_is_what_the_server_would_round_it_to(self):
        for memory in FLAVORS:
            own = settings.sizes(memory, 10)
            if own.buffer_pool_mb >= 128:
                self.assertEqual(0, own.buffer_pool_mb
                                 % (128 * own.buffer_pool_instances))

    def test_more_memory_never_gets_less(self):
        for volume in VOLUMES:
            for field in ('max_connections', 'applier_threads'):
                own = [getattr(settings.sizes(memory, volume), field)
                       for memory in FLAVORS]
                self.assertEqual(sorted(own), own, field)


class ServerIdTest(testtools.TestCase):

    def test_it_is_the_same_in_every_process(self):
        there = subprocess.run(
            [sys.executable, '-c', 'from trove_pxc.galera import settings; '
             'print(settings.server_id("an-instance"))'],
            check=True, capture_output=True, text=True, cwd='.').stdout
        self.assertEqual(settings.server_id('an-instance'), int(there))

    def test_it_is_one_that_the_server_takes(self):
        for number in range(2000):
            self.assertIn(settings.server_id(f'instance-{number}'),
                          range(1, 2 ** 32))


class ServerConfigTest(testtools.TestCase):

    def test_every_dialect_with_every_flavor(self):
        for one in catalogue.DIALECTS:
            for memory in FLAVORS:
                options = server(one, memory_mb=memory, volume_gb=5)
                self.assertEqual(
                    set(), set(options) & one.removed_options, one.name)
                self.assertEqual('/var/lib/mysql/data', options['datadir'])
                self.assertEqual('/var/run/mysqld/mysqld.sock',
                                 options['socket'])
                self.assertEqual('0.0.0.0', options['bind_address'])
                self.assertNotIn('log_error', options)
                self.assertFalse(any(name.startswith('wsrep')
                                     for name in options))

    def test_it_ends_with_the_folder_of_overrides(self):
        for one in catalogue.DIALECTS:
            text = settings.server_config(one, facts())
            self.assertTrue(
                text.endswith('\n!includedir /etc/mysql/conf.d/\n'))

    def test_redo_log_is_as_large_whatever_it_is_called(self):
        own = settings.sizes(4096, 50)
        for one in catalogue.DIALECTS:
            variable, files = one.redo_log
            options = server(one, memory_mb=4096, volume_gb=50)
            self.assertEqual(own.redo_log_mb,
                             megabytes(options[variable]) * files)

    def test_series_that_split_the_pool(self):
        for one in catalogue.DIALECTS:
            self.assertEqual(
                one.manager == 'pxc',
                'innodb_buffer_pool_instances' in server(one))

    def test_small_guests_go_without_performance_schema(self):
        for one in catalogue.DIALECTS:
            self.assertEqual(
                '0', server(one, memory_mb=512)['performance_schema'])
            self.assertNotIn('performance_schema',
                             server(one, memory_mb=4096))

    def test_eight_series_without_query_cache_nor_binary_log(self):
        for version in ('8.0', '8.4'):
            options = server(dialect.for_version('pxc', version))
            self.assertNotIn('query_cache_type', options)
            self.assertIsNone(options['skip_log_bin'])
            self.assertEqual('0', options['mysqlx'])

    def test_a_stop_does_not_wait_for_a_proxy(self):
        for one in catalogue.DIALECTS:
            self.assertEqual(
                '1' if (one.manager, one.version) >= ('pxc', (5, 7)) else None,
                server(one).get('pxc_maint_transition_period'), one.name)

    def test_eight_series_tell_nobody_of_themselves(self):
        for one in catalogue.DIALECTS:
            self.assertEqual(
                '1' if (one.manager, one.version) >= ('pxc', (8, 0)) else None,
                server(one).get('loose_percona_telemetry_disable'), one.name)

    def test_two_members_differ_in_nothing_but_their_id(self):
        one = dialect.for_version('mariadb', '10.11')
        first, second = (server(one, instance_id=name) for name in 'ab')
        self.assertEqual({'server_id'}, {
            name for name in first if first[name] != second[name]})

    def test_paths_may_be_elsewhere(self):
        text = settings.server_config(
            dialect.for_version('mariadb', '10.11'), facts(),
            data_dir='/d', socket='/s', pid_file='/p', include_dir='/i/')
        options = read(text)
        self.assertEqual('/s', options['client']['socket'])
        self.assertEqual(('/d', '/s', '/p'), tuple(
            options['mysqld'][name]
            for name in ('datadir', 'socket', 'pid_file')))

    def test_a_group_may_change_what_does_not_make_it_a_member(self):
        """It is read after the server's options, before the cluster's."""
        one = dialect.for_version('mariadb', '10.11')
        options = server(one, defaults=DEFAULTS)
        self.assertEqual('utf8mb4', options['character_set_server'])
        self.assertNotIn('wsrep_mode', options)
        of_cluster = cluster(one, defaults=DEFAULTS)['mysqld']
        self.assertEqual(DEFAULTS[1][1], of_cluster['wsrep_mode'])
        self.assertNotIn('character_set_server', of_cluster)

    def test_a_cluster_of_an_older_version_stays_as_it_is(self):
        one = dialect.for_version('mariadb', '10.11')
        self.assertNotIn('character_set_server', server(one))
        self.assertNotIn('wsrep_mode', cluster(one)['mysqld'])


class VariablesTest(testtools.TestCase):

    def test_all_that_the_two_files_set(self):
        for one in catalogue.DIALECTS:
            named = settings.variables(one, facts(defaults=DEFAULTS),
                                       certificates.Paths('/tls'))
            rendered = {*server(one, defaults=DEFAULTS), *read(
                settings.cluster_config(
                    one, facts(defaults=DEFAULTS), SECRETS, 'p',
                    certificates.Paths('/tls')))['mysqld']}
            self.assertEqual(
                {'skip_log_bin', 'wsrep_sst_auth',
                 'loose_percona_telemetry_disable'} & rendered,
                rendered - named)
            self.assertEqual(
                {'log_bin', 'percona_telemetry_disable'}
                if 'skip_log_bin' in rendered else set(), named - rendered)

    def test_only_what_was_asked_for_is_shown(self):
        known = {'max_connections': '64', 'Uptime': '5', 'wsrep_on': 'ON'}
        self.assertEqual({'max_connections': '64', 'wsrep_on': 'ON'},
                         settings.shown(known, [
                             'wsrep_on', 'Max-Connections', 'mysqlx']))

    def test_no_secret_is(self):
        for name in ('wsrep_sst_auth', 'report_password',
                     'ssl_passphrase', 'audit_secret'):
            self.assertEqual({}, settings.shown({name: 'x'}, [name]))


class ClusterConfigTest(testtools.TestCase):

    def test_durable_and_never_bootstrapping_in_every_dialect(self):
        for one in catalogue.DIALECTS:
            for method in one.sst_methods:
                options = cluster(one, sst_method=method)['mysqld']
                self.assertEqual(
                    '1', options['innodb_flush_log_at_trx_commit'])
                self.assertEqual('ROW', options['binlog_format'])
                self.assertEqual('2', options['innodb_autoinc_lock_mode'])
                self.assertEqual(
                    'gcomm://10.88.0.11,10.88.0.12,10.88.0.13',
                    options['wsrep_cluster_address'])
                self.assertEqual(method, options['wsrep_sst_method'])
                self.assertEqual('c0ffee00' * 4,
                                 options['wsrep_cluster_name'])
                self.assertEqual('products-2', options['wsrep_node_name'])
                self.assertEqual('10.88.0.12',
                                 options['wsrep_node_address'])
                self.assertNotIn('wsrep_new_cluster', options)
                self.assertNotIn('pc.bootstrap',
                                 options['wsrep_provider_options'])
                self.assertNotIn('wsrep_notify_cmd', options)
                self.assertNotIn('wsrep_sst_donor', options)
                self.assertEqual(set(),
                                 set(options) & one.removed_options)

    def test_gcache_is_recovered_and_bounded(self):
        for volume in VOLUMES:
            options = settings.provider_options(facts(volume_gb=volume))
            self.assertIn('gcache.recover=yes', options)
            own = settings.sizes(1024, volume)
            self.assertIn(f'gcache.size={own.gcache_mb}M', options)
            self.assertIn(f'gcache.page_size={min(128, own.gcache_mb)}M',
                          options)

    def test_the_account_stands_where_it_is_needed_and_only_there(self):
        for one in catalogue.DIALECTS:
            for method in one.sst_methods:
                text = settings.cluster_config(
                    one, facts(sst_method=method), SECRETS, '/lib.so')
                self.assertEqual(method in one.sst_auth_methods,
                                 'sst-pass' in text, (one.name, method))
                self.assertNotIn('admin-pass', text)
                self.assertNotIn('root-pass', text)

    def test_the_account_of_five_six_is_not_told_to_its_error_log(self):
        one = dialect.for_version('pxc', '5.6')
        sections = cluster(one)
        self.assertNotIn('wsrep_sst_auth', sections['mysqld'])
        self.assertEqual({'user': 'os_sst', 'password': 'sst-pass'},
                         sections['xtrabackup'])

    def test_a_joiner_waits_for_its_donor_as_long_as_it_takes(self):
        for one in catalogue.DIALECTS:
            for method in one.sst_methods:
                self.assertEqual(
                    '0', cluster(one, sst_method=method)['sst'][
                        'sst-initial-timeout'], one.name)

    def test_mariadb_is_told_to_replicate(self):
        for one in catalogue.DIALECTS:
            self.assertEqual(
                one.is_mariadb,
                cluster(one)['mysqld'].get('wsrep_on') == 'ON')

    def test_strict_mode_and_encryption_are_never_left_to_the_default(self):
        for one in catalogue.DIALECTS:
            options = cluster(one)['mysqld']
            self.assertEqual(
                'ENFORCING' if one.strict_mode_variable else None,
                options.get('pxc_strict_mode'))
            self.assertEqual(
                'OFF' if one.traffic_encryption_variable else None,
                options.get('pxc_encrypt_cluster_traffic'))

    def test_a_method_that_the_dialect_lacks_is_refused(self):
        self.assertRaises(
            errors.UnsupportedVersion, settings.cluster_config,
            dialect.for_version('pxc', '8.4'), facts(sst_method='rsync'),
            SECRETS, '/lib.so')

    def test_addresses_of_version_six(self):
        six = (('a', 'fd00::1'), ('b', 'fd00::2'))
        one = dialect.for_version('mariadb', '10.11')
        options = cluster(one, members=six,
                          member_address='fd00::1')['mysqld']
        self.assertEqual('"gcomm://[fd00::1],[fd00::2]"',
                         options['wsrep_cluster_address'])
        self.assertEqual('"[fd00::1]"', options['wsrep_node_address'])
        self.assertIn('tcp://[::]:4567', options['wsrep_provider_options'])
        self.assertEqual('::', server(
            one, member_address='fd00::1')['bind_address'])

    def test_state_transfers_over_ipv6(self) -> None:
        six = {'members': (('a', 'fd00::1'), ('b', 'fd00::2')),
               'member_address': 'fd00::1'}
        for manager, version, option in (
                ('pxc', '5.7', '",pf=ip6"'), ('pxc', '8.0', '",pf=ip6"'),
                ('pxc', '8.4', '",pf=ip6"'), ('mariadb', '10.6', None),
                ('mariadb', '10.11', None), ('mariadb', '11.4', None),
                ('mariadb', '11.8', None)):
            one = dialect.for_version(manager, version)
            self.assertEqual(option, cluster(one, **six)['sst'].get(
                'sockopt'), one.name)
            self.assertNotIn('sockopt', cluster(one)['sst'])

    def test_no_value_breaks_out_of_its_line(self):
        one = dialect.for_version('mariadb', '10.11')
        for name in ('a\nwsrep_provider=/tmp/evil.so', 'a"b', 'a\x00b'):
            error = self.assertRaises(
                ValueError, cluster, one, member_name=name)
            self.assertNotIn(name, str(error))
        options = cluster(one, member_name='a # b')['mysqld']
        self.assertEqual('"a # b"', options['wsrep_node_name'])


class EncryptionTest(testtools.TestCase):

    paths = certificates.Paths('/etc/mysql/tls')

    def encrypted(self, one, encrypted_sst=True, **changes):
        return read(settings.cluster_config(
            one, facts(**changes), SECRETS, one.provider_paths[0],
            self.paths, encrypted_sst))

    def test_galera_or_the_server_is_told_never_both(self):
        for one in catalogue.DIALECTS:
            mysqld = self.encrypted(one)['mysqld']
            by_provider = 'socket.ssl_key=/etc/mysql/tls/key.pem' in mysqld[
                'wsrep_provider_options']
            switch = one.traffic_encryption_variable
            self.assertEqual(by_provider, switch is None, one.name)
            if switch is not None:
                self.assertEqual(
                    ('ON', '/etc/mysql/tls/ca.pem',
                     '/etc/mysql/tls/cert.pem', '/etc/mysql/tls/key.pem'),
                    (mysqld[switch], mysqld['ssl_ca'], mysqld['ssl_cert'],
                     mysqld['ssl_key']))

    def test_state_transfers_prove_who_asks_and_who_gives(self):
        for key, wanted in (
                (('pxc', '5.6'), {'sst-initial-timeout': '0',
                                  'encrypt': '2',
                                  'tca': '/etc/mysql/tls/ca.pem',
                                  'tcert': '/etc/mysql/tls/pair.pem'}),
                (('pxc', '8.4'), {'sst-initial-timeout': '0'}),
                (('mariadb', '10.11'), {
                    'sst-initial-timeout': '0',
                    'encrypt': '3', 'tca': '/etc/mysql/tls/ca.pem',
                    'tcert': '/etc/mysql/tls/cert.pem',
                    'tkey': '/etc/mysql/tls/key.pem',
                    'ssl-mode': 'VERIFY_CA'})):
            self.assertEqual(
                wanted, self.encrypted(dialect.for_version(*key)).get('sst'))

    def test_a_method_that_cannot_be_encrypted_gets_no_options_for_it(self):
        one = dialect.for_version('pxc', '5.6')
        self.assertEqual({'sst-initial-timeout': '0'}, self.encrypted(
            one, encrypted_sst=False, sst_method='rsync')['sst'])

    def test_without_it_nothing_is_left_of_it(self):
        for one in catalogue.DIALECTS:
            text = settings.cluster_config(
                one, facts(), SECRETS, one.provider_paths[0])
            self.assertNotIn('/tls/', text)
            self.assertNotIn('ssl', text.replace('ssl-mode', ''), one.name)
            self.assertNotIn('encrypt', read(text)['sst'], one.name)
