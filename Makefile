# replenish - what is about to sell out, when, and how much to order

EXTENSION    = replenish
EXTVERSION   = 1.1
MODULE_big   = replenish
PGFILEDESC   = "replenish - demand summaries, stock alerts, order quantities"

# What knows nothing of PostgreSQL comes first; nothing depends upwards.
CORE_OBJS    = src/demand.o src/demand_read.o src/absence.o src/demand_pack.o \
               src/demand_text.o src/special.o src/count.o \
               src/distribution.o src/model.o src/smoothing.o src/spike.o \
               src/velocity.o src/forecast.o src/outlook.o src/working.o src/inventory.o src/loss.o \
               src/textbook.o src/lead_time.o src/lead_time_text.o
OBJS         = $(CORE_OBJS) \
               src/args.o src/demand_acc.o src/demand_agg.o \
               src/demand_io.o src/demand_sql.o src/forecast_sql.o src/outlook_sql.o \
               src/inventory_sql.o src/textbook_sql.o src/lead_time_sql.o \
               src/value.o src/source.o src/source_read.o src/batch.o src/inbox.o \
               src/inbox_read.o src/settled.o src/scan.o src/capture.o \
               src/fold.o src/fold_rows.o src/fold_sql.o src/recount.o \
               src/recount_parallel.o src/decider.o src/failure.o \
               src/follow.o src/launch.o src/worker.o src/replenish.o

# The install script is its parts in this order; an update runs again those
# that hold no table of the version before.
SQL_FIRST    = sql/schema.sql sql/demand.sql sql/forecast.sql \
               sql/inventory.sql sql/state.sql sql/settings.sql
SQL_AGAIN    = sql/formulas.sql sql/lead_time.sql sql/ledger.sql \
               sql/failure.sql sql/keys.sql sql/touch.sql sql/outlook.sql sql/local.sql \
               sql/policy.sql sql/money.sql sql/factor.sql sql/show.sql \
               sql/supply.sql sql/audience.sql sql/absence.sql \
               sql/signals.sql sql/assess.sql \
               sql/notify.sql sql/inbox.sql sql/stock.sql sql/inbound.sql sql/fold.sql \
               sql/decide.sql sql/check.sql sql/attach.sql sql/watch.sql \
               sql/verify.sql sql/read.sql sql/explain.sql sql/follow.sql sql/ddl.sql \
               sql/lines.sql sql/look.sql sql/channels.sql sql/words.sql sql/preview.sql \
               sql/explore.sql sql/suggest.sql \
               sql/privileges.sql
SQL_SCRIPT   = sql/$(EXTENSION)--$(EXTVERSION).sql
SQL_UPDATE   = sql/$(EXTENSION)--1.0--1.1.sql
DATA         = sql/replenish--1.0.sql
DATA_built   = $(SQL_SCRIPT) $(SQL_UPDATE)

REGRESS      = setup demand_type demand_aggregates demand_accessors \
               demand_groups forecasts forecast_conformance velocity_bursts \
               stockout reorder textbook classical extremes lead_times \
               watching capturing faulty deciding purchasing \
               policies verifying recounting trimming rewatching heading \
               partitions following replicating modes halves views explaining \
               outlooks shows factors precedence scenarios zones places selling viewers hidden \
               going_live previewing suggesting privileged hostile bad_input style_odoo \
               style_shopify style_woocommerce style_magento style_snapshots \
               style_monthly style_marketplace style_countries style_bad \
               updating documented
REGRESS_OPTS = --inputdir=test --load-extension=replenish
ISOLATION    = orders-one-item orders-and-tick watch-and-orders \
               immediate-orders serializable-report repair-and-orders \
               old-snapshot header-races partitions-and-orders \
               backlog-and-orders alias-races settled-pages \
               locked-by-others
ISOLATION_OPTS = --inputdir=test/isolation --load-extension=replenish
TAP_TESTS    = $(if $(wildcard $(PROVE_TESTS)),1)
PROVE_TESTS  = test/t/*.pl

EXTRA_CLEAN  = $(SQL_SCRIPT) $(SQL_UPDATE) test/unit/core_test \
               test/unit/distribution_test test/unit/model_test \
               test/unit/lead_time_test test/bench/forecast_cost \
               $(FUZZ_TARGETS) $(wildcard test/fuzz/*.o)

PG_CONFIG   ?= pg_config
PG_CPPFLAGS  = -I$(srcdir)/src
PGXS        := $(wildcard $(shell $(PG_CONFIG) --pgxs 2>/dev/null))
ifneq ($(PGXS),)
include $(PGXS)
else
srcdir       = .
# "make demo" and "make test" install it and start anew; the rest needs it.
all install installcheck clean:
	@echo "PostgreSQL's server headers are missing (\"$(PG_CONFIG) --pgxs\")." >&2
	@echo "Install postgresql-server-dev-N, or set PG_CONFIG." >&2
	@exit 1
endif
include $(srcdir)/test/test.mk
include $(srcdir)/test/sanitize.mk

$(SQL_SCRIPT): $(SQL_FIRST) $(SQL_AGAIN)
	cat $^ > $@

# Comments on what an update leaves alone may have changed.
$(SQL_UPDATE): sql/from-1.0.sql $(SQL_AGAIN) sql/from-1.0-after.sql \
		sql/forecast.sql sql/inventory.sql sql/state.sql sql/settings.sql
	{ cat sql/from-1.0.sql; \
	sed -E 's/^CREATE (FUNCTION|PROCEDURE|VIEW|TRIGGER)/CREATE OR REPLACE \1/' \
		$(SQL_AGAIN) sql/from-1.0-after.sql; \
	awk '/^COMMENT ON/, /;$$/' sql/forecast.sql sql/inventory.sql \
		sql/state.sql sql/settings.sql; } > $@

$(OBJS): $(wildcard src/*.h)

# Six smoothing constants run side by side.
src/smoothing.o src/spike.o: CFLAGS += $(CFLAGS_UNROLL_LOOPS) $(CFLAGS_VECTORIZE)

# Tests of the demand summary that need no server.
DEMAND_CORE  = src/demand.c src/demand_read.c src/demand_pack.c \
               src/demand_text.c

.PHONY: unit

test/unit/core_test: test/unit/core_test.c $(DEMAND_CORE) $(wildcard src/*.h)
	$(CC) -std=gnu99 -g -O1 -Wall -Wextra -Werror -Isrc -o $@ \
		test/unit/core_test.c $(DEMAND_CORE) -lm

# Lead times against a calculation that keeps every shipment.
LEAD_TIME    = src/lead_time.c src/lead_time_text.c src/distribution.c \
               src/count.c src/special.c

test/unit/lead_time_test: test/unit/lead_time_test.c $(LEAD_TIME) \
		$(wildcard src/*.h)
	$(CC) -std=gnu99 -g -O1 -Wall -Wextra -Werror -Isrc -o $@ \
		test/unit/lead_time_test.c $(LEAD_TIME) -lm

unit: test/unit/core_test test/unit/lead_time_test
	test/unit/core_test
	test/unit/lead_time_test

# The mathematics by itself: needs no server either.
MATH_CORE    = src/forecast.c src/outlook.c src/model.c src/smoothing.c src/spike.c \
               src/velocity.c \
               src/count.c \
               src/distribution.c src/special.c

.PHONY: unit-math bench-forecast

test/unit/distribution_test: test/unit/distribution_test.c \
		src/count.c src/distribution.c src/special.c $(wildcard src/*.h)
	$(CC) -std=gnu99 -g -O2 -Wall -Wextra -Werror -Isrc -o $@ \
		test/unit/distribution_test.c src/count.c src/distribution.c \
		src/special.c -lm

test/unit/model_test: test/unit/model_test.c $(MATH_CORE) $(wildcard src/*.h)
	$(CC) -std=gnu99 -g -O2 -Wall -Wextra -Werror -Isrc -o $@ \
		test/unit/model_test.c $(MATH_CORE) -lm

unit-math: test/unit/distribution_test test/unit/model_test
	test/unit/distribution_test
	test/unit/model_test

test/bench/forecast_cost: test/bench/forecast_cost.c $(MATH_CORE) \
		$(wildcard src/*.h)
	$(CC) -std=gnu99 -O2 -ftree-vectorize -funroll-loops -Wall -Wextra -Werror \
		-Isrc -o $@ test/bench/forecast_cost.c $(MATH_CORE) -lm

bench-forecast: test/bench/forecast_cost
	test/bench/forecast_cost
