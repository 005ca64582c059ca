# shellcheck shell=sh
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

# Runs the server, copies its log, and kills the server if a workaround needs
# it. trove_pxc/galera/workarounds.py describes each workaround, with the
# versions for which it is enabled and the sources.

LOG_PIPE=${TMPDIR:-/tmp}/galera-log
SERVER_ENDED='galera-start: the server ended'
# Longer than a component lasts that another change replaces.
EXCHANGE_SECONDS=10
# Longer than a process needs to end after it has closed its files.
END_SECONDS=10

# The shell stays the first process of the container. If the server were the
# first one, the shell could not kill it.
run_server() {
    rm -f "$LOG_PIPE"
    mkfifo -m 600 "$LOG_PIPE"
    exec 3<> "$LOG_PIPE"
    rm -f "$LOG_PIPE"
    "$server" "$@" 2>&3 3>&- &
    server_pid=$!
    watch_log <&3 3>&- &
    log_pid=$!
    # Not earlier: a shell that was just forked loses a signal.
    trap 'kill -TERM "$server_pid" 2> /dev/null' TERM
    ended=0
    wait "$server_pid" || ended=$?
    # A signal ends "wait", not the server.
    while kill -0 "$server_pid" 2> /dev/null; do
        ended=0
        wait "$server_pid" || ended=$?
    done
    echo "$SERVER_ENDED" >&3
    wait "$log_pid" || say "the log of the server was not read to the end"
    exit "$ended"
}

watch_log() {
    set +e
    voted_out=
    exchange_pid=
    end_pid=
    while IFS= read -r line; do
        case $line in *"$SERVER_ENDED"*) break ;; esac
        read_log_line "$line"
        [ -z "$event" ] || work_around "$event"
        printf '%s\n' "$line" >&2
    done
    [ -z "$end_pid" ] || kill "$end_pid" 2> /dev/null
    [ -z "$voted_out" ] || mark_cast_out
}

# Handles the event of a log line; read_log_line sets it.
work_around() {
    case $1 in
    voted-out)
        if works_around commit-after-vote; then voted_out=yes; fi ;;
    left)
        [ -z "$voted_out" ] || kill -KILL "$server_pid" ;;
    component)
        [ -z "$exchange_pid" ] || kill "$exchange_pid"
        exchange_pid=
        ;;
    silent)
        if works_around stalled-state-exchange; then
            kill_after_stalled_exchange &
            exchange_pid=$!
        fi
        ;;
    shut-down)
        if works_around hang-after-shutdown; then
            kill_after_shutdown &
            end_pid=$!
        fi
        ;;
    esac
}

kill_after_stalled_exchange() {
    sleep "$EXCHANGE_SECONDS"
    say "[ERROR] the new component stalls and accepts no writes: this member" \
        "has not started the state exchange; its server is killed"
    kill -KILL "$server_pid"
}

kill_after_shutdown() {
    sleep "$END_SECONDS"
    say "[ERROR] the server did not end though it has shut down; it is killed"
    kill -KILL "$server_pid"
}

# A client may have caused the same texts in the log. So check grastate.dat: an
# evicted Galera writes a nil uuid into it, or removes it with
# repl.force_sst_after_inconsistency (release notes of PXC 8.4.11-11).
mark_cast_out() {
    [ ! -e "$DATA_DIR/grastate.dat" ] ||
        [ "$(saved uuid)" = "${NO_POSITION%%:*}" ] || return
    touch "$CAST_OUT"
    sync "$CAST_OUT" "$TRANSFER_DIR" 2> /dev/null || sync
    say "[ERROR] this member was evicted from its cluster; its server was" \
        "killed before it could confirm writes that the other members rejected"
}
