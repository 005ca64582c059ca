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
"""Functions with which the groups of commands declare their commands.

Imported by the modules of ``lab.cli``.
"""

import argparse
from collections.abc import Callable
from typing import TypeAlias

from lab import home as lab_home

HELP_COLUMN = 16
Commands: TypeAlias = 'argparse._SubParsersAction[argparse.ArgumentParser]'
Run = Callable[[lab_home.Home, argparse.Namespace], int]


class Formatter(argparse.RawDescriptionHelpFormatter):
    """Keeps the line breaks of texts, and leaves room for command names."""

    def __init__(self, prog: str) -> None:
        super().__init__(prog, max_help_position=HELP_COLUMN)


def add(commands: Commands, name: str, summary: str, teaching: str,
        run: Run, needs_root: bool = True) -> argparse.ArgumentParser:
    """Declare a command.

    :param summary: one line for the list of all commands
    :param teaching: the text of its --help: what it does and when to use it
    :param run: runs it and returns the exit code
    :param needs_root: whether only root may run it
    """
    parser = commands.add_parser(
        name, help=summary, description=teaching,
        formatter_class=Formatter)
    parser.set_defaults(run=run, needs_root=needs_root)
    return parser


def add_group(commands: Commands, name: str, summary: str,
              teaching: str) -> Commands:
    """Declare a command that has subcommands."""
    parser = commands.add_parser(
        name, help=summary, description=teaching,
        formatter_class=Formatter)
    return parser.add_subparsers(
        title='commands', metavar='COMMAND', required=True)


def add_json(parser: argparse.ArgumentParser) -> None:
    parser.add_argument('--json', action='store_true',
                        help='print one JSON object for programs')


def add_member(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        'member', metavar='MEMBER',
        help='a name like products-2, an instance ID or an address')
