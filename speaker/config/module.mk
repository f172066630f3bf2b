$(eval $(call library,config,speaker/config,core base,-ljansson))
