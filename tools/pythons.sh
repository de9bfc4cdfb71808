#!/usr/bin/env bash
# Install the newest Pythons and their test suites from Debian unstable in a chroot, and run tests on
# them. The machine's own Python stays unchanged.
#
#   tools/pythons.sh install DIR            make the chroot; the mirror is that of the machine's apt
#   tools/pythons.sh test DIR [OPTION...]   the offline tests on each of them; options are pytest's
#   tools/pythons.sh run DIR COMMAND...     any command in it, with the tree at /tree
#
# Requires root, debootstrap, and 1.1 GB. MIRROR is the Debian mirror; default: the machine's. Mounts
# exist only while a command runs.
set -euo pipefail

PYTHONS=${PYTHONS_TO_TEST:-python3.14 python3.15 pypy3}
PACKAGES="python3.14 libpython3.14-testsuite python3.15 libpython3.15-testsuite
    pypy3 pypy3-lib-testsuite
    ca-certificates python3-hypothesis python3-pytest python3-pytest-asyncio python3-pytest-timeout
    python3-pytest-xdist python3-trustme python3-typing-extensions"

install() {
    local mirror=${MIRROR:-$(apt-get indextargets --format '$(REPO_URI)' \
        'Created-By: Packages' 'Origin: Debian' | head -n 1)}
    [ -x "$dir/usr/bin/apt-get" ] || debootstrap --variant=minbase sid "$dir" "$mirror"
    # debootstrap has just fetched the package lists. Fetching them again is unnecessary, and fails
    # on a machine whose clock is ahead of the mirror's.
    # shellcheck disable=SC2086
    DEBIAN_FRONTEND=noninteractive chroot "$dir" apt-get install -y --no-install-recommends $PACKAGES
    mkdir -p "$dir/tree"
    # Like `pip install --editable`, without pip: the tests read the metadata of the distribution.
    local site=$dir/usr/lib/python3/dist-packages
    local info=$site/imaplus-0.dist-info
    mkdir -p "$info"
    echo /tree/src > "$site/imaplus.pth"
    printf 'Metadata-Version: 2.1\nName: imaplus\nVersion: %s\n' \
        "$(sed -n 's/^__version__.*"\(.*\)"/\1/p' src/imaplus/version.py)" > "$info/METADATA"
    printf '[pytest11]\nimaplus = pytest_imaplus\n' > "$info/entry_points.txt"
    touch "$dir/installed"
}

run() {
    # shellcheck disable=SC2016
    TREE=$(pwd) CHROOT=$dir unshare --mount bash -c '
        mount -t proc proc "$CHROOT/proc"
        mount -t devpts devpts "$CHROOT/dev/pts"
        mount --bind "$TREE" "$CHROOT/tree"
        exec chroot "$CHROOT" env -C /tree -i HOME=/root LANG=C.UTF-8 PATH=/usr/sbin:/usr/bin \
            PYTHONPATH=/tree/src:/usr/lib/python3/dist-packages PYTHONDONTWRITEBYTECODE=1 "$@"
    ' bash "$@"
}

test_all() {
    local python failed=0
    for python in $PYTHONS; do
        echo "== $python"
        run "$python" -m pytest -q -p no:cacheprovider --ignore tests/live "$@" || failed=1
    done
    return $failed
}

what=$1
dir=$(realpath -m "$2")
shift 2
cd "$(dirname "$0")/.."
case $what in
install) install ;;
test) test_all "$@" ;;
run) run "$@" ;;
*) exit 2 ;;
esac
