/*
 * capture.h: captures standard output and standard error for the unit tests.
 */
#ifndef CAPTURE_H
#define CAPTURE_H

enum { CAPTURE_MAX = 65536 };

struct capture {
    int saved_out, saved_err; /* the real ones */
    int out, err;             /* unlinked temporary files */
    char text_out[CAPTURE_MAX], text_err[CAPTURE_MAX];
};

/* capture_begin() sends both streams to files; capture_end() restores the real ones and fills in
 * the texts (terminated, cut to CAPTURE_MAX - 1). */
void capture_begin(struct capture *capture);
void capture_end(struct capture *capture);

#endif
