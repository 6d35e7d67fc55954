/* One client of a board's log service, with its output and input. */
#ifndef DEVICE_TELNET_CLIENT_H
#define DEVICE_TELNET_CLIENT_H

#include "address.h"
#include "loop.h"

struct board;

enum { CLIENT_IN = 256, CLIENT_OUT = 16384 };

struct telnet_client {
    struct board *board;
    struct watch watch;
    struct timer deaf; /* runs while the client's input is discarded */
    struct address peer;
    int fd;
    bool left_behind; /* by a restart: the board no longer knows of it */
    bool after_end;   /* the byte before was an end of line */
    int64_t command_us;
    size_t in_length, out_length;
    char in[CLIENT_IN];
    char out[CLIENT_OUT];
};

bool client_is_served(const struct telnet_client *client);

/* Whether it is served and no longer deaf. */
bool client_is_heard(const struct telnet_client *client);

/* Gathers bytes; what it has no room for is lost. */
void client_add(struct telnet_client *client, const void *bytes, size_t length);
void client_add_text(struct telnet_client *client, const char *text);

/* Sends as many of the gathered bytes as the socket takes, and updates the events to wait for. */
void client_flush(struct telnet_client *client);

/* Reads and obeys. False if the client is gone. */
bool client_read(struct telnet_client *client);

/* Ends the connection, prints the event and frees the client. */
void client_part(struct telnet_client *client, bool reset, const char *reason);

/* Frees the client and leaves its connection alone. */
void client_forget(struct telnet_client *client);

void client_close_fd(int fd, bool reset);

#endif
