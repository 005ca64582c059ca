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

# Workaround slow-joiner-script. Bash reads this file before a script
# (BASH_ENV). The script of a joiner by rsync sleeps for 1 s between two looks
# for the file that ends the transfer, and for 0.5 s after it has stopped the
# daemon, before it looks whether it ended. Other scripts are not changed.

case "$0 $*" in
*wsrep_sst_rsync*' joiner '*)
    sleep() {
        case $* in
        1 | 0.5) command sleep 0.1 ;;
        *) command sleep "$@" ;;
        esac
    }
    ;;
esac
