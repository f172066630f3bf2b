# What is run rather than built.

SCENARIO_DIRS = scenarios

deps:
	@.ci/packages

run: deps
	@$(MAKE) --no-print-directory all
	$(BUILD)/ribcage run scenarios/mesh/full-mesh

test: deps
	@$(MAKE) --no-print-directory unit
	@$(MAKE) --no-print-directory scenarios

unit:
	@$(MAKE) --no-print-directory SAN=1 unit-programs
	@.ci/unit $(BUILD)/san

unit-programs: $(TESTS)

clang-format:
	@clang-format --dry-run -Werror $(shell git ls-files '*.c' '*.h')
