# Targets `upload` and `upload-fs` for a Makefile. GNU make finds this file by itself where it is
# installed under /usr or /usr/local; elsewhere, `make -I PREFIX/include` or a path in `include`.
#
#   ESP_OTA_HOST = kitchen.local
#   ESP_OTA_FILE = build/firmware.bin
#   include esp-ota.mk
#
# Set before the include, as prerequisites are read there:
#   ESP_OTA_FILE       the firmware; `upload` has it built first, by your rule
#   ESP_OTA_FS_FILE    the filesystem image, likewise for `upload-fs`
# Set anywhere:
#   ESP_OTA_HOST       the board: an address, a host name, or the name it announces
#   ESP_OTA_PORT       its UDP port, when it is not the usual one
#   ESP_OTA_AUTH_FILE  a file whose first line is the password
#   ESP_OTA_FLAGS      more options, quoted for the shell
#   ESP_OTA            the program [esp-ota]
# A blank in the name of a file is written "\ ", as make has it everywhere; that of $(CURDIR) has to be avoided.
#
# There is no variable for the password: make shows commands, and so does the process list. Export
# ESP_OTA_AUTH to make's environment, or use ESP_OTA_AUTH_FILE.

ESP_OTA ?= esp-ota

# A bare `make` must never upload, even if this file is included before the first rule.
esp-ota-goal := $(.DEFAULT_GOAL)

esp-ota-empty :=
esp-ota-space := $(esp-ota-empty) $(esp-ota-empty)

# $(1) as one word for the shell.
esp-ota-quote = '$(subst ','\'',$(1))'

# The blanks that a comment behind a value leaves are not part of a name; those within one are.
esp-ota-name = $(if $(word 2,$(1)),$(1),$(strip $(1)))

# A file as make understands it, with "~/" and "\ ", as one word for the shell.
esp-ota-path = $(call esp-ota-quote,$(subst \$(esp-ota-space),$(esp-ota-space),$(patsubst ~/%,$(HOME)/%,$(strip $(1)))))

# $(2) without the letters $(1).
esp-ota-without = $(if $(1),$(call esp-ota-without,$(wordlist 2,$(words $(1)),$(1)),$(subst $(firstword $(1)),,$(2))),$(2))

# The words of $(1) with a password, by all that esp-ota takes for --auth: its beginnings, and -a behind
# letters of options that have no value.
esp-ota-words = $(subst ",,$(subst ',,$(1)))
esp-ota-secrets = $(filter --a --a=% --au --au=% --aut --aut=% --auth --auth=%,$(esp-ota-words))$(filter -a%,$(call esp-ota-without,d h l m q r s v V z,$(filter-out --%,$(filter -%,$(esp-ota-words)))))

# Expands to nothing, or ends make: $(1) is the variable that names the image.
esp-ota-check = \
  $(if $(strip $(ESP_OTA_HOST)),,$(error ESP_OTA_HOST is not set: give the board's address or name, as in ESP_OTA_HOST=kitchen.local))\
  $(if $(strip $($(1))),,$(error $(1) is not set: give the file to upload, before the line "include esp-ota.mk"))\
  $(if $(filter file command override,$(firstword $(origin ESP_OTA_AUTH)))$(call esp-ota-secrets,$(ESP_OTA_FLAGS)),$(error Others can read a password in a Makefile or on a command line: export it to the environment as ESP_OTA_AUTH, or name a file in ESP_OTA_AUTH_FILE))

# What the targets have as prerequisites. An image that is named later would be uploaded as it is.
esp-ota-built-ESP_OTA_FILE := $(ESP_OTA_FILE)
esp-ota-built-ESP_OTA_FS_FILE := $(ESP_OTA_FS_FILE)
esp-ota-warn = $(if $(strip $(esp-ota-built-$(1))),,$(warning $(1) is set after the line "include esp-ota.mk": \
  $($(1)) is uploaded as it is, and not built before))

# $(1) is the variable that names the image, $(2) an option for its kind.
esp-ota-command = $(strip $(esp-ota-check)$(esp-ota-warn))$(ESP_OTA) \
  -i $(call esp-ota-quote,$(call esp-ota-name,$(ESP_OTA_HOST)))$(if $(strip $(ESP_OTA_PORT)), \
  -p $(call esp-ota-quote,$(strip $(ESP_OTA_PORT))))$(if $(strip $(ESP_OTA_AUTH_FILE)), \
  --auth-file $(call esp-ota-path,$(ESP_OTA_AUTH_FILE)))$(if $(2), $(2)) \
  -f $(call esp-ota-path,$($(1)))$(if $(strip $(ESP_OTA_FLAGS)), $(ESP_OTA_FLAGS))

.PHONY: upload upload-fs

upload: $(ESP_OTA_FILE)
	$(call esp-ota-command,ESP_OTA_FILE)

upload-fs: $(ESP_OTA_FS_FILE)
	$(call esp-ota-command,ESP_OTA_FS_FILE,-s)

.DEFAULT_GOAL := $(esp-ota-goal)
