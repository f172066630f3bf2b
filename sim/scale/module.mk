$(eval $(call library,scale,sim/scale,reports base,-ljansson -lxml2 -lm))
