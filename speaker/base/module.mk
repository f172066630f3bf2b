$(eval $(call library,base,speaker/base,,))
