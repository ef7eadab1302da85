#if !Net || !OSExt || !Daemon
#error(
    "verypolld needs the trait Daemon; build it with that trait, or set VERYPOLL_LIBRARY_ONLY"
)
#endif
