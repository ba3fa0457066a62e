# replenish - what is about to sell out, when, and how much to order

EXTENSION    = replenish
EXTVERSION   = 1.0
MODULE_big   = replenish
PGFILEDESC   = "replenish - demand summaries, stock alerts, order quantities"

# What knows nothing of PostgreSQL comes first; nothing depends upwards.
CORE_OBJS    = src/demand.o src/demand_text.o src/distribution.o \
               src/forecast.o src/inventory.o
OBJS         = $(CORE_OBJS) \
               src/demand_io.o src/demand_sql.o src/forecast_sql.o \
               src/inventory_sql.o \
               src/replenish.o

# The install script is its parts in this order.
SQL_PARTS    = sql/schema.sql sql/demand.sql sql/forecast.sql sql/inventory.sql
SQL_SCRIPT   = sql/$(EXTENSION)--$(EXTVERSION).sql
DATA_built   = $(SQL_SCRIPT)

REGRESS      =
REGRESS_OPTS = --inputdir=test --load-extension=replenish
ISOLATION    =
ISOLATION_OPTS = --inputdir=test/isolation --load-extension=replenish
TAP_TESTS    = $(if $(wildcard $(PROVE_TESTS)),1)
PROVE_TESTS  = test/t/*.pl

EXTRA_CLEAN  = $(SQL_SCRIPT)

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

$(SQL_SCRIPT): $(SQL_PARTS)
	cat $^ > $@

$(OBJS): $(wildcard src/*.h)
