$(eval $(call library,check,sim/check,calico yaml ios config core base,-lyaml -ljansson -lcrypt))
