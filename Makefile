# One non-recursive make. Each folder adds a module.mk; this file has the rules.
#
#   make run        install what is missing, build, run the quick start scenario
#   make test       install what is missing, build, unit tests (sanitized), scenario tests
#   make lint coverage bench fuzz clean install
#
# Variants build beside each other: SAN=1 (ASan + UBSan), COV=1 (gcov), GUIDED=1 (fuzzers with
# clang's libFuzzer, sanitized), CC=clang.

VERSION := 0.1.0
PREFIX ?= /usr/local
CC ?= gcc
ifeq ($(CC),cc)
CC := gcc
endif

ifdef GUIDED
override CC := clang
override SAN := 1
endif

VARIANT := $(if $(GUIDED),guided,$(if $(SAN),san,$(if $(COV),cov,release)))
BUILD ?= build
OUT := $(BUILD)/$(VARIANT)

WARNINGS := -Wall -Wextra -Wconversion -Wsign-conversion -Wshadow -Wstrict-prototypes \
	-Wmissing-prototypes -Wvla -Wundef -Wcast-qual -Wpointer-arith -Wwrite-strings
# Embedding a struct by its tag (core/config.h); clang says so of each.
WARNINGS += $(if $(findstring clang,$(CC)),-Wno-microsoft-anon-tag)
CFLAGS ?= -O2 -g
ALL_CFLAGS := -std=gnu11 -fms-extensions $(WARNINGS) $(if $(WERROR),-Werror) $(CFLAGS) -D_GNU_SOURCE \
	-DRIBCAGE_VERSION='"$(VERSION)"' -fno-strict-aliasing -fstack-protector-strong
ALL_LDFLAGS := $(LDFLAGS)
ifdef SAN
ALL_CFLAGS += -O1 -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer
ALL_LDFLAGS += -fsanitize=address,undefined
endif
ifdef GUIDED
ALL_CFLAGS += -fsanitize=fuzzer-no-link
FUZZER_LIBS := -Wl,-u,LLVMFuzzerRunDriver \
	$(shell clang -print-file-name=libclang_rt.fuzzer_no_main-$(shell uname -m).a) -lstdc++ -lm
endif
ifdef COV
ALL_CFLAGS += -O0 --coverage
ALL_LDFLAGS += --coverage
endif
NL_CFLAGS := -isystem /usr/include/libnl3 -isystem /usr/include/libxml2
ALL_CFLAGS += $(NL_CFLAGS)

# What objects and programs are made with, as text in a file each (rules below). Warnings as errors
# make no other object.
COMPILED := $(strip $(CC) $(filter-out -Werror,$(ALL_CFLAGS)))
LINKED := $(strip $(CC) $(ALL_LDFLAGS))

.DEFAULT_GOAL := all
.PHONY: all deps run test unit scenarios lint coverage bench fuzz clean install

LIBRARIES :=
TESTS :=
FUZZERS :=
BENCHES :=
PROGRAMS :=
OBJECTS :=

# $(call library,NAME,FOLDER,LIBRARIES IT NEEDS,SYSTEM LIBRARIES,FIXTURES OF OTHERS): an archive of FOLDER's sources,
# and a program per *_test.c, *_fuzz.c and *_bench.c in it. What several tests or fuzzers of a folder
# share stands in *_fixture.c, linked to these only; another folder's may be named as the fifth word.
define library
LIBRARIES += $(1)
$(1)_FOLDER := $(2)
$(1)_SOURCES := $$(filter-out %_test.c %_fuzz.c %_bench.c %_fixture.c %/main.c,\
	$$(wildcard $(2)/*.c))
$(1)_OBJECTS := $$($(1)_SOURCES:%.c=$(OUT)/%.o)
$(1)_NEEDS := $(1) $(3)
$(1)_SYSTEM := $(4)
$(1)_FIXTURES := $$(patsubst %.c,$(OUT)/%.o,$$(wildcard $(2)/*_fixture.c) $(5))
OBJECTS += $$($(1)_OBJECTS) $$($(1)_FIXTURES)
$(OUT)/lib$(1).a: $$($(1)_OBJECTS)
ifneq ($$(strip $$(file <$(OUT)/lib$(1).list)),$$(strip $$($(1)_OBJECTS)))
$(OUT)/lib$(1).a: FORCE
endif
$(1)_TESTS := $$(patsubst %.c,$(OUT)/%,$$(wildcard $(2)/*_test.c))
$(1)_FUZZERS := $$(patsubst %.c,$(OUT)/%,$$(wildcard $(2)/*_fuzz.c))
$(1)_BENCHES := $$(patsubst %.c,$(OUT)/%,$$(wildcard $(2)/*_bench.c))
TESTS += $$($(1)_TESTS)
FUZZERS += $$($(1)_FUZZERS)
BENCHES += $$($(1)_BENCHES)
OBJECTS += $$(patsubst %,%.o,$$($(1)_TESTS) $$($(1)_FUZZERS) $$($(1)_BENCHES))
$$($(1)_TESTS) $$($(1)_FUZZERS): $$($(1)_FIXTURES)
$$($(1)_TESTS) $$($(1)_FUZZERS): LINK := $$($(1)_FIXTURES) $$(patsubst %,$(OUT)/lib%.a,$$($(1)_NEEDS)) -lcmocka $(4)
$$($(1)_FUZZERS): LINK += $(FUZZER_LIBS)
$$($(1)_BENCHES): LINK := $$(patsubst %,$(OUT)/lib%.a,$$($(1)_NEEDS)) $(4)
$$($(1)_TESTS) $$($(1)_FUZZERS) $$($(1)_BENCHES): %: %.o $$(patsubst %,$(OUT)/lib%.a,$$($(1)_NEEDS)) $(OUT)/LINKED
	@mkdir -p $$(@D)
	$$(CC) $$(ALL_LDFLAGS) -o $$@ $$< $$(LINK)
endef

# $(call program,NAME,MAIN.c,LIBRARIES,SYSTEM LIBRARIES,FLAGS)
define program
PROGRAMS += $(BUILD)/$(1)
OBJECTS += $(OUT)/$(2:.c=.o)
$(OUT)/$(1): $(OUT)/$(2:.c=.o) $$(patsubst %,$(OUT)/lib%.a,$(3)) $(OUT)/LINKED
	$$(CC) $$(ALL_LDFLAGS) $$(if $$(SAN)$$(COV),,$(5)) -o $$@ $$< $$(patsubst %,$(OUT)/lib%.a,$(3)) $(4)
endef

include speaker/base/module.mk speaker/core/module.mk speaker/config/module.mk \
	speaker/decode/module.mk speaker/ios/module.mk speaker/host/module.mk speaker/bench/module.mk \
	sim/yaml/module.mk sim/calico/module.mk sim/topo/module.mk sim/lab/module.mk \
	sim/check/module.mk sim/scenario/module.mk sim/scale/module.mk \
	reports/module.mk sim/cli/module.mk

# The programs of the release variant are linked to build/ itself.
$(BUILD)/%: $(OUT)/%
	@ln -sf $(VARIANT)/$* $@

all: $(PROGRAMS)

# $(call remembered,NAME): a file with the text of the variable NAME, newer than what was made with
# another text. Where none is yet it is old: what stands there counts as made with this one.
define remembered
ifneq ($$(strip $$(file <$(OUT)/$(1))),$$($(1)))
$(OUT)/$(1): FORCE
endif
$(OUT)/$(1):
	@mkdir -p $$(@D)
	@[ -e $$@ ] && new=now || new=@0; echo '$$(subst ','\'',$$($(1)))' >$$@ && touch -d $$$$new $$@
endef
$(eval $(call remembered,COMPILED))
$(eval $(call remembered,LINKED))

$(OUT)/%.o: %.c $(OUT)/COMPILED
	@mkdir -p $(@D)
	$(CC) $(ALL_CFLAGS) -MMD -MP -c -o $@ $<

# The list says whose objects are in it: one whose source is gone must not stay.
%.a:
	@mkdir -p $(@D)
	@rm -f $@
	$(AR) rcs $@ $(filter %.o,$^)
	@echo $(filter %.o,$^) >$(@:.a=.list)

FORCE:

-include $(OBJECTS:.o=.d)

include .ci/targets.mk

clean:
	rm -rf $(BUILD)

install: all
	install -d $(DESTDIR)$(PREFIX)/bin $(DESTDIR)$(PREFIX)/lib/ribcage \
		$(DESTDIR)$(PREFIX)/share/ribcage $(DESTDIR)$(PREFIX)/share/man/man1 \
		$(DESTDIR)$(PREFIX)/share/man/man8
	install -m 755 $(OUT)/ribcage $(OUT)/ribcage-speaker $(DESTDIR)$(PREFIX)/bin
	install -m 644 sim/ribcage.1 $(DESTDIR)$(PREFIX)/share/man/man1
	install -m 644 speaker/ribcage-speaker.8 $(DESTDIR)$(PREFIX)/share/man/man8
	cp -r scenarios topologies speaker/examples $(DESTDIR)$(PREFIX)/share/ribcage
