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

# Tells whole data from what an interrupted state transfer (SST) left, and
# watches each transfer until its data is on the disk.

# A state transfer may not be on the disk yet. The mark on the volume outlives
# a loss of power, the one in memory does not.
UNSYNCED=$TRANSFER_DIR/unsynced
SINCE_BOOT=$ORDER_DIR/unsynced
# The server was voted out, and may have committed what no other member has.
CAST_OUT=$TRANSFER_DIR/cast-out

# While the data arrived, or before all of it was on the disk.
transfer_was_interrupted() {
    if [ -e "$UNSYNCED" ] && [ ! -e "$SINCE_BOOT" ]; then
        return 0
    fi
    [ -e "$DATA_DIR/sst_in_progress" ] || return 1
    ! data_is_untouched
}

# Whether a transfer provably ended before it changed anything, for example
# an IST whose donor did not answer. sst_in_progress alone does not tell: the
# joiner's script of PXC creates it for IST, too. The agent decides by the same
# rule: transfer_changed_nothing in trove_pxc/galera/position.py, which has
# the sources.
data_is_untouched() {
    [ -n "$SST_FOLDERS" ] && has_database && [ -e "$DATA_DIR/ibdata1" ] ||
        return 1
    for name in $SST_FOLDERS; do
        [ ! -e "$DATA_DIR/$name" ] || return 1
    done
    case $(saved uuid) in
    "${NO_POSITION%%:*}") return 1 ;;
    ????????-????-????-????-????????????) ;;
    *) return 1 ;;
    esac
}

# The file would be taken for a transfer that goes on.
forget_transfer() {
    [ -e "$DATA_DIR/sst_in_progress" ] || return 0
    say "a state transfer ended before it changed the data, which is used"
    rm -f "$DATA_DIR/sst_in_progress"
}

# Spoiled data must not count as having a position, nor help to restore the
# last view. The joiner's script of PXC 8 refuses to start while its folder is
# there ("FATAL: Found existing .../sst-xb-tmpdir", K8SPXC-327).
set_spoiled_aside() {
    case $order in
    bootstrap | continue)
        die "$order refused: $1, what lies in $DATA_DIR is spoiled" ;;
    esac
    say "$1: asking for a whole one"
    rm -f "$DATA_DIR/gvwstate.dat"
    if [ -e "$DATA_DIR/grastate.dat" ]; then
        mv -f "$DATA_DIR/grastate.dat" "$DATA_DIR/grastate.dat.spoiled"
    fi
    for name in $SST_FOLDERS; do
        rm -rf "${DATA_DIR:?}/$name"
    done
}

# A full copy would fail for want of room, after it has cost its donor time.
refuse_without_room() {
    # shellcheck disable=SC2046 # one word for each column
    set -- $(df -Pk "$DATA_DIR" | tail -n 1)
    [ "$4" -ge "$ROOM_KIB" ] || die "this member was evicted from its cluster" \
        "and needs a whole copy of the data, but its volume has only $4 KiB" \
        "of room; it starts when there are $ROOM_KIB"
}

# Runs beside the server. No transfer is shorter than the second that the
# joiner's script sleeps. What fails is tried again: a full volume is emptied,
# and after a boot the folder of orders is root's until the agent has come.
watch_transfers() {
    set +e
    arrives=
    while kill -0 $$ 2> /dev/null; do
        if [ -e "$DATA_DIR/sst_in_progress" ]; then
            arrives=yes
            [ -e "$SINCE_BOOT" ] || mark_unsynced
        elif [ -n "$arrives" ] || [ -e "$SINCE_BOOT" ]; then
            settle_transfer && arrives=
        fi
        sleep 0.5
    done
}

# Workaround unsynced-transfer.
mark_unsynced() {
    works_around unsynced-transfer || return
    touch "$UNSYNCED" 2> /dev/null || return
    sync "$UNSYNCED" "$TRANSFER_DIR" 2> /dev/null || sync
    touch "$SINCE_BOOT" 2> /dev/null
}

settle_transfer() {
    sync_data && rm -f "$UNSYNCED" "$CAST_OUT" || return
    sync "$TRANSFER_DIR" 2> /dev/null || sync
    rm -f "$SINCE_BOOT" || return
    say "what the state transfer brought is on the disk"
}
