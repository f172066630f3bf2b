$(eval $(call library,reports,reports,base,-ljansson -lxml2 -lm))
