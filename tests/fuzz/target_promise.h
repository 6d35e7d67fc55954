/*
 * target_promise.h: the contract of target.h, for all harnesses with a target.
 */
#ifndef TARGET_PROMISE_H
#define TARGET_PROMISE_H

#include "discovery/target.h"

/* Aborts if target does not satisfy the contract. */
void require_target(const struct target *target);

#endif
