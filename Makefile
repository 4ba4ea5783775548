# Everything runs in .venv, which is made on first use. Needs make and Python 3.11 or later; `make` lists what there is.

VENV := .venv
PY := $(VENV)/bin/python
PIP := $(PY) -m pip --disable-pip-version-check --no-input --quiet
PYTEST := $(PY) -m pytest --numprocesses auto --maxprocesses 4 --dist worksteal
ARGS :=
FILES :=

# Bytecode is kept, whatever the environment says: the tests start hundreds of processes, and each would compile it all.
unexport PYTHONDONTWRITEBYTECODE

# the first Python that is new enough and can make a virtual environment; PYTHON=… chooses another
PYTHON :=
CANDIDATES := $(or $(PYTHON),python3.13 python3.12 python3.11 python3)
FITS := import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))

# what hashes, writes what was hashed, or verifies signatures
WITH_NATIVE := tests/test_native.py tests/tree tests/notes tests/write tests/scenarios tests/upkeep tests/index tests/model tests/records

.PHONY: help demo test native coverage soak soak-full attack check terraform bench scale interop interop-full package dist dist-check \
	docs clean

help:  ## list the targets
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/make \1 \2/p' Makefile | while read -r make target text; do \
	    printf '%s %-12s %s\n' "$$make" "$$target" "$$text"; done

demo: $(VENV)/run.stamp  ## log real files, prove one, refuse a forged copy
	$(PY) -m tiletree.demo demo-log $(or $(FILES),$(VENV)/wheels/*.whl)

test: $(VENV)/dev.stamp  ## the tests
	$(PYTEST) -m "not slow and not interop" $(ARGS)

coverage: $(VENV)/dev.stamp  ## the tests, and the branch coverage of tiles/
	$(PYTEST) -m "not slow and not interop" --cov --cov-report= $(ARGS)
	$(PY) -m coverage report --include='tiles/*' --skip-covered --fail-under=95

soak: $(VENV)/dev.stamp  ## the tests that take minutes: whole matrices, and a share of what takes hours
	$(PYTEST) -m "slow and not interop" $(ARGS)

soak-full: $(VENV)/dev.stamp  ## the same, with all that takes hours: every cut after every death
	SOAK=full $(PYTEST) -m "slow and not interop" $(ARGS)

attack: $(VENV)/dev.stamp  ## all that is hostile, in ten minutes, and what was tried
	$(PY) -m tests.support.attack $(ARGS)

native: $(VENV)/dev.stamp  ## build the optional native part into .venv, and test with it; needs cargo
	@command -v cargo >/dev/null || { echo 'make native needs Rust: cargo is not on PATH' >&2; exit 1; }
	cargo clippy --quiet --locked --manifest-path native/Cargo.toml -- --deny warnings
	$(PIP) install --force-reinstall --no-deps ./native
	$(PYTEST) -m "not slow and not interop" $(WITH_NATIVE) $(ARGS)

check: $(VENV)/dev.stamp  ## format, lint and types; and the next
	$(PY) -m ruff format --check .
	$(PY) -m ruff check .
	$(PY) -m mypy
	$(PY) -m tests.terraform

terraform: $(VENV)/dev.stamp  ## types, tests, rights and tables of the modules in terraform/
	$(PY) -m tests.terraform

bench: $(VENV)/bench.stamp  ## measure against other implementations
	$(PY) -m tests.bench.bench $(ARGS)

scale: $(VENV)/run.stamp  ## a log of 10⁸ entries, in stages that go on where they stopped; ARGS="--entries 1000000" for a try
	$(PY) -m tests.bench.scale $(ARGS)

interop: $(VENV)/dev.stamp  ## tests against implementations and object stores of others; needs Go
	@command -v go >/dev/null || { echo 'make interop needs the Go toolchain: go is not on PATH' >&2; exit 1; }
	$(PY) -m pytest -m "interop and not slow" tests/interop $(ARGS)

interop-full: $(VENV)/dev.stamp  ## the same, with what takes long to build: cosign, MinIO, Caddy; and what each client says
	@command -v go >/dev/null || { echo 'make interop-full needs the Go toolchain: go is not on PATH' >&2; exit 1; }
	INTEROP=full $(PY) -m pytest -m interop -rA tests/interop $(ARGS)

package: $(VENV)/run.stamp  ## the packages of the function on AWS Lambda, in dist/
	$(PY) deploy/lambda/package.py build dist

# POLICY=FILE names the policy that verify.html is made for; WITHOUT="native lambda" leaves kinds of files out
RELEASE := $(if $(POLICY),--policy $(POLICY)) $(WITHOUT:%=--without %)

dist: $(VENV)/run.stamp  ## all files of a release, in dist/; POLICY=… makes verify.html, too
	$(PY) -m deploy.release build dist --tools $(VENV)/release $(RELEASE)

dist-check: $(VENV)/run.stamp  ## build the last commit from a clone elsewhere, and compare with dist/
	$(PY) -m deploy.release check dist --tools $(VENV)/release $(RELEASE)

docs: $(VENV)/docs.stamp  ## the documents as a site, in build/docs/site; fails on a link that leads nowhere
	$(PY) -m docs.site.build

clean:  ## remove .venv and what the tools left behind
	rm -rf $(VENV) build .coverage .coverage.* .hypothesis .mypy_cache .pytest_cache .ruff_cache

# A stamp is written last: an installation that was interrupted is done again.

$(VENV)/made.stamp:
	@for python in $(CANDIDATES); do \
	    if "$$python" -c '$(FITS)' >/dev/null 2>&1; then \
	        echo "$$python -m venv $(VENV)"; exec "$$python" -m venv --clear $(VENV); \
	    fi; \
	done; \
	echo 'tiletree needs Python 3.11 or later with its venv module (on Debian: apt-get install python3-venv);' >&2; \
	echo 'tried: $(CANDIDATES). Name another one with: make PYTHON=…' >&2; exit 1
	@touch $@

# the wheels of tiletree and of what it needs are kept: they are the real files that the demo logs
$(VENV)/run.stamp: $(VENV)/made.stamp pyproject.toml
	@echo 'installing tiletree and what it needs into $(VENV)'
	rm -rf $(VENV)/wheels
	$(PIP) wheel --wheel-dir $(VENV)/wheels .
	$(PIP) install --find-links $(VENV)/wheels --editable .
	@touch $@

$(VENV)/dev.stamp: $(VENV)/run.stamp tests/support/sigstore_js/package-lock.json
	@echo 'installing what the tests need into $(VENV)'
	$(PIP) install --find-links $(VENV)/wheels --editable '.[check,docs,test]'
	@rm -rf $(VENV)/node && mkdir $(VENV)/node && cp tests/support/sigstore_js/package*.json $(VENV)/node/
	@cd $(VENV)/node && npm ci --ignore-scripts --no-audit --no-fund --loglevel=error >/dev/null || \
	    echo 'there is no npm, or its packages cannot be had: nothing is tested against @sigstore/verify' >&2
	@command -v chromium >/dev/null || $(PY) -m playwright install --only-shell chromium >/dev/null 2>&1 || \
	    echo 'there is no Chromium, and none can be fetched: the page will not be tested' >&2
	@touch $@

$(VENV)/bench.stamp: $(VENV)/run.stamp
	$(PIP) install --find-links $(VENV)/wheels --editable '.[bench]'
	@touch $@

$(VENV)/docs.stamp: $(VENV)/run.stamp
	$(PIP) install --find-links $(VENV)/wheels --editable '.[docs]'
	@touch $@
