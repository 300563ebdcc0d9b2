/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Times as the C library has them when it is not asked for others. */
#define _GNU_SOURCE
#include "nflog_time.h"
