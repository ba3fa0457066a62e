# test.mk - demo, test and the rest of what works on a bare checkout
#
# Included by the Makefile.  Every target here first installs what it needs,
# and works on a private, throw-away server; "make installcheck" remains PGXS's
# own, against a running server with replenish installed.

# Debian's psycopg2 belongs to Debian's python
PYTHON      ?= $(or $(wildcard /usr/bin/python3),python3)
# a callback does not choose its parameters
WARNINGS     = -Wall -Wextra -Werror -Wno-unused-parameter
DEPS         = $(srcdir)/test/lib/install-deps.sh
PRIVATE      = $(srcdir)/test/private-cluster.sh
SUB          = $(MAKE) --no-print-directory with_llvm=no

export PG_CONFIG PYTHON MAKE

.PHONY: demo test replay check-composite soak lint warnings-build \
        check-regress check-isolation check-tap check-reference check-demo \
        check-property check-crash check-endure check-readme bench bench-report \
        accuracy accuracy-report \
        walk endure

# a live-stream day in a minute, heard by a real listener
demo:
	@$(DEPS) build python
	@$(SUB) -s all
	@$(PRIVATE) $(PYTHON) $(srcdir)/examples/demo.py $(DEMO_OPTS)

# everything, with a count at the end
test:
	@$(srcdir)/test/run-tests.sh

# the stages of "make test", each of use by itself
warnings-build:
	@$(DEPS) build
	@$(SUB) clean >/dev/null
	@$(SUB) COPT='$(WARNINGS)' all

check-regress:
	@$(DEPS) build
	@$(SUB) -s all
	@$(PRIVATE) $(SUB) installcheck ISOLATION= TAP_TESTS= || \
		{ cat regression.diffs 2>/dev/null; exit 1; }

check-isolation:
	@$(DEPS) build
	@$(SUB) -s all
	@$(PRIVATE) $(SUB) installcheck REGRESS= TAP_TESTS= || \
		{ cat output_iso/regression.diffs 2>/dev/null; exit 1; }

check-tap:
	@$(DEPS) build perl
	@$(SUB) -s all
	@$(PRIVATE) $(srcdir)/test/tap.sh $(PROVE_TESTS)

check-reference:
	@$(DEPS) build python
	@$(SUB) -s all
	@$(PRIVATE) sh -ec 'psql -qc "CREATE EXTENSION replenish"; \
		$(PYTHON) $(srcdir)/test/reference.py'

check-readme:
	@$(DEPS) build python
	@$(SUB) -s all
	@$(PRIVATE) $(PYTHON) $(srcdir)/test/readme.py

check-demo:
	@$(SUB) demo DEMO_OPTS=--fast

# random statements from several sessions, against verify()
PROPERTY_SECONDS = 20
check-property:
	@$(DEPS) build python
	@$(SUB) -s all
	@$(PRIVATE) $(PYTHON) -B $(srcdir)/test/property \
		--seconds $(PROPERTY_SECONDS) $(PROPERTY_OPTS)

# processes killed at random moments under load, and what is there afterwards
CRASH_KILLS = 12
define CRASH_CONF
shared_buffers = 16MB
autovacuum_naptime = 1s
checkpoint_timeout = 30s
max_worker_processes = 12
max_prepared_transactions = 60
wal_writer_delay = 10s
endef
check-crash: export PRIVATE_CONF = $(CRASH_CONF)
check-crash: export PRIVATE_CRASHES = 1
check-crash:
	@$(DEPS) build python
	@$(SUB) -s all
	@$(PRIVATE) $(PYTHON) -B $(srcdir)/test/crash \
		--kills $(CRASH_KILLS) $(CRASH_OPTS)

# both for long
SECONDS = 3600
KILLS = 1000
soak:
	@$(MAKE) --no-print-directory check-property PROPERTY_SECONDS=$(SECONDS)
	@$(MAKE) --no-print-directory check-crash CRASH_KILLS=$(KILLS)

# an hour of a shop's life, and what grows on the way; with ENDURE_OPTS=--snapshot
# behind a snapshot that stays open
ENDURE_OUTPUT ?= endure.json
endure:
	@$(DEPS) build python
	@$(SUB) -s all
	@$(PRIVATE) $(PYTHON) $(srcdir)/test/endure.py --seconds $(SECONDS) \
		$(addprefix --output ,$(ENDURE_OUTPUT)) $(ENDURE_OPTS)

ENDURE_SECONDS = 20
check-endure:
	@$(SUB) endure SECONDS=$(ENDURE_SECONDS) ENDURE_OUTPUT=

# orders, shipments and viewers of different shops as one, then a year of a real
# shop's orders, at full speed; the year needs ../shared/data.  REPLAY_OPTS=--split has them as headers and lines, --monthly in partitions of
# which the old ones are dropped, and --days=N is a part of the year.
replay:
	@$(DEPS) build python
	@$(SUB) -s all
	@$(PRIVATE) $(PYTHON) $(srcdir)/test/composite.py $(REPLAY_OPTS)
	@$(PRIVATE) $(PYTHON) $(srcdir)/test/replay.py $(REPLAY_OPTS)

# orders, purchase orders and viewers as one shop, of made-up data
check-composite:
	@$(DEPS) build python
	@$(SUB) -s all
	@$(PRIVATE) $(PYTHON) $(srcdir)/test/composite.py --generated \
		--composite-days 21

# from CREATE EXTENSION to go_live() on the same orders; see the README
walk:
	@$(DEPS) build python
	@$(SUB) -s all
	@$(PRIVATE) $(PYTHON) $(srcdir)/test/walk.py $(WALK_OPTS)

lint:
	@$(DEPS) build lint
	@$(srcdir)/test/lint.sh

# what watching adds to an order, against the floor and against a shop's own;
# BENCH_OPTS=--quick tries it out, --only=REGEX runs some of its parts
BENCH_OUTPUT ?= bench.txt
BENCH_JSON   ?= bench.json
define BENCH_CONF
fsync = on
shared_buffers = 256MB
max_wal_size = 8GB
checkpoint_timeout = 1h
max_connections = 200
endef
bench: export PRIVATE_CONF = $(BENCH_CONF)
bench:
	@$(DEPS) build python
	@$(SUB) -s all test/bench/forecast_cost
	@$(PRIVATE) $(PYTHON) -B $(srcdir)/test/bench \
		--output $(BENCH_OUTPUT) --json $(BENCH_JSON) $(BENCH_OPTS)

# the README's tables and the picture, from what a run found
bench-report:
	@$(PYTHON) -B $(srcdir)/test/bench --report --json $(BENCH_JSON)

# how good forecasts, alerts and quantities are, beside what others use; needs
# ../shared.  ACCURACY_OPTS=--quick tries it out, --only=REGEX runs some parts
# (mind the shell), --sets=uci,m5 some of the data; R's forecast is left out
# where it is missing, and with --no-ets, which saves some minutes.
ACCURACY_OUTPUT ?= accuracy.txt
ACCURACY_JSON   ?= accuracy.json
define ACCURACY_CONF
shared_buffers = 256MB
work_mem = 128MB
max_wal_size = 4GB
endef
accuracy: export PRIVATE_CONF = $(ACCURACY_CONF)
accuracy:
	@if [ ! -f $(srcdir)/../shared/model/accuracy.py ]; then \
		echo "skipped: no shared/model beside the checkout"; exit 0; fi; \
	set -e; $(DEPS) build python accuracy; \
	$(DEPS) forecast || echo "R's forecast is missing: ets is left out" >&2; \
	$(SUB) -s all; \
	$(PRIVATE) $(PYTHON) -B $(srcdir)/test/accuracy \
		--output $(ACCURACY_OUTPUT) --json $(ACCURACY_JSON) $(ACCURACY_OPTS)

# the README's tables, from what a run found
accuracy-report:
	@$(PYTHON) -B $(srcdir)/test/accuracy --report --json $(ACCURACY_JSON)
