$(eval $(call library,calico,sim/calico,yaml config core base,-lyaml -ljansson))
