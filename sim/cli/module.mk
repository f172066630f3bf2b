SIM := cli scale scenario check topo lab calico yaml reports ios decode config core base
SIM_SYSTEM := -lyaml -lnl-route-3 -lnl-3 -ljansson -lpcap -lxml2 -lz -lm -lcrypt
$(eval $(call library,cli,sim/cli,$(filter-out cli,$(SIM)),$(SIM_SYSTEM)))
$(eval $(call program,ribcage,sim/cli/main.c,$(SIM),$(SIM_SYSTEM),))
# These tests run the program itself.
$(cli_TESTS): $(OUT)/ribcage $(OUT)/ribcage-speaker
