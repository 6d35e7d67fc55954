/*
 * beneath.h: opens the paths that a project's configuration file names, but only beneath the
 * project's folder. The rule holds at each open: a check in advance would miss a symbolic link that
 * is created later.
 */
#ifndef ESP_OTA_BASE_BENEATH_H
#define ESP_OTA_BASE_BENEATH_H

/* From now on, this path opens only beneath the folder, wherever the program names it by the same
 * string. A second folder for the same path is ignored. Returns 0, or -1 if memory runs out. */
int beneath_add(const char *path, const char *folder);
void beneath_forget(void); /* all paths */

/* Like open(2) without O_CREAT. A path that was added fails with EXDEV if it leads out of its
 * folder once all symbolic links are resolved, and with ENOSYS if /proc, which shows where it
 * leads, is not mounted. */
int beneath_open(const char *path, int flags);

#endif
