# Short names for the commands one needs daily; the work is done by CMake, ctest and scripts/.
# CC, CXX and the HEADRACE_* variables of the scripts pass through. "make help" lists the targets.

CTEST := --output-on-failure --no-tests=error
WITH_POSTGRES := tests/servers/with_postgres.sh
TEST_DATA := flights-3m world-map lineitem 0.1 lineitem 1
MAKEFLAGS += --no-print-directory

.DEFAULT_GOAL := help
.PHONY: help demo build test test-all test-unit test-asan bench format clean test-dependencies

help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 14

demo: ## load three million flights into SQLite, from nothing installed to a query
	@scripts/demo.sh

build: ## install what the build needs, then build/release/headrace
	@scripts/install_dependencies.sh build
	@cmake --preset release
	@cmake --build --preset release

test: test-dependencies ## all tests, with a PostgreSQL + PostGIS server of their own
	@cmake --preset release
	@cmake --build --preset release
	@$(WITH_POSTGRES) ctest --test-dir build/release -j2 $(CTEST) $(ARGS)

# The bundles of newer servers have no PostGIS.
WITHOUT_POSTGIS = PYTEST_ADDOPTS="-k 'not geometry and not server_kinds'"
test-all: test ## also PostgreSQL 17 and 18, the Python wheel, and many more faults at random moments
	@set -e; for version in 17 18; do \
	  bindir=$$(scripts/fetch_postgres.sh $$version); \
	  HEADRACE_PG_BINDIR=$$bindir $(WITHOUT_POSTGIS) $(WITH_POSTGRES) \
	    ctest --test-dir build/release -j2 $(CTEST) -L 'server|cli|fault' -E Geometry $(ARGS); done
	@$(WITH_POSTGRES) sh -c '"$$HEADRACE_FRAMES_PYTHON" -m pytest -q tests/python/wheel_test.py'
	@HEADRACE_PYTHON_ROWS=20000000 $(WITH_POSTGRES) ctest --test-dir build/release $(CTEST) -R '^python.memory$$' $(ARGS)
	@cd tests/differential && HEADRACE_CLI=$(CURDIR)/build/release/headrace HEADRACE_FUZZ_TABLES=2000 \
	  $(CURDIR)/$(WITH_POSTGRES) sh -c '"$$HEADRACE_TEST_PYTHON" -m pytest -q pages_fuzz_test.py'
	@HEADRACE_FAULT_RUNS=200 HEADRACE_FAST_COMMITS=50 HEADRACE_FAST_READINGS=1000 $(WITH_POSTGRES) ctest --test-dir build/release $(CTEST) -R '^fault$$' $(ARGS)

test-unit: build ## the tests that need no server
	@ctest --test-dir build/release -j2 $(CTEST) -L unit $(ARGS)

test-asan: test-dependencies ## all tests under address and undefined behaviour sanitizer
	@cmake --preset asan
	@cmake --build --preset asan
	@$(WITH_POSTGRES) ctest --test-dir build/asan -j2 $(CTEST) $(ARGS)

bench: ## headrace and its peers on the same data; ARGS="..." goes to bench/run.py
	@scripts/install_dependencies.sh bench
	@cmake --preset release
	@cmake --build --preset release
	@python3 bench/run.py $(ARGS)

format: ## lay out all C++ by .clang-format
	@scripts/format.sh

clean: ## remove build/; what was downloaded stays in the cache
	@rm -rf build

test-dependencies:
	@scripts/install_dependencies.sh test
	@scripts/fetch_data.sh $(TEST_DATA) >/dev/null
