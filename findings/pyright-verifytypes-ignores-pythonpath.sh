#!/usr/bin/env bash
# pyright --verifytypes does not look where --pythonpath points.
#
# One would guess: --pythonpath names the interpreter whose packages pyright sees, whatever else
#   it is asked to do; and "No py.typed file found" speaks of a package that was found.
# What happens: checking a file, pyright obeys --pythonpath.  With --verifytypes it ignores it
#   (and --venvpath with a configured venv too), asks the first python in PATH, does not find the
#   package, and says not that, but that the package has no py.typed file.  Only a changed PATH
#   helps.
# Versions: pyright 1.1.414, idna 3.10 (which has a py.typed file), CPython 3.11, Node 20.
# Source: pyright's documentation, "Command-line", options --pythonpath, --venvpath, --verifytypes.
# Date: 2026-11-30
# What our users would meet: a maintainer who checks that imaplus is fully typed in a virtual
#   environment, without activating it, is told that imaplus ships no py.typed file, which it does.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
unset VIRTUAL_ENV PYTHONPATH CONDA_PREFIX
gone() { echo "No longer so: $*" >&2; exit 1; }

cd "$work"
npm install --silent --no-audit --no-fund --prefix "$work/npm" pyright@1.1.414
python3 -m venv "$work/full"
"$work/full/bin/python" -m pip -qq --disable-pip-version-check install idna==3.10
python3 -m venv --without-pip "$work/empty" # stands for the system's python
mkdir "$work/project"
cd "$work/project"
echo '{"venvPath": "..", "venv": "full"}' > ../configured.json
echo 'import idna' > uses.py
pyright=$work/npm/node_modules/.bin/pyright

with_path() { # BIN ARGUMENT...
    local bin=$1
    shift
    PATH="$bin:$PATH" "$pyright" "$@" 2>&1 || true
}
verify() { # TITLE BIN ARGUMENT...
    echo "-- $1"
    out=$(with_path "${@:2}" | grep -E '^Package directory|py\.typed' | sed "s|$work|TMP|g")
    echo "$out"
}

with_path "$work/empty/bin" --version
ls "$work"/full/lib/python3*/site-packages/idna/py.typed | sed "s|$work|TMP|"

echo "-- a file that imports idna, with --pythonpath"
out=$(with_path "$work/empty/bin" --pythonpath "$work/full/bin/python" uses.py)
echo "$out"
grep -q "^0 errors" <<< "$out" || gone "--pythonpath does not serve plain checking either"

verify "--verifytypes idna --pythonpath" "$work/empty/bin" \
    --pythonpath "$work/full/bin/python" --verifytypes idna
grep -q "No py.typed file found" <<< "$out" || gone "--verifytypes obeys --pythonpath"

verify "--verifytypes idna with a configured venv" "$work/empty/bin" \
    --project "$work/configured.json" --verifytypes idna
grep -q "No py.typed file found" <<< "$out" || gone "--verifytypes obeys venvPath and venv"

verify "--verifytypes idna with PATH changed" "$work/full/bin" --verifytypes idna
grep -q "Path of py.typed file:" <<< "$out" || gone "PATH does not help any more"
