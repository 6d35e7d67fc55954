/*
 * confine.h: takes from a process all rights that questions to D-Bus, DNS and name services do not
 * need.
 */
#ifndef ESP_OTA_BASE_CONFINE_H
#define ESP_OTA_BASE_CONFINE_H

/* Confines the process and its children for good. They can run no other program, gain no
 * privileges, write to no file by name (open files stay writable), change no mode, owner, time
 * or attribute of a file, signal, inspect or limit no other process, accept no connection, and type
 * into no terminal. Restrictions that the kernel lacks are skipped, as the remaining ones still
 * help. */
void confine_process(void);

#endif
