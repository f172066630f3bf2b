$(eval $(call library,scenario,sim/scenario,check topo lab calico yaml reports ios config core base,-lyaml -lnl-route-3 -lnl-3 -ljansson -lpcap -lxml2 -lcrypt))
