#include "CProcessStart.h"

#include <stddef.h>
#include <sys/auxv.h>

static int argument_count;
static char **arguments;

__attribute__((constructor)) static void keep_arguments(int argc, char **argv) {
	argument_count = argc;
	arguments = argv;
}

int cprocessstart_argument_count(void) { return arguments ? argument_count : 0; }

const char *cprocessstart_argument(int index) {
	return arguments && index >= 0 && index < argument_count ? arguments[index] : NULL;
}

const char *cprocessstart_executed_path(void) {
	return (const char *)getauxval(AT_EXECFN);
}
