#!/bin/sh
# The last step of the build: in the place of an ELF file's conversion, the image of the test.
exec cp "$ESP_OTA_TEST_IMAGE" "$1"
