# sanitize.mk - the tests again where mistakes show: assertions, sanitizers,
# valgrind, and inputs that a fuzzer makes up
#
# Included by the Makefile.  What is built in another way is built in a copy,
# and the tree's own build stays as it is.

IN_COPY      = $(srcdir)/test/in-copy.sh
SERVER_TESTS = check-regress check-isolation check-tap check-reference \
               check-readme check-demo check-property

.PHONY: check-assert check-discard check-ubsan check-asan check-valgrind \
        assert-short ubsan-short valgrind-short \
        fuzz fuzz-short fuzz-cover

# Runs $(2) on a server with assertions.  Where there is none to be had, for
# want of the network, that is said, and fails nothing.
define with_assert_server
	@$(DEPS) build perl python
	@pg_config=$$($(srcdir)/test/lib/assert-server.sh $(1)); status=$$?; \
	if [ $$status -eq 75 ]; then \
		echo "skipped: no PostgreSQL with assertions"; \
	elif [ $$status -ne 0 ]; then \
		exit $$status; \
	else \
		export PG_CONFIG="$$pg_config"; $(2); \
	fi
endef

# every test, on a PostgreSQL of the distribution's source with assertions
check-assert:
	$(call with_assert_server,,$(IN_COPY) test/run-tests.sh $(SERVER_TESTS))

# the regression tests, where that server is built already; CI builds it
assert-short:
	$(call with_assert_server,$(if $(CI),,--cached),\
		$(IN_COPY) $(SUB) check-regress)

# some on a server that forgets its caches whenever it may: an hour
DISCARD      = setup demand_type watching faulty heading
check-discard: export PRIVATE_CONF = debug_discard_caches = 1
check-discard:
	$(call with_assert_server,,$(IN_COPY) $(SUB) check-regress \
		REGRESS="$(DISCARD)")

# every test, with undefined behaviour of the extension an abort
UBSAN        = -fsanitize=undefined,float-cast-overflow,float-divide-by-zero \
               -fsanitize=bounds-strict -fno-sanitize-recover=all -fno-wrapv
UBSAN_ENV    = env PROFILE='$(UBSAN)' \
               UBSAN_OPTIONS=abort_on_error=1:print_stacktrace=1
check-ubsan:
	@$(DEPS) build perl python
	@$(UBSAN_ENV) $(IN_COPY) test/run-tests.sh $(SERVER_TESTS)

ubsan-short:
	@$(DEPS) build
	@$(UBSAN_ENV) $(IN_COPY) $(SUB) check-regress

# the functions and triggers, with what is read or written outside a stack
# frame or a global of the extension an abort; Debian's own server has libraries
# that wait for each other when the sanitizer comes first
ASAN_SERVER  = env LD_PRELOAD=$$($(CC) -print-file-name=libasan.so) \
               ASAN_OPTIONS=abort_on_error=1:detect_leaks=0
check-asan:
	$(call with_assert_server,,env PROFILE=-fsanitize=address \
		PRIVATE_RUN="$(ASAN_SERVER)" $(IN_COPY) $(SUB) check-regress)

# the functions and triggers under valgrind, on the server with assertions,
# which tells it of memory contexts; a quarter of an hour
VALGRIND     = setup demand_type demand_aggregates demand_accessors \
               demand_groups forecasts velocity_bursts stockout reorder \
               textbook lead_times watching capturing faulty deciding policies
check-valgrind:
	@$(DEPS) valgrind
	$(call with_assert_server,,$(IN_COPY) test/valgrind.sh $(VALGRIND))

# the core's unit test; that of the distributions sums in 80 bits what
# valgrind has 64 for
valgrind-short: test/unit/core_test
	@$(DEPS) valgrind
	@valgrind --quiet --error-exitcode=1 --leak-check=full test/unit/core_test

# Fuzz targets.  The readers are watched branch by branch; what they are tried
# with, and what tries their results, is not, nor each comparison: that would
# take most of the time, and the mutators know what a summary looks like.
FUZZ_CC     ?= clang
FUZZ_FLAGS   = -std=gnu99 -g -O2 -fno-sanitize-recover=all -Isrc
FUZZ_WATCHED = -fsanitize=fuzzer-no-link,address,undefined \
               -fno-sanitize-coverage=trace-cmp
FUZZ_TARGETS = test/fuzz/packed_fuzz test/fuzz/text_fuzz test/fuzz/reader_fuzz \
               test/fuzz/lead_time_fuzz
FUZZ_OBJS    = test/fuzz/summary.o test/fuzz/demand.o test/fuzz/demand_read.o
READER_FLAGS = -fwrapv -D_GNU_SOURCE -Wno-ignored-attributes -no-pie \
               -I$(shell $(PG_CONFIG) --includedir-server)
# Functions of the server that these readers do not reach are missing.
READER_LIBS  = -Wl,--unresolved-symbols=ignore-all \
               -L$(shell $(PG_CONFIG) --pkglibdir) \
               -L$(shell $(PG_CONFIG) --libdir) -lpgcommon -lpgport -lm
RUNS        ?= 1000000

$(FUZZ_OBJS): $(wildcard src/*.h) test/fuzz/summary.h
test/fuzz/summary.o: test/fuzz/summary.c
	$(FUZZ_CC) $(FUZZ_FLAGS) -fsanitize=address,undefined -c -o $@ $<
test/fuzz/demand.o test/fuzz/demand_read.o: test/fuzz/%.o: src/%.c
	$(FUZZ_CC) $(FUZZ_FLAGS) -fsanitize=address,undefined -c -o $@ $<

test/fuzz/packed_fuzz test/fuzz/text_fuzz: %: %.c $(FUZZ_OBJS) \
		src/demand_pack.c src/demand_text.c
	for file in $< src/demand_pack.c src/demand_text.c; do \
		$(FUZZ_CC) $(FUZZ_FLAGS) $(FUZZ_WATCHED) -c \
			-o $@-$$(basename $$file .c).o $$file || exit; \
	done
	$(FUZZ_CC) -fsanitize=fuzzer,address,undefined -o $@ $@-*.o \
		$(FUZZ_OBJS) -lm

test/fuzz/reader_fuzz: test/fuzz/reader_fuzz.c src/source.c \
		src/source_read.c src/inbox.c src/inbox_read.c src/value.c $(wildcard src/*.h)
	$(FUZZ_CC) $(FUZZ_FLAGS) -fsanitize=fuzzer,address,undefined \
		$(READER_FLAGS) -o $@ $< $(READER_LIBS)

test/fuzz/lead_time_fuzz: test/fuzz/lead_time_fuzz.c src/lead_time.c \
		src/lead_time_text.c $(wildcard src/*.h)
	$(FUZZ_CC) $(FUZZ_FLAGS) -fsanitize=fuzzer,address,undefined -o $@ $< \
		$(LEAD_TIME) -lm

fuzz:
	@$(DEPS) build fuzz
	@$(SUB) -s $(FUZZ_TARGETS)
	@test/fuzz/fuzz.sh $(RUNS)

# the seeds, and as many more as take some seconds
fuzz-short:
	@$(SUB) fuzz RUNS=200000

# what of the readers' branches the seeds reach
FUZZ_COVER   = -fprofile-instr-generate -fcoverage-mapping
fuzz-cover:
	@$(DEPS) build fuzz
	@mkdir -p tmp_check/cover
	@for target in packed text; do \
		$(FUZZ_CC) $(FUZZ_FLAGS) -O0 -fsanitize=fuzzer $(FUZZ_COVER) \
			-o tmp_check/cover/$$target test/fuzz/$${target}_fuzz.c \
			test/fuzz/summary.c $(DEMAND_CORE) -lm || exit; \
	done
	@$(FUZZ_CC) $(FUZZ_FLAGS) -O0 -fsanitize=fuzzer $(FUZZ_COVER) \
		$(READER_FLAGS) -o tmp_check/cover/reader test/fuzz/reader_fuzz.c \
		$(READER_LIBS)
	@$(FUZZ_CC) $(FUZZ_FLAGS) -O0 -fsanitize=fuzzer $(FUZZ_COVER) \
		-o tmp_check/cover/lead_time test/fuzz/lead_time_fuzz.c \
		$(LEAD_TIME) -lm
	@for target in packed text reader lead_time; do \
		LLVM_PROFILE_FILE=tmp_check/cover/$$target.raw \
			tmp_check/cover/$$target -runs=0 test/fuzz/corpus/$$target \
			>tmp_check/cover/$$target.log 2>&1 || \
			{ cat tmp_check/cover/$$target.log; exit 1; }; \
		llvm-profdata merge -o tmp_check/cover/$$target.data \
			tmp_check/cover/$$target.raw || exit; \
	done
	@cd tmp_check/cover && \
	llvm-cov report -show-branch-summary -show-functions packed \
		-instr-profile=packed.data ../../src/demand_pack.c && \
	llvm-cov report -show-branch-summary -show-functions text \
		-instr-profile=text.data ../../src/demand_text.c && \
	llvm-cov report -show-branch-summary -show-functions lead_time \
		-instr-profile=lead_time.data ../../src/lead_time_text.c \
		../../src/lead_time.c && \
	llvm-cov report -show-branch-summary -show-functions reader \
		-instr-profile=reader.data ../../src/source.c ../../src/inbox.c \
		../../src/inbox_read.c ../../src/value.c | \
		grep -E 'source_(un|parse)|split_order|order_datum|micros|check_|^Name'
