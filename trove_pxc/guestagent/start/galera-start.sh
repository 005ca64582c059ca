#!/bin/sh
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

# Starts a member's database server in its container. This file has the order
# of the steps; the files beside it implement each step:
#
# image.sh       finds the server, Galera's library and SST programs
# progress.sh    runs a program, and kills it when it hangs
# initialise.sh  initialises a database in an empty data directory
# recover.sh     finds the position of the data, bootstraps from it
# transfer.sh    detects data that an interrupted SST left incomplete
# watch.sh       runs the server, and watches its log
# joiner-sleep.sh  shortens waits of the script of a joiner
#
# galera-start.conf holds what differs between servers. The agent writes all
# of these files.
#
# galera-start.sh            start the server
# galera-start.sh recover    print the position that the server recovers
# galera-start.sh version    print the server's version, and the programs that
#                            the image lacks for each SST method

set -eu
umask 027

here=$(dirname "$0")
# shellcheck source=/dev/null
. "$here/galera-start.conf"
. "$here/image.sh"
. "$here/progress.sh"
. "$here/initialise.sh"
. "$here/recover.sh"
. "$here/transfer.sh"
. "$here/watch.sh"

ORDER_FILE=$ORDER_DIR/next-start
# The agent writes it with each order; it does not survive a reboot.
LAST_ORDER=$ORDER_DIR/last-order
NO_POSITION=00000000-0000-0000-0000-000000000000:-1

# The first process of a container ignores TERM unless it traps it.
trap 'exit 143' TERM

say() {
    echo "galera-start: $*" >&2
}

die() {
    echo "galera-start: [ERROR] $*" >&2
    exit 1
}

# Whether the workaround of this name is enabled for this server.
works_around() {
    case " $WORKAROUNDS " in
    *" $1 "*) ;;
    *) return 1 ;;
    esac
}

# An order that could not be removed would be run again by a restart. Docker
# may have created the folder of orders itself, writable only for root.
take_order() {
    order=
    if [ -e "$ORDER_FILE" ]; then
        read -r order < "$ORDER_FILE" || die "the order in $ORDER_FILE" \
            "is not readable or not a complete line; the server was not" \
            "started"
        rm -f "$ORDER_FILE" || say "cannot remove $ORDER_FILE"
        if [ -e "$ORDER_FILE" ]; then
            die "the order in $ORDER_FILE could not be removed;" \
                "the server was not started. Make $ORDER_DIR writable for" \
                "$(id -u)"
        fi
    fi
    decided=
    case $order in
    '' | bootstrap | form | restored) ;;
    'continue '*)
        decided=$(echo "${order#continue }" | tr A-F a-f)
        order='continue'
        ;;
    *) die "unknown order '$order' in $ORDER_FILE; the server was not" \
        "started" ;;
    esac
}

prepare_data() {
    position=
    clear_unfinished
    if transfer_was_interrupted; then
        set_spoiled_aside "a state transfer was interrupted"
    elif [ -e "$CAST_OUT" ]; then
        refuse_without_room
        set_spoiled_aside "this member was evicted from its cluster"
    else
        forget_transfer
        if [ "$order" = continue ]; then
            continue_history
        elif [ "$order" = restored ]; then
            begin_history
        elif has_database; then
            recovered_position
        elif [ "$order" = bootstrap ]; then
            initialise
        fi
    fi
    drop_initial_sql
}

start() {
    # Read before anything else: the agent writes this file after a boot, too.
    started_before=
    [ ! -e "$LAST_ORDER" ] || started_before=yes
    take_order
    find_server
    find_provider
    prepare_data
    wait_for_others
    set -- --defaults-file="$DEFAULTS_FILE" \
        ${basedir_option:+"$basedir_option"} --wsrep_provider="$provider"
    if [ -n "$position" ]; then
        set -- "$@" --wsrep_start_position="$position"
    fi
    case $order in
    bootstrap | continue | restored) set -- "$@" --wsrep-new-cluster ;;
    form)
        if ! has_database && may_form; then
            set -- "$@" --wsrep_sst_method="$FORMATION_SST"
            shorten_sleeps
        fi
        ;;
    esac
    watch_transfers < /dev/null > /dev/null &
    say "starting $server, position ${position:-none}, order ${order:-none}"
    run_server "$@"
}

case ${1:-start} in
start) start ;;
recover) print_position ;;
version) print_version ;;
*) die "unknown argument '$1'" ;;
esac
