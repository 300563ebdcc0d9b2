/* SPDX-License-Identifier: MIT OR Apache-2.0 */
#ifndef CODEC_H
#define CODEC_H

/* Runs a figure `times` times, on one after the other of the messages in a file, and prints seconds
 * for each. Ends the program when there is no figure of that name. */
void codec_figure(const char *name, unsigned long times, const char *path);

#endif
