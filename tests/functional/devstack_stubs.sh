#!/bin/bash
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

# Stubs for the functions of DevStack that the plugin calls: each writes its
# arguments, separated by tabs, into $CALLS. The arguments of this program are
# the plugin's phase.

set -o errexit -o nounset -o pipefail

function say { local IFS=$'\t'; echo "$*" >> "$CALLS"; }
function define_plugin { say "${FUNCNAME[0]}" "$@"; }
function plugin_requires { say "${FUNCNAME[0]}" "$@"; }
function setup_develop { say "${FUNCNAME[0]}" "$@"; }
function pip_install { say "${FUNCNAME[0]}" "$@"; }
function iniset { say "${FUNCNAME[0]}" "$@"; }
function echo_summary { say "${FUNCNAME[0]}" "$@"; }
function git { echo 0123abc; }
function is_service_enabled { [[ " $ENABLED " == *" $1 "* ]]; }
function die { shift; echo "$@" >&2; exit 1; }
function trueorfalse {
    local value=${!2:-}
    case "${value,,}" in
        1|yes|true|enabled) echo True;;
        0|no|false|disabled) echo False;;
        *) echo "$1";;
    esac
}
function openstack {
    say "${FUNCNAME[0]}" "$@"
    if [[ "$*" == *"image list"* ]]; then
        echo "$IMAGES"
    fi
}

# shellcheck source=../../devstack/settings
source "$PLUGIN/settings"
# DevStack does not run plugins with nounset.
set +o nounset
# shellcheck source=../../devstack/plugin.sh
source "$PLUGIN/plugin.sh" "$@"
