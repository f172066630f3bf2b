$(eval $(call library,host,speaker/host,ios config core base,-ljansson))
# Static: a thousand of them start without the dynamic linker and share every page of text.
$(eval $(call program,ribcage-speaker,speaker/host/main.c,host ios config core base,-ljansson,-static))
