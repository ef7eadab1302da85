/*
 * What the kernel gave to the program when it was started.
 *
 * The Swift runtime reads the arguments from /proc/self/cmdline, and has none where that can't be
 * read. glibc passes main's argc and argv to the initializers of a program as well, in static and
 * in dynamic programs alike, so that they can be kept from there without /proc.
 */
#ifndef CPROCESSSTART_H
#define CPROCESSSTART_H

/* main's argc; 0 if the C library has not passed it. */
int cprocessstart_argument_count(void);

/* An element of main's argv, or NULL if there is none of this index. */
const char *cprocessstart_argument(int index);

/* The path that the program was executed by, as execve(2) got it, or NULL; see getauxval(3). */
const char *cprocessstart_executed_path(void);

#endif
