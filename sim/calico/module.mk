$(eval $(call library,calico,sim/calico,yaml config core base,-lyaml -ljansson,speaker/base/rules_page_fixture.c))
