$(eval $(call library,core,speaker/core,base,))
