$(eval $(call library,ios,speaker/ios,core base,-lcrypt))
