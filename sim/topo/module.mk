$(eval $(call library,topo,sim/topo,calico yaml config core base,-lyaml -ljansson))
