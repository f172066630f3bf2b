# Hostile input comes over TCP, too.
$(eval $(call library,host,speaker/host,ios decode config core base,-ljansson -lcrypt,speaker/core/hostile_fixture.c))
# Static: a thousand of them start without the dynamic linker and share every page of text.
$(eval $(call program,ribcage-speaker,speaker/host/main.c,host ios decode config core base,-ljansson -lcrypt,-static))
