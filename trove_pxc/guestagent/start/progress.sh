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

# Runs a program that may hang, and kills it if it does. A program hangs if,
# for STALL_SECONDS, it and the programs that it started read and wrote
# nothing, not even a line of the log, and used less than 2 % of a CPU.
# (Threads of an idle server wake up each second, and use less than that.)
# There is no other limit: the recovery of a large redo log may take hours.

# In 1/100 s of CPU time for each second: USER_HZ is 100 on Linux.
IDLE_TICKS=2

# run_bounded NAME COMMAND [ARGUMENT...]: returns what the command returns.
run_bounded() {
    bounded_name=$1
    shift
    "$@" &
    bounded_pid=$!
    kill_if_stalled "$bounded_pid" "$bounded_name" &
    stall_pid=$!
    bounded_ended=0
    wait "$bounded_pid" || bounded_ended=$?
    kill -KILL "$stall_pid" 2> /dev/null || :
    wait "$stall_pid" 2> /dev/null || :
    return "$bounded_ended"
}

kill_if_stalled() {
    set +e
    measure "$1"
    last_bytes=$bytes last_ticks=$ticks waited=0
    while sleep 1 && kill -0 "$1" 2> /dev/null; do
        waited=$((waited + 1))
        [ "$waited" -ge "$STALL_SECONDS" ] || continue
        measure "$1"
        if [ -n "$io_known" ] && [ "$bytes" -eq "$last_bytes" ] &&
                [ "$((ticks - last_ticks))" -lt \
                    "$((IDLE_TICKS * STALL_SECONDS))" ]; then
            say "[ERROR] $2 made no progress for $STALL_SECONDS s and was" \
                "killed; check that the disk of the volume works and that" \
                "no other server uses the data, then restart this member"
            kill_family "$1"
            return
        fi
        last_bytes=$bytes last_ticks=$ticks waited=0
    done
}

# Stop all processes first, because a running one could start another one. Kill
# the one that run_bounded waits for last: its end ends this shell, too.
kill_family() {
    # shellcheck disable=SC2086 # one word for each process
    kill -STOP $family
    measure "$1"
    # shellcheck disable=SC2086
    kill -KILL $family
}

# Sets $family to the IDs of a process and of all its descendants, $ticks to
# the CPU time that they have used, $bytes to the bytes that they have read and
# written. (proc_pid_stat(5), proc_pid_io(5))
measure() {
    family=" $1 "
    found=yes
    while [ -n "$found" ]; do
        found=
        for stat in /proc/[0-9]*/stat; do
            read_stat "$stat" || continue
            case $family in *" $pid "*) continue ;; esac
            case $family in *" $parent "*)
                family=" $pid$family"
                found=yes
                ;;
            esac
        done
    done
    ticks=0 bytes=0 io_known=yes
    for process in $family; do
        read_stat "/proc/$process/stat" || continue
        ticks=$((ticks + used))
        add_bytes "$process"
    done
}

# The name of the program is in brackets, and may contain any characters.
read_stat() {
    { read -r line < "$1"; } 2> /dev/null || return 1
    pid=${line%% *}
    # shellcheck disable=SC2086 # one word for each field
    set -- ${line##*") "}
    parent=$2
    used=$((${12} + ${13} + ${14} + ${15}))
}

# If these cannot be read, the progress is not known, and nothing is killed.
add_bytes() {
    if [ ! -r "/proc/$1/io" ]; then
        io_known=
        return
    fi
    while read -r key value; do
        case $key in
        rchar: | wchar: | read_bytes: | write_bytes:)
            bytes=$((bytes + value)) ;;
        esac
    done < "/proc/$1/io"
} 2> /dev/null
