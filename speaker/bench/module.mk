$(eval $(call library,bench,speaker/bench,core base,))
$(eval $(call program,bgp-load,speaker/bench/main.c,bench core base,))
