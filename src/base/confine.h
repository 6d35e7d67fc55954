/*
 * confine.h: takes from a process what it needs for no question to D-Bus, DNS or a name service.
 */
#ifndef ESP_OTA_BASE_CONFINE_H
#define ESP_OTA_BASE_CONFINE_H

/* For good, and for what the process starts: it can run no other program, gain no privileges, write
 * to no file by its name (what is open stays open), signal or look into no other process, accept no
 * connection, and type into no terminal. What the kernel does not offer is left out: a process
 * that parses what strangers sent is better off with less, and no worse off than before without. */
void confine_process(void);

#endif
