/*
 * target_promise.h: the contract of target.h, for all harnesses with a target.
 */
#ifndef TARGET_PROMISE_H
#define TARGET_PROMISE_H

#include "discovery/target.h"

/* One scheme takes a board alone, the other one a user and a path, too. */
extern const struct target_schemes some_schemes;

/* Aborts if target does not satisfy the contract. */
void require_target(const struct target *target);

#endif
