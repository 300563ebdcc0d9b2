/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Times of 64 bits, on every machine. */
#define _GNU_SOURCE
#define _FILE_OFFSET_BITS 64
#define _TIME_BITS 64
#include "nflog_time.h"
