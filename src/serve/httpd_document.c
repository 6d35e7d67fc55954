/*
 * httpd_document.c: a text that several responses share. Its owner may replace it while clients are
 * still reading it.
 */
#include "serve/httpd_internal.h"

#include <stdlib.h>
#include <string.h>

struct httpd_document *httpd_document_new(char *text)
{
    struct httpd_document *document = text ? malloc(sizeof *document) : NULL;

    if (document)
        *document = (struct httpd_document){.users = 1, .text = text, .size = strlen(text)};
    else
        free(text);
    return document;
}

void httpd_document_use(struct httpd_document *document)
{
    document->users++;
}

void httpd_document_free(struct httpd_document *document)
{
    if (!document || --document->users > 0)
        return;
    free(document->text);
    free(document);
}
