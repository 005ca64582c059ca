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

"""Programs in containers: with a fake Docker engine and real sockets."""

import socket
import struct
import subprocess
import threading

from docker import errors as docker_errors
import mock

from trove_pxc import exceptions
from trove_pxc.guestagent.backup import programs
from trove_pxc.guestagent import container

from tests.unit import clock
from tests.unit.guestagent import fakes

SPECIFICATION = container.Specification(
    image=fakes.IMAGE, user='1001:1001', entrypoint=('/bin/sh', '/start'),
    mounts=(container.Mount('/data', '/data', read_only=True),
            container.Mount('/run/x', '/run/x', required=False)),
    stop_seconds=120, isolated_network=True)
TOOL = programs.Program(('mariadb-backup', 'mariabackup'), ['--backup'])


def frame(number: int, data: bytes) -> bytes:
    """A frame of Docker's protocol for attached containers."""
    return struct.pack('>BxxxL', number, len(data)) + data


class ProgramsTestCase(fakes.GuestTestCase):

    def setUp(self) -> None:
        super().setUp()
        self.engine = fakes.Engine()
        self.docker, ours = socket.socketpair()
        self.addCleanup(self.docker.close)
        self.addCleanup(ours.close)
        self.engine.client.api.attach_socket.return_value = ours
        self.engine.client.api.wait.return_value = {'StatusCode': 0}
        self.programs = programs.Programs(self.engine.client)

    def run_tool(self, *frames: bytes,
                 takes_input: bool = False) -> programs.Running:
        running = self.programs.run(SPECIFICATION, TOOL,
                                    takes_input=takes_input)
        self.addCleanup(running._input.close)
        self.docker.sendall(b''.join(frames))
        self.docker.shutdown(socket.SHUT_WR)
        return running


class ProgramsTest(ProgramsTestCase):

    def test_the_container_has_no_network_and_keeps_no_output(self) -> None:
        self.run_tool()
        made = self.engine.created
        self.assertEqual('database-backup', made['name'])
        self.assertEqual('1001:1001', made['user'])
        self.assertFalse(made['stdin_open'])
        self.assertNotIn('environment', made)
        host = self.engine.client.api.create_host_config.call_args.kwargs
        self.assertEqual('none', host['network_mode'])
        self.assertEqual('none', host['log_config'].type)
        self.assertLess(host['cpu_shares'], 1024)
        self.assertEqual(['no-new-privileges'], host['security_opt'])
        self.assertNotIn('restart_policy', host)

    def test_output_and_log_are_told_apart(self) -> None:
        running = self.run_tool(
            frame(1, b'one'), frame(2, b'first line\nsec'),
            frame(1, b'two' * 30000), frame(2, b'ond line\nthird'))
        self.assertEqual(b'one' + b'two' * 30000,
                         b''.join(running.output()))
        self.assertEqual('first line\nsecond line\nthird', running.log)
        running.check()

    def test_its_log_tells_when_it_locks_the_server(self) -> None:
        running = self.run_tool(
            frame(2, b'Acquired locks for BACKUP STAGE BLOCK_'),
            frame(2, b'DDL\n'), frame(1, b'one'),
            frame(2, b'Starting BACKUP STAGE END\n'), frame(1, b'two'))
        self.assertEqual([True, False],
                         [running.locked for _ in running.output()])

    def test_it_is_attached_before_it_starts(self) -> None:
        def attach(*arguments: object, **options: object) -> object:
            present = self.engine.known['database-backup']
            present.start.assert_not_called()
            return mock.DEFAULT

        self.engine.client.api.attach_socket.side_effect = attach
        self.run_tool()
        self.engine.known['database-backup'].start.assert_called_once_with()

    def test_a_failure_quotes_the_log(self) -> None:
        self.engine.client.api.wait.return_value = {'StatusCode': 1}
        running = self.run_tool(frame(
            2, b'[00] copying\n[00] mariadb-backup: Error: no space\n'
               b'[00] ended\n'))
        list(running.output())
        failure = self.assertRaises(exceptions.BackupToolFailed,
                                    running.check)
        self.assertIn('mariadb-backup ended with 1', str(failure))
        self.assertIn('no space', str(failure))
        self.assertNotIn('copying', str(failure))

    def test_its_log_does_not_fill_the_memory(self) -> None:
        running = self.run_tool(*(
            frame(2, b'x' * 9999 + b'\n') for _ in range(9)),
            frame(2, b'y' * 99999))
        list(running.output())
        self.assertLess(len(running.log), 60000)

    def test_input_reaches_it(self) -> None:
        got: list[bytes] = []

        def read() -> None:
            while data := self.docker.recv(4096):
                got.append(data)

        running = self.run_tool(takes_input=True)
        self.assertTrue(self.engine.created['stdin_open'])
        reader = threading.Thread(target=read)
        reader.start()
        running.write(b'x' * 100000)
        running.end_input()
        reader.join(10)
        self.assertEqual(100000, sum(map(len, got)))

    def test_one_that_ended_takes_no_input(self) -> None:
        running = self.run_tool(takes_input=True)
        self.docker.close()
        self.assertRaises(exceptions.BackupToolFailed, running.write,
                          b'x' * 1000000)

    def test_it_ends_with_the_block(self) -> None:
        with self.run_tool():
            present = self.engine.known['database-backup']
        present.remove.assert_called_with(v=True, force=True)

    def test_docker_can_end_one_whose_output_nobody_reads(self) -> None:
        running = self.programs.run(SPECIFICATION, TOOL)
        present = self.engine.known['database-backup']

        def remove(v: bool, force: bool) -> None:
            # Docker's copy of the output ends with an error.
            self.assertRaises(OSError, self.docker.sendall, b'x' * 1000000)

        present.remove.side_effect = remove
        self.programs.end()
        present.remove.assert_called_once_with(v=True, force=True)
        self.assertEqual([], list(running.output()))
        self.programs.end()

    def test_one_that_is_being_removed_is_waited_for(self) -> None:
        self.useFixture(clock.Clock())
        self.run_tool()
        known = self.engine.known
        response = mock.Mock(status_code=409)

        def remove(v: bool, force: bool) -> None:
            self.removed = known.pop('database-backup')
            raise docker_errors.APIError('in progress', response)

        known['database-backup'].remove.side_effect = remove
        self.programs.end()
        known['database-backup'] = self.removed
        self.removed.remove.side_effect = docker_errors.APIError(
            'in progress', response)
        self.assertRaises(exceptions.DeadlineExceeded, self.programs.end)
        self.removed.remove.side_effect = docker_errors.APIError(
            'broken', mock.Mock(status_code=500))
        self.assertRaises(docker_errors.APIError, self.programs.end)

    def test_one_that_an_agent_left_is_ended_first(self) -> None:
        left = fakes.Container(status='running').spec
        self.engine.known['database-backup'] = left
        self.run_tool()
        left.remove.assert_called_once_with(v=True, force=True)

    def test_a_refusal_of_docker_is_told(self) -> None:
        self.engine.client.api.create_container.side_effect = (
            docker_errors.APIError('no such image'))
        failure = self.assertRaises(
            exceptions.BackupToolFailed, self.programs.run, SPECIFICATION,
            TOOL)
        self.assertIn('no such image', str(failure))


class CommandTest(fakes.GuestTestCase):

    def execute(self, program: programs.Program,
                *present: str) -> tuple[int, str, str]:
        for name in present:
            path = self.root / name
            path.write_text('#!/bin/sh\necho "$0" "$@"\n')
            path.chmod(0o755)
        done = subprocess.run(program.command, capture_output=True,
                              text=True, env={'PATH': f'{self.root}'},
                              executable='/bin/sh')
        return done.returncode, done.stdout, done.stderr

    def test_the_best_name_is_used(self) -> None:
        code, out, _ = self.execute(TOOL, 'mariabackup')
        self.assertEqual((0, f'{self.root}/mariabackup --backup\n'),
                         (code, out))
        _, out, _ = self.execute(TOOL, 'mariadb-backup')
        self.assertEqual(f'{self.root}/mariadb-backup --backup\n', out)

    def test_an_image_without_it_is_told(self) -> None:
        code, _, said = self.execute(TOOL)
        self.assertEqual(127, code)
        self.assertIn('mariadb-backup mariabackup', said)

    def test_no_argument_is_read_by_the_shell(self) -> None:
        _, out, _ = self.execute(
            programs.Program(('tool',), ['$(id)', 'a b;c']), 'tool')
        self.assertIn('$(id) a b;c', out)
