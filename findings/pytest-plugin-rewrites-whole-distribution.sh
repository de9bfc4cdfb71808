#!/usr/bin/env bash
# A pytest11 entry point makes pytest rewrite every module of the whole distribution.
#
# One would guess: assertion rewriting touches the module that the entry point names and nothing
#   else of its package.  The documentation says so, with a package of three modules as example.
# What happens: pytest reads the list of installed files of each distribution that has a pytest11
#   entry point and marks all its modules.  anyio names anyio.pytest_plugin; anyio.from_thread,
#   which has nothing to do with tests, is loaded by pytest's hook and not by Python's.  If the
#   package was imported before pytest started, pytest warns that it came too late, and with
#   `-W error` the run ends before the first test.
# Versions: pytest 9.2.0 and 8.4.2, anyio 4.9.0, CPython 3.11.
# Source: pytest's documentation, "Writing plugins", section "Assertion Rewriting".
# Date: 2026-11-30
# What our users would meet: a library that ships a pytest plugin as an extra gets all its code
#   compiled by pytest in the test runs of everyone who installs it; and who starts pytest from a
#   program that has imported the library gets a warning or, with `-W error`, no test run.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
unset PYTEST_ADDOPTS PYTEST_PLUGINS PYTEST_DISABLE_PLUGIN_AUTOLOAD PYTHONPATH PYTHONWARNINGS
gone() { echo "No longer so: $*" >&2; exit 1; }

for version in 8.4.2 9.2.0; do
    python3 -m venv "$work/$version"
    "$work/$version/bin/python" -m pip -qq --disable-pip-version-check install \
        "pytest==$version" anyio==4.9.0
done

mkdir "$work/tests"
cat > "$work/tests/test_loader.py" <<'END'
def test_loader():
    import anyio.from_thread

    print("anyio.from_thread was loaded by", type(anyio.from_thread.__loader__).__name__)
END
cd "$work/tests"

for version in 8.4.2 9.2.0; do
    python=$work/$version/bin/python
    echo "== $("$python" -m pytest --version), anyio 4.9.0"
    "$python" - <<'END'
from importlib.metadata import entry_points

for entry in entry_points(group="pytest11"):
    print(f"entry point: {entry.name} = {entry.value}")
END

    out=$("$python" -m pytest -q -s -p no:cacheprovider)
    grep "was loaded by" <<< "$out" || gone "the test did not run"
    grep -q "loaded by AssertionRewritingHook" <<< "$out" ||
        gone "a module that is no plugin is left to Python's own loader"

    late="import sys, anyio, pytest; sys.exit(pytest.main(['-q', '-p', 'no:cacheprovider', *sys.argv[1:]]))"
    out=$("$python" -c "$late")
    grep -o "Module already imported so cannot be rewritten; anyio$" <<< "$out" ||
        gone "importing the package before pytest starts gives no warning"

    if out=$("$python" -c "$late" -W error 2>&1); then
        gone "with -W error the tests run although the package was imported before"
    fi
    grep -q "PytestAssertRewriteWarning" <<< "$out" || gone "-W error fails for another reason"
    if grep -q "1 passed" <<< "$out"; then gone "the test ran despite -W error"; fi
    echo "with -W error: $(tail -n 1 <<< "$out")"
done
