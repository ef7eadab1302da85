/*
 * The arguments and the path that the kernel passed to the program at its start.
 *
 * The Swift runtime reads the arguments from /proc/self/cmdline, and has none if that file cannot be
 * read. glibc also passes main's argc and argv to a program's initializers, in static and in dynamic
 * programs, so an initializer can keep them without /proc.
 */
#ifndef CPROCESSSTART_H
#define CPROCESSSTART_H

/* main's argc; 0 if the C library has not passed it to the initializer. */
int cprocessstart_argument_count(void);

/* An element of main's argv, or NULL if the index is out of range. */
const char *cprocessstart_argument(int index);

/* The path that was passed to execve(2) to run the program, or NULL; see getauxval(3). */
const char *cprocessstart_executed_path(void);

#endif
