# What is run rather than built. Tools say what they say in one language, octets are octets.
export LC_ALL := C.UTF-8

deps:
	@.ci/packages

run: deps
	@$(MAKE) --no-print-directory -j2 all
	$(BUILD)/ribcage run scenarios/mesh/full-mesh

test: deps
	@.ci/packages python3
	@rm -f $(BUILD)/failed $(BUILD)/unit.counts $(BUILD)/scenarios.counts
	@$(MAKE) --no-print-directory unit || touch $(BUILD)/failed
	@.ci/conformance $(BUILD)/unit.results $(BUILD)/conformance || touch $(BUILD)/failed
	@$(MAKE) --no-print-directory scenarios || touch $(BUILD)/failed
	@cat $(BUILD)/unit.counts $(BUILD)/scenarios.counts 2>/dev/null | \
		awk '{p += $$1; f += $$2} END {print p + 0 " passed, " f + 0 " failed"}'
	@! rm $(BUILD)/failed 2>/dev/null

unit:
	@mkdir -p $(BUILD)
	@.ci/peers || echo "no other BGP programs to test against: those tests are skipped"
	@$(MAKE) --no-print-directory -j2 all
	@$(MAKE) --no-print-directory -j2 SAN=1 unit-run

# They wait for timers of other programs most of their time: first, with the others beside them.
WAITING = $(addprefix $(OUT)/,sim/scenario/bird_judge_test speaker/host/interop_test)

# Runs with SAN=1: $(TESTS) are the sanitized ones then.
unit-run: $(TESTS)
	@COUNTS=$(BUILD)/unit.counts RESULTS=$(BUILD)/unit.results \
		RIBCAGE_SPEAKER=$(abspath $(BUILD)/release/ribcage-speaker) \
		.ci/unit $(WAITING) $(filter-out $(WAITING),$(sort $(TESTS)))

# The speaker against the list in speaker/conformance.rows: runs the tests that carry its numbers.
# UPDATE=1: speaker/CONFORMANCE.md becomes what came out.
conformance: deps
	@.ci/packages python3
	@mkdir -p $(BUILD)
	@.ci/peers || echo "no other decoders to compare with: those tests are skipped"
	@$(MAKE) --no-print-directory -j2 all
	@$(MAKE) --no-print-directory -j2 SAN=1 conformance-run
	@$(if $(UPDATE),cp $(BUILD)/conformance.md speaker/CONFORMANCE.md)

NUMBERED = $(shell grep -lE 'test_C[0-9]{3}|cases_test\.h' $(TESTS:$(OUT)/%=%.c))
conformance-run: $(NUMBERED:%.c=$(OUT)/%)
	@COUNTS=$(BUILD)/conformance.counts RESULTS=$(BUILD)/conformance.results \
		RIBCAGE_SPEAKER=$(abspath $(BUILD)/release/ribcage-speaker) .ci/unit $(sort $^) || true
	@.ci/conformance $(BUILD)/conformance.results $(BUILD)/conformance

# Does a test fail when we have the bug? Every break of speaker/bugs.rows, or BUGS="B7 B9".
bugs:
	@BUILD=$(BUILD)/bugs .ci/bugs --break $(BUGS)

scenarios:
	@$(MAKE) --no-print-directory -j2 all
	@COUNTS=$(BUILD)/scenarios.counts .ci/scenarios $(BUILD)/ribcage scenarios

lint: deps
	@mkdir -p $(BUILD)
	@.ci/packages clang clang-format clang-tidy pmccabe python3 python3-jsonschema python3-yaml git
	@COUNTS=$(BUILD)/lint.counts .ci/lint

# What checks the program compiles like the program: with WERROR=1, by `make lint`.
checks: $(TESTS) $(FUZZERS) $(BENCHES)

coverage: deps
	@.ci/packages lcov
	@$(MAKE) --no-print-directory -j2 COV=1 coverage-run

coverage-run: $(TESTS) $(OUT)/ribcage $(OUT)/ribcage-speaker
	@find $(OUT) -name '*.gcda' -delete
	@COUNTS=$(BUILD)/coverage.counts .ci/unit $(sort $(TESTS)) || true
	@COUNTS=$(BUILD)/coverage.counts .ci/scenarios $(OUT)/ribcage scenarios || true
	@lcov --quiet --capture --directory $(OUT) --base-directory . --no-external \
		--output-file $(BUILD)/coverage.info
	@lcov --quiet --remove $(BUILD)/coverage.info '*_test.c' '*_fuzz.c' '*_bench.c' '*_fixture.c' \
		--output-file $(BUILD)/coverage.info
	@genhtml --quiet --output-directory $(BUILD)/coverage $(BUILD)/coverage.info
	@echo "coverage: $(BUILD)/coverage/index.html"
	@lcov --summary $(BUILD)/coverage.info 2>&1 | grep -E 'lines|functions'

# Figures, never assertions.
bench: deps
	@.ci/packages python3
	@$(MAKE) --no-print-directory -j2 all $(BENCHES)
	@.ci/peers || echo "no other BGP programs to compare with"
	@.ci/bench $(BUILD)
	@.ci/bench-cluster $(BUILD)
	@.ci/bench-daemons --programs ribcage,ios --cases "reflector 500" $(BUILD)

# The speaker beside other BGP programs, about ten minutes on a machine with nothing else to do;
# BENCH_WRITE=1 writes speaker/BENCH.md if it had nothing else to do,
# BENCH_DAEMONS="--repeat 1 --cases reflector --programs ribcage,bird" does less of it.
bench-daemons: deps
	@.ci/packages python3
	@mkdir -p $(BUILD)
	@.ci/peers || echo "some programs are not there: they are left out"
	@$(MAKE) --no-print-directory -j2 all
	@.ci/bench-daemons $(BENCH_DAEMONS) $(if $(BENCH_WRITE),--write) $(BUILD)

FUZZ_SECONDS ?= 60
fuzz: deps
	@mkdir -p $(BUILD)
	@$(MAKE) --no-print-directory -j2 SAN=1 fuzz-run

fuzz-run: $(FUZZERS)
	@COUNTS=$(BUILD)/fuzz.counts .ci/fuzz $(FUZZ_SECONDS) $(sort $(FUZZERS))

# Fuzzers that know what code they reach, for as long as one likes: each call goes on where the last
# one ended. HUNT=speaker/core does those of a folder. `make hunt-keep` takes what was found to reach
# new code into the corpora of the tree.
HUNT_SECONDS ?= 300
HUNT ?=
hunt hunt-keep: deps
	@.ci/packages clang libclang-rt-14-dev
	@$(MAKE) --no-print-directory -j2 GUIDED=1 $@-run

HUNTED = $(filter $(OUT)/$(HUNT)%,$(sort $(FUZZERS)))
hunt-run: $(FUZZERS)
	@HUNT_JOBS=$(HUNT_JOBS) .ci/hunt $(HUNT_SECONDS) $(BUILD)/hunt $(HUNTED)

hunt-keep-run: $(FUZZERS)
	@.ci/hunt keep $(BUILD)/hunt $(HUNTED)

.PHONY: hunt hunt-run hunt-keep hunt-keep-run
.PHONY: bugs conformance conformance-run unit-run checks coverage-run fuzz-run bench-daemons
