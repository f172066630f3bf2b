$(eval $(call library,decode,speaker/decode,core base,-ljansson))
