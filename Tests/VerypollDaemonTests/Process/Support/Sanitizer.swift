internal import Glibc

/// Whether tests and programs were built with a sanitizer, whose own memory use makes measurements
/// of the programs' memory meaningless.
let isSanitized =
    unsafe dlsym(nil, "__asan_init") != nil || dlsym(nil, "__tsan_init") != nil
