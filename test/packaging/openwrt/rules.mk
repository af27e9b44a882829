# A stand-in for OpenWrt's rules.mk.
INCLUDE_DIR:=$(TOPDIR)
