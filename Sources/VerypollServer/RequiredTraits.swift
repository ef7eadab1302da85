#if !Net || !OSExt
#error(
    "verypolld needs the traits Net and OSExt; build it with them, or set VERYPOLL_LIBRARY_ONLY"
)
#endif
