internal import Glibc

/// Whether tests and programs were built with a sanitizer, which needs so much memory itself that
/// there is no measuring theirs.
let isSanitized =
    unsafe dlsym(nil, "__asan_init") != nil || dlsym(nil, "__tsan_init") != nil
