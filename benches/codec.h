/* SPDX-License-Identifier: MIT OR Apache-2.0 */
#ifndef CODEC_H
#define CODEC_H

/* Runs a figure `times` times on the message given in hexadecimal and prints nanoseconds for each.
 * Ends the program when there is no figure of that name. */
void codec_figure(const char *name, unsigned long times, const char *hex);

#endif
