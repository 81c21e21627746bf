# Debian packages that a test or a build needs installed. Sourced by tests/run and by what lies under tests/pi.

# Installs the Debian packages that are missing; quick when none is.
packages() {
    local missing=() package
    for package in "$@"; do
        [[ $(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null) == installed ]] || missing+=("$package")
    done
    ((${#missing[@]})) || return 0
    command -v apt-get >/dev/null || { echo "install these first, there is no apt-get: ${missing[*]}" >&2; return 1; }
    as_root apt-get update -qq && install_without_starting "${missing[@]}"
}

# A package may bring a service; the tests start their own, so nothing of the system is started or enabled.
# A subshell: the policy made for the moment goes at its end, also when it is interrupted.
install_without_starting() (
    policy=/usr/sbin/policy-rc.d unit=/lib/systemd/system/mosquitto.service
    had_unit=$([[ -e $unit ]] && echo yes)
    if [[ ! -e $policy ]]; then
        trap 'as_root rm -f $policy' EXIT
        printf '#!/bin/sh\nexit 101\n' | as_root tee $policy >/dev/null && as_root chmod 755 $policy || exit 1
    fi
    as_root env DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends "$@" </dev/null || exit 1
    if [[ -z $had_unit && -e $unit ]] && command -v systemctl >/dev/null; then
        as_root systemctl disable --quiet mosquitto.service || true
    fi
)

as_root() {
    if ((EUID == 0)); then
        "$@"
    elif command -v sudo >/dev/null; then
        sudo "$@"
    else
        echo "needs root and finds no sudo: $*" >&2
        return 1
    fi
}
