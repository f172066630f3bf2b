$(eval $(call library,ios,speaker/ios,core base,-lcrypt,speaker/base/rules_page_fixture.c))
