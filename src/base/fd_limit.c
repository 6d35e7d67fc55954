/* fd_limit.c: see fd_limit.h. */
#include "base/fd_limit.h"

#include <sys/resource.h>

/* The soft limit is often 1,024. Where the hard one is too low, or the soft one may not be raised,
 * there are fewer connections. */
size_t fd_limit_connections(size_t wanted, size_t reserved)
{
    const rlim_t needed = reserved + 2 * (rlim_t)wanted;
    struct rlimit limit, raised;

    if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
        return wanted;

    raised = limit;
    raised.rlim_cur = needed < limit.rlim_max ? needed : limit.rlim_max;
    if (limit.rlim_cur < raised.rlim_cur && setrlimit(RLIMIT_NOFILE, &raised) == 0)
        limit = raised;
    if (limit.rlim_cur >= needed)
        return wanted;
    return limit.rlim_cur >= reserved + 2 ? (size_t)(limit.rlim_cur - reserved) / 2 : 1;
}
