# A stand-in for OpenWrt's package.mk: `make OUT=FOLDER` installs each package to FOLDER/NAME and says in FOLDER/NAME.txt what else the Makefile knows.
# Like there, a package's definition is expanded once before make reads it, and the recipe once more.

all:

define BuildPackage
$(eval $(Package/$(1)))
all: $(1)
.PHONY: $(1)
$(1): export CONFFILES=$(strip $(Package/$(1)/conffiles))
$(1): export DESCRIPTION=$(strip $(Package/$(1)/description))
$(1):
	mkdir -p $(OUT)/$(1)
	$(call Package/$(1)/install,$(OUT)/$(1))
	printf '%s\n' "version=$(PKG_VERSION)-r$(PKG_RELEASE)" "section=$(SECTION)" "depends=$(DEPENDS)" "conflicts=$(CONFLICTS)" \
		"user=$(USERID)" "arch=$(PKGARCH)" "license=$(PKG_LICENSE)" "conffiles=$$$$CONFFILES" "description=$$$$DESCRIPTION" >$(OUT)/$(1).txt
$(foreach name,SECTION DEPENDS CONFLICTS USERID PKGARCH,$(eval $(name):=))
endef
