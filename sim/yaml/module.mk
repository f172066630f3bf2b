$(eval $(call library,yaml,sim/yaml,base,-lyaml))
