/*
 * target_promise.h: what target.h promises of every target, for all harnesses that get one.
 */
#ifndef TARGET_PROMISE_H
#define TARGET_PROMISE_H

#include "discovery/target.h"

/* Aborts when target breaks a promise. */
void require_target(const struct target *target);

#endif
