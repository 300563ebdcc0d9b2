# Each package must say what it is; what it does is to be run by target.
define BuildPackage
$(Package/$(1))
$$(if $$(and $$(SECTION),$$(TITLE),$$(DEPENDS)),,$$(error $(1) does not say what it is))
install: install-$(1)
install-$(1):
	$(call Package/$(1)/install,$(ROOT)/$(1))
endef

compile:
	$(Build/Compile)

install-dev:
	$(call Build/InstallDev,$(ROOT)/staging)
