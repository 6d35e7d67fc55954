/*
 * beneath.h: paths that somebody else has named, in the file of a project. They open only beneath
 * one folder, wherever in the program that happens: a check before would not see a symbolic link that
 * comes later.
 */
#ifndef ESP_OTA_BASE_BENEATH_H
#define ESP_OTA_BASE_BENEATH_H

/* From now on, this very path opens only beneath the folder. A second folder for it does not count.
 * -1: out of memory. */
int beneath_add(const char *path, const char *folder);
void beneath_forget(void); /* all of them */

/* Like open(2) without O_CREAT. A path that was added fails with EXDEV if it leads out of its folder,
 * after all symbolic links, and also if there is no /proc to tell. */
int beneath_open(const char *path, int flags);

#endif
