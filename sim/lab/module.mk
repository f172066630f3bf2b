$(eval $(call library,lab,sim/lab,core base,-lnl-route-3 -lnl-3 -ljansson -lpcap))
