SIM := cli scale scenario check topo lab calico yaml reports ios decode config core base
SIM_SYSTEM := -lyaml -lnl-route-3 -lnl-3 -ljansson -lpcap -lxml2 -lz -lm -lcrypt
$(eval $(call library,cli,sim/cli,$(filter-out cli,$(SIM)),$(SIM_SYSTEM)))
$(eval $(call program,ribcage,sim/cli/main.c,$(SIM),$(SIM_SYSTEM),))
# These tests run the program itself.
$(cli_TESTS): $(OUT)/ribcage $(OUT)/ribcage-speaker
# What these tests load into the program (LD_PRELOAD), which may be sanitized or not: they are not.
PRELOADS := $(patsubst %_fixture.c,$(OUT)/%.so,$(wildcard sim/cli/preload/*_fixture.c))
$(PRELOADS): $(OUT)/%.so: %_fixture.c $(wildcard sim/cli/preload/*.h) $(OUT)/COMPILED
	@mkdir -p $(@D)
	$(CC) $(filter-out -fsanitize% -fno-sanitize% --coverage,$(ALL_CFLAGS)) -fPIC -shared -o $@ $<
$(addprefix $(OUT)/sim/cli/,moving_clock_test capture_loss_test): $(PRELOADS)
